// The viewer: which clip is looked at, what the keys do, and what is drawn of it. See viewer.py for what it is given.

const LOOK_AFTER_MS = 250; // the page is told where it stands when it has stood still for so long
const LOOK_AT_LATEST_MS = 1200;
const SWIPE_PX = 48;
const MOST_KNOWN = 240;

function element(tag, name, parent, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  parent?.append(made);
  return made;
}

function button(name, parent, act) {
  const made = element("button", name, parent);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function label(made, text, key = "") {
  if (made.textContent !== text) made.textContent = text;
  if (key) made.setAttribute("aria-keyshortcuts", key);
}

/** The element that has the focus, also within the shadow of another one. */
function focused() {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found;
}

function everywhere(selector, root = document) {
  const found = root.querySelector(selector);
  if (found) return found;
  for (const host of root.querySelectorAll("*")) {
    const within = host.shadowRoot && everywhere(selector, host.shadowRoot);
    if (within) return within;
  }
  return null;
}

const isWritten = (at) =>
  at.isContentEditable ||
  at.matches?.("textarea, select, input:not([type=range], [type=checkbox], [type=radio], [type=button])") ||
  at.closest?.("[role=combobox], [role=listbox], [data-testid=stPopoverBody]");
const isPressed = (at) => at.matches?.("button, a[href], summary, [role=tab], [role=button], [type=checkbox]");
const isMoved = (at) => at.matches?.("input[type=range], [role=tab], [type=radio], [role=slider]");

class Viewer {
  constructor(root) {
    this.root = root;
    this.clips = new Map();
    this.row = [];
    this.undos = [];
    this.turn = 0;
    this.judged = new Map(); // id -> verdict of here and now, for the count
    this.player = new Player((event) => this.drawTime(event));
    this.ending = new AbortController();
    const { signal } = this.ending;
    this.build();
    window.addEventListener("keydown", (event) => this.key(event), { signal, capture: true });
    window.addEventListener("video-viewer-go", ({ detail }) => (this.player.pause(), this.player.seek(detail)), { signal });
    window.addEventListener("video-viewer-where", ({ detail }) => (detail.seconds = this.player.seconds), { signal });
    window.addEventListener("video-live-ended", ({ detail }) => this.ended(detail), { signal });
    outbox.addEventListener("written", ({ detail }) => this.written(detail), { signal });
    outbox.addEventListener("refused", ({ detail }) => this.refused(detail), { signal });
    outbox.addEventListener("expired", () => this.look(), { signal });
    outbox.addEventListener("away", () => this.warn(this.wait()), { signal });
    outbox.addEventListener("calm", () => this.calm(), { signal });
  }

  // ---- what the page says

  update(data, trigger) {
    const first = !this.data;
    this.data = data;
    this.trigger = trigger;
    this.words = data.words;
    outbox.use(data);
    for (const clip of [...data.clips, ...data.further]) {
      const known = this.clips.get(clip.id);
      const { verdict, reason, favourite } = known ?? {};
      const newer = known?.since > data.turn ? { verdict, reason, favourite } : {}; // written down after this was read
      this.clips.set(clip.id, { ...known, ...clip, ...newer });
    }
    this.join(data.clips.map(({ id }) => id));
    if (first) {
      this.turn = data.turn;
      this.openedAt = data.at;
      this.at = data.at;
      this.say();
      this.writeAddress();
    }
    if (this.goesOn && data.turn >= this.turn) this.goOn();
    else this.showIfOther();
    this.draw();
    if (first) setTimeout(() => this.stage.focus({ preventScroll: true }), 60);
  }

  /** Take in clips that lie side by side; of a listing they are sorted into those that are known beside them. */
  join(ids) {
    const { listing } = this.data;
    const touches = listing && ids.some((id) => this.row.includes(id)) && this.row.length < MOST_KNOWN;
    if (touches) {
      const all = [...new Set([...this.row, ...ids])].sort();
      this.row = listing === "newest" ? all.reverse() : all;
    } else if (!this.at || ids.includes(this.at)) this.row = ids;
  }

  /** One that could not be played yet has ended, as these have: the page knows more of it. */
  ended(ids) {
    if (ids.some((id) => this.clips.has(id) && !this.clips.get(id).source)) this.look();
  }

  // ---- where it stands

  get clip() {
    return this.clips.get(this.at);
  }

  get together() {
    return this.data.together ? this.row.map((id) => this.clips.get(id)) : [];
  }

  beside(by) {
    const place = this.row.indexOf(this.at);
    return place < 0 ? undefined : this.row[place + by];
  }

  move(by) {
    this.goesOn = false;
    const id = this.beside(by);
    if (id) this.go(id);
  }

  go(id) {
    if (!id || id === this.at) return;
    this.at = id;
    this.closeReasons();
    if (!this.row.includes(id)) this.row = [id]; // the page tells what is beside it
    this.writeAddress();
    if (this.data.together) this.player.mute(this.player.muted, this.row.indexOf(id));
    else this.showIfOther();
    this.draw();
    this.lookSoon();
  }

  /** A link to what is looked at; it is no step of the history, so that Back closes the viewer. */
  writeAddress() {
    const search = location.search.replace(/([?&]clip=)[^&]*/, `$1${this.at}`);
    if (search !== location.search) history.replaceState(history.state, "", location.pathname + search + location.hash);
  }

  undecided() {
    const open = (id) => this.clips.get(id)?.source && this.state(id).verdict === "undecided";
    const place = this.row.indexOf(this.at);
    if (this.data.together) return [...this.row.slice(place + 1), ...this.row.slice(0, place)].find(open);
    const after = this.row.slice(place + 1).find(open);
    return after ?? this.data.further.map(({ id }) => id).find((id) => open(id) && this.comesAfter(id));
  }

  comesAfter(id) {
    return this.data.listing === "newest" ? id < this.at : id > this.at;
  }

  /** To the next that nobody has judged; where it is not known here, when the page has told more. */
  goOn() {
    const waited = this.goesOn;
    this.goesOn = false;
    const next = this.undecided();
    if (next) this.go(next);
    else if (this.data.listing && !waited) {
      this.goesOn = true;
      this.look();
    } else if (!next) this.say(`${this.counted()} ${this.words.last}`);
  }

  lookSoon() {
    clearTimeout(this.looking);
    const late = performance.now() - (this.looked ?? 0) > LOOK_AT_LATEST_MS && this.looked;
    if (late) this.look();
    else this.looking = setTimeout(() => this.look(), LOOK_AFTER_MS);
  }

  look() {
    clearTimeout(this.looking);
    this.looked = performance.now();
    this.turn += 1;
    this.trigger("look", { at: this.at, turn: this.turn });
  }

  showIfOther() {
    const clips = this.data.together ? this.together : [this.clip].filter(Boolean);
    const known = clips.map(({ id, source }) => id + Boolean(source)).join();
    const next = this.data.together ? [] : [this.undecided(), this.beside(1), this.beside(-1)];
    const others = [...new Set(next.filter((id) => id && id !== this.at))].map((id) => this.clips.get(id));
    if (known === this.playing) {
      this.player.prepare([...clips, ...others].filter(({ source }) => source));
      return;
    }
    this.playing = known;
    this.player.show(clips, others);
    this.drawClips(clips);
  }

  // ---- what is decided

  /** How a clip stands for this person: with what is not written down yet. */
  state(id) {
    const { verdict = "undecided", reason, favourite } = this.clips.get(id) ?? {};
    const mine = outbox.verdict(id) ?? { verdict, reason };
    return { ...mine, favourite: outbox.favourite(id) ?? favourite };
  }

  mayDecide() {
    if (!this.clip?.may) this.say(this.words.looksOn);
    else if (!this.clip.source) this.say(this.words.notYet);
    return this.clip?.may && this.clip.source;
  }

  decide(verdict, reason = null) {
    this.closeReasons();
    if (!this.mayDecide()) return;
    this.judge([{ id: this.at, verdict, reason }]);
    this.say(this.counted());
    this.goOn();
  }

  onlyThis() {
    if (!this.data.together || !this.mayDecide()) return;
    this.judge(
      this.row.map((id) => ({
        id,
        verdict: id === this.at ? "kept" : "rejected",
        reason: id === this.at ? null : "better_take",
      })),
    );
    this.say(this.counted());
  }

  judge(verdicts, isUndo = false) {
    const before = verdicts.map(({ id }) => ({ id, ...this.state(id) }));
    const decisions = verdicts.map((each, place) => ({ ...each, seen: before[place].verdict }));
    for (const { id, verdict } of decisions) this.judged.set(id, isUndo ? "undecided" : verdict);
    if (!isUndo) this.undos.push({ at: this.at, before });
    this.isUndone = isUndo; // what is still offered is the decision before that one
    outbox.push({ decisions });
    this.draw();
  }

  undo() {
    const last = this.undos.pop();
    if (!last) return;
    this.judge(
      last.before.map(({ id, verdict, reason }) => ({ id, verdict, reason })),
      true,
    );
    this.go(last.at);
    this.say(this.words.undone);
  }

  like() {
    if (!this.clip?.may) return this.say(this.words.looksOn);
    outbox.push({ id: this.at, favourite: !this.state(this.at).favourite });
    this.draw();
    return undefined;
  }

  take(told) {
    for (const clip of told ?? []) {
      const known = this.clips.get(clip.id);
      if (known) Object.assign(known, clip, { since: this.turn + 1 });
    }
  }

  written({ clips, said, entry }) {
    this.take(clips);
    if (said) this.forget(entry, said);
    this.draw();
  }

  refused({ entry, said }) {
    this.forget(entry, said);
    this.draw();
  }

  forget(entry, said) {
    const ids = (entry.decisions ?? []).map(({ id }) => id);
    this.undos = this.undos.filter(({ before }) => !before.some(({ id }) => ids.includes(id)));
    const name = this.clips.get(ids[0] ?? entry.id)?.title ?? "";
    this.warn([said, name && `“${name.slice(0, 60)}”`].filter(Boolean).join(" "));
  }

  wait() {
    this.isAway = true;
    return this.words.waiting.replace("{number}", outbox.waiting.length);
  }

  calm() {
    if (!this.isAway) return;
    this.isAway = false;
    this.warn("");
    this.say(this.words.sent);
  }

  counted() {
    const count = (wanted) => [...this.judged.values()].filter((verdict) => verdict === wanted).length;
    return this.words.tally.replace("{kept}", count("kept")).replace("{rejected}", count("rejected")) + ".";
  }

  // ---- keys and fingers

  key(event) {
    const [at] = event.composedPath();
    const held = event.ctrlKey || event.metaKey;
    if (event.key === "Escape") {
      if (!this.closeReasons() && !this.closeHelp()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (!(at instanceof Element) || isWritten(at) || event.altKey || (held && event.key.toLowerCase() !== "z")) return;
    if ((event.key === " " || event.key === "Enter") && isPressed(at)) return;
    if (/^Arrow/.test(event.key) && isMoved(at)) return;
    if (!this.help.hidden && event.key !== "?") return; // the list lies over the picture: nothing is decided behind it
    const act = this.actOf(event);
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Streamlit has keys of its own
    if (!event.repeat || /^(Arrow|,|\.)/.test(event.key)) act();
  }

  actOf({ key, shiftKey }) {
    const { player } = this;
    const small = key.length === 1 ? key.toLowerCase() : key;
    const place = /^[1-9]$/.test(key) ? Number(key) - 1 : -1;
    if (place >= 0 && !this.reasons.hidden)
      return this.data.reasons[place] && (() => this.decide("rejected", this.data.reasons[place].code));
    if (place >= 0) return this.data.together && this.row[place] && (() => this.go(this.row[place]));
    if (small === "a" && shiftKey) return () => this.onlyThis();
    return {
      " ": () => player.toggle(),
      j: () => player.shuttle(-1),
      k: () => player.pause(),
      l: () => player.shuttle(1),
      ",": () => player.step(-1),
      ".": () => player.step(1),
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      a: () => this.decide("kept"),
      r: () => this.reject(),
      z: () => this.undo(),
      f: () => this.like(),
      d: () => this.download(),
      u: () => this.clip?.may && this.trigger("reuse", this.at),
      m: () => player.mute(!player.muted, Math.max(0, this.data.together ? this.row.indexOf(this.at) : 0)),
      "?": () => this.toggleHelp(),
    }[small];
  }

  reject() {
    if (!this.reasons.hidden) this.decide("rejected");
    else if (this.mayDecide()) {
      this.reasons.hidden = false;
      this.draw();
    }
  }

  closeReasons() {
    if (this.reasons.hidden) return false;
    if (this.reasons.contains(focused())) this.stage.focus({ preventScroll: true });
    this.reasons.hidden = true;
    return true;
  }

  toggleHelp() {
    if (this.closeHelp()) return;
    this.help.hidden = false;
    this.help.querySelector("button").focus();
  }

  closeHelp() {
    if (this.help.hidden) return false;
    this.help.hidden = true;
    this.stage.focus({ preventScroll: true });
    return true;
  }

  download() {
    if (!this.clip?.download) return;
    const link = document.createElement("a");
    link.href = this.clip.download;
    link.download = "";
    link.click();
  }

  swipe(stage) {
    let from = null;
    stage.addEventListener("pointerdown", (event) => (from = event.pointerType === "touch" ? event : null));
    stage.addEventListener("pointerup", (event) => {
      if (!from) return;
      const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
      from = null;
      if (Math.abs(x) < SWIPE_PX || Math.abs(x) < 1.5 * Math.abs(y)) return;
      this.swiped = performance.now();
      this.move(x < 0 ? 1 : -1);
    });
    stage.addEventListener("pointercancel", () => (from = null));
  }

  // ---- what is drawn

  build() {
    const { root } = this;
    const view = element("section", "view", root);
    this.stage = element("div", "stage", view);
    this.stage.tabIndex = -1;
    this.stage.setAttribute("role", "group");
    this.screen = element("div", "screen", this.stage);
    this.swipe(this.screen);
    this.bar = element("div", "bar", this.stage);
    this.previous = button("icon", this.bar, () => this.move(-1));
    this.toggle = button("icon", this.bar, () => this.player.toggle());
    this.next = button("icon", this.bar, () => this.move(1));
    this.slider = element("input", "seek", this.bar);
    Object.assign(this.slider, { type: "range", min: 0, step: 0.01, value: 0 });
    this.slider.addEventListener("input", () => (this.player.pause(), this.player.seek(Number(this.slider.value))));
    this.time = element("span", "time", this.bar);
    this.sound = button("icon", this.bar, this.press("m"));
    this.asks = button("icon ask", this.bar, () => this.toggleHelp());
    this.help = element("section", "help", view);
    this.help.hidden = true;
    this.buildHead(element("section", "head", root));
  }

  buildHead(head) {
    this.position = element("p", "position", head);
    this.title = element("p", "title", head);
    this.meta = element("p", "meta", head);
    const verdict = element("div", "verdict", head);
    verdict.setAttribute("role", "group");
    this.verdict = verdict;
    this.keep = button("keep", verdict, this.press("a"));
    this.rejects = button("reject", verdict, this.press("r"));
    this.heart = button("favourite", verdict, this.press("f"));
    this.reasons = element("div", "reasons", head);
    this.reasons.hidden = true;
    const line = element("div", "line", head);
    this.only = button("only", line, this.press("A"));
    this.said = element("p", "said", line);
    this.said.setAttribute("role", "status");
    this.takeBack = button("undo", line, this.press("z"));
    this.alarm = element("p", "alarm", head);
    this.alarm.setAttribute("role", "alert");
    this.alarm.hidden = true;
  }

  /** What a key does, by a press on its button; a press by hand leaves the keys to the stage. */
  press(key) {
    return (event) => {
      this.actOf({ key, shiftKey: key === "A" })?.();
      if (event.detail > 0 && this.reasons.hidden) this.stage.focus({ preventScroll: true });
    };
  }

  drawClips(clips) {
    this.screen.classList.toggle("several", clips.length > 1);
    this.screen.style.setProperty("--columns", clips.length > 2 ? 2 : clips.length || 1);
    const tiles = clips.map((clip, place) => {
      const tile = element("div", "tile");
      tile.dataset.id = clip.id;
      const video = clip.source ? this.player.pool.get(clip.id) : null;
      if (video) {
        const name = clips.length > 1 ? this.words.clip.replace("{number}", place + 1) + ": " : "";
        video.setAttribute("aria-label", name + clip.title.slice(0, 120));
        video.onclick = () => {
          if (performance.now() - (this.swiped ?? 0) < 400) return;
          if (clips.length > 1 && this.at !== clip.id) this.go(clip.id);
          else this.player.toggle();
        };
        tile.append(video);
      } else element("p", "note", tile, clip.note);
      if (clips.length > 1) this.drawTile(tile, clip, place);
      return tile;
    });
    this.screen.replaceChildren(...tiles);
    if (this.player.playing) this.player.play();
  }

  drawTile(tile, clip, place) {
    const pick = button("pick", tile, () => this.go(clip.id));
    element("span", "number", pick, String(place + 1));
    element("span", "state", pick);
    const list = element("dl", "facts", tile);
    for (const { label: term, values } of this.data.facts) {
      const fact = element("div", "fact differs", list);
      element("dt", "", fact, term);
      element("dd", "", fact, values[place]);
    }
  }

  drawTiles() {
    for (const tile of this.screen.children) {
      const pick = tile.querySelector(".pick");
      if (!pick) continue;
      const { verdict, favourite } = this.state(tile.dataset.id);
      tile.classList.toggle("picked", tile.dataset.id === this.at);
      tile.dataset.verdict = verdict;
      const number = this.row.indexOf(tile.dataset.id) + 1;
      const state = [this.words[verdict], favourite ? "♥" : ""].filter(Boolean).join(" ");
      pick.querySelector(".state").textContent = verdict === "undecided" && !favourite ? "" : state;
      pick.setAttribute("aria-pressed", String(tile.dataset.id === this.at));
      pick.setAttribute("aria-label", `${number} ${this.words.clip.replace("{number}", number)}, ${state}`);
    }
  }

  draw() {
    const { words, clip } = this;
    if (!clip) return;
    const { verdict, reason, favourite } = this.state(this.at);
    const may = Boolean(clip.may && clip.source);
    this.stage.setAttribute("aria-label", this.data.together ? words.several : words.stage);
    const place = this.row.indexOf(this.at) + 1;
    const counted = this.data.listing ? "" : `${place} / ${this.row.length}`;
    label(this.position, this.row.length > 1 ? counted : "");
    this.position.hidden = !this.position.textContent;
    label(this.title, clip.title);
    label(this.meta, clip.meta);
    this.verdict.setAttribute("aria-label", words.verdict);
    const why = this.data.reasons.find(({ code }) => code === reason)?.label;
    this.drawPress(this.keep, verdict === "kept" ? words.kept : words.keep, "A", verdict === "kept", may);
    const rejected = why ? `${words.rejected}: ${why}` : words.rejected;
    const isRejected = verdict === "rejected";
    this.drawPress(this.rejects, isRejected ? rejected : words.reject, "R", isRejected, may);
    this.drawPress(this.heart, words.favourite, "F", favourite, Boolean(clip.may));
    this.heart.dataset.on = String(Boolean(favourite));
    this.rejects.setAttribute("aria-expanded", String(!this.reasons.hidden));
    this.only.hidden = !this.data.together || !may;
    this.drawPress(this.only, words.onlyThis, "Shift+A", null, may);
    this.takeBack.hidden = !this.undos.length;
    this.drawPress(this.takeBack, this.isUndone ? words.undoMore : words.undo, "Z", null, true);
    this.previous.disabled = !this.beside(-1);
    this.next.disabled = !this.beside(1);
    this.drawIcon(this.previous, "previous", words.previous, "ArrowLeft");
    this.drawIcon(this.next, "next", words.next, "ArrowRight");
    this.drawIcon(this.asks, "help", words.help, "?");
    this.previous.hidden = this.next.hidden = this.row.length < 2 && !this.data.listing;
    this.drawReasons();
    this.drawHelp();
    this.drawTiles();
    this.drawTime();
    this.markPanel();
  }

  drawPress(made, text, key, pressed, may) {
    const shown = made.dataset.shown === text && made.childElementCount;
    if (!shown) {
      made.dataset.shown = text;
      made.replaceChildren(element("span", "name", null, text));
      const kbd = element("kbd", "", made, key);
      kbd.setAttribute("aria-hidden", "true");
      made.setAttribute("aria-keyshortcuts", key);
    }
    made.disabled = !may;
    if (pressed !== null) made.setAttribute("aria-pressed", String(Boolean(pressed)));
  }

  drawIcon(made, icon, name, key, said = key) {
    made.dataset.icon = icon;
    made.title = `${name} (${said})`;
    made.setAttribute("aria-label", name);
    made.setAttribute("aria-keyshortcuts", key);
  }

  drawReasons() {
    if (this.reasons.hidden || this.reasons.childElementCount) return;
    this.reasons.setAttribute("role", "group");
    this.reasons.setAttribute("aria-label", this.words.why);
    element("p", "why", this.reasons, this.words.why);
    this.data.reasons.forEach(({ code, label: text }, place) => {
      const made = button("reason", this.reasons, () => this.decide("rejected", code));
      element("kbd", "", made, String(place + 1)).setAttribute("aria-hidden", "true");
      element("span", "name", made, text);
    });
    const none = button("reason", this.reasons, () => this.decide("rejected"));
    element("kbd", "", none, "R").setAttribute("aria-hidden", "true");
    element("span", "name", none, this.words.noReason);
  }

  drawHelp() {
    if (this.help.childElementCount) return;
    this.help.setAttribute("aria-label", this.words.help);
    element("h2", "", this.help, this.words.help);
    const list = element("dl", "", this.help);
    for (const { key, label: text } of this.data.keys) {
      element("kbd", "", element("dt", "", list), key);
      element("dd", "", list, text);
    }
    label(button("close", this.help, () => this.closeHelp()), this.words.closeHelp);
  }

  drawTime(event) {
    const { player, words } = this;
    if (!words) return;
    const all = length(player.clock);
    this.bar.classList.toggle("empty", !player.shown.length);
    if (Number(this.slider.max) !== all) this.slider.max = all;
    if (focused() !== this.slider || player.playing) this.slider.value = player.seconds;
    this.slider.setAttribute("aria-label", words.position);
    const speed = player.speed === 1 ? "" : ` · ${player.speed < 0 ? "−" : ""}${Math.abs(player.speed)}×`;
    const frame = player.paused ? ` · ${words.frame.replace("{number}", player.frame() + 1)}` : "";
    label(this.time, `${clock(player.seconds)} / ${clock(all)}${speed}${frame}`);
    const [icon, name] = player.playing ? ["pause", words.pause] : ["play", words.play];
    this.drawIcon(this.toggle, icon, name, "Space", words.space);
    this.drawIcon(this.sound, player.muted ? "muted" : "sound", player.muted ? words.soundOn : words.soundOff, "M");
    this.sound.setAttribute("aria-pressed", String(!player.muted));
    if (event === "error") this.failed();
  }

  /** A link ends after a while: the page is asked for a newer one, once for each; if that does not help, it is away. */
  failed() {
    const broken = this.player.shown.find(({ error }) => error)?.currentSrc;
    if (broken && this.renewed !== broken) {
      this.renewed = broken;
      this.look();
    } else this.say(this.words.away);
  }

  /** What is beside it belongs to another clip until the page has caught up; it may not be pressed until then. */
  markPanel() {
    const panel = document.querySelector("[role=dialog] .st-key-clip_panel");
    if (!panel) return;
    const isBehind = this.data.at !== this.at;
    if (isBehind && panel.contains(document.activeElement)) this.stage.focus({ preventScroll: true });
    panel.inert = isBehind;
  }

  say(text = "") {
    label(this.said, text);
  }

  warn(text) {
    label(this.alarm, text);
    this.alarm.hidden = !text;
  }

  stop() {
    this.ending.abort();
    clearTimeout(this.looking);
    this.player.stop();
    this.giveBackFocus();
  }

  /** To the card that it was opened from, or what else opened it, as soon as the page is drawn again. */
  giveBackFocus() {
    const { opener } = this.data;
    const find = () =>
      (opener && document.querySelector(`.st-key-${CSS.escape(opener)} button`)) ||
      [this.openedAt, this.at].map((id) => everywhere(`li[data-id="${id}"] button, [data-clip="${id}"]`)).find(Boolean);
    let tries = 0;
    const give = () => {
      if (document.querySelector("[role=dialog]")) return;
      const found = find();
      const lost = !document.activeElement || document.activeElement === document.body;
      if (found && (lost || tries < 3) && focused() !== found) found.focus();
      tries += 1;
      if (tries < 12) setTimeout(give, 80);
    };
    setTimeout(give, 0);
  }
}

function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  const rest = (seconds - minutes * 60).toLocaleString(document.documentElement.lang || "en", digits);
  return `${minutes}:${rest.padStart(4, "0")}`;
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // it was closed before this code was here
  const root = parentElement.querySelector(".viewer");
  root.viewer ??= new Viewer(root);
  root.viewer.update(data, setTriggerValue);
  return () => {
    if (root.isConnected) return; // newer data overtook this call: the viewer goes on with them
    root.viewer?.stop();
    delete root.viewer;
  };
}
