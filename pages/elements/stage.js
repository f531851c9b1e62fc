// The stage: one take large, playing, muted and looping; the takes of its press as a strip; earlier presses beside it.
// Takes are kept by id, so that a card which shows progress becomes the clip in its place.
// Triggers: "open", "cancel", "final" with an id, "compare" with ids, "idea" with a text.

const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const FADE_MS = 400;
const GAP_PX = 12;

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " "); // the space keeps words of neighbours apart when they are read aloud
  return made;
}

function button(name, parent, act) {
  const made = element("button", name, parent);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function write(part, text) {
  if (part.textContent !== (text ?? "")) part.textContent = text ?? "";
  part.hidden = !text;
}

/** Where a file is, without the signature, which is another one from time to time. */
function place(link) {
  return link ? new URL(link, location.href).pathname : "";
}

const isLive = (take) => typeof take.progress === "number";
const isThere = (take) => Boolean(take.source);

/** Poster and picture in small, with its number, model and progress. */
class Card {
  constructor(parent, act) {
    this.item = element("li", "take", parent);
    this.button = button("card", this.item, act);
    const media = element("span", "media", this.button);
    this.image = element("img", "poster", media);
    this.image.alt = "";
    this.image.decoding = "async";
    this.state = element("span", "state", media);
    this.bar = element("span", "bar", media);
    this.fill = element("span", "fill", this.bar);
    this.number = element("span", "number", this.button);
    this.model = element("span", "model", this.button);
  }

  draw(take, isShown) {
    if (take.poster && place(take.poster) !== place(this.image.getAttribute("src"))) this.image.src = take.poster;
    this.image.hidden = !take.poster;
    this.bar.hidden = !isLive(take);
    if (isLive(take)) this.fill.style.width = Math.round(take.progress * 100) + "%";
    write(this.state, isThere(take) ? take.verdict : take.badge || take.note);
    write(this.number, take.number);
    write(this.model, take.model);
    this.item.dataset.status = take.status;
    this.button.setAttribute("aria-label", [take.label, take.badge, take.note, take.verdict].filter(Boolean).join(", "));
    this.button.setAttribute("aria-current", String(isShown));
  }
}

class Stage {
  constructor(root) {
    this.root = root;
    this.main = element("div", "main", root);
    this.screen = element("div", "screen", this.main);
    this.under = element("div", "under", this.main);
    const words = element("div", "words", this.under);
    this.title = element("p", "title", words);
    const facts = element("p", "facts", words);
    this.maker = element("span", "maker", facts);
    this.avatar = element("span", "avatar", this.maker);
    this.by = element("span", "by", this.maker);
    this.meta = element("span", "meta", facts);
    this.noticed = element("p", "noticed", words);
    const actions = element("div", "actions", this.under);
    this.open = button("quiet", actions, () => this.tell("open", this.take.id));
    this.final = button("quiet", actions, () => this.tell("final", this.take.id));
    this.compare = button("quiet", actions, () => this.tell("compare", this.finished().map((take) => take.id)));
    this.strip = element("ul", "takes", this.main);
    this.strip.addEventListener("keydown", (event) => this.step(event));
    this.side = element("nav", "side", root);
    this.heading = element("p", "heading", this.side);
    this.list = element("ul", "earlier", this.side);
    this.cards = new Map();
    this.ending = new AbortController();
    const { signal } = this.ending;
    window.addEventListener("video-live", ({ detail }) => this.hear(detail.items), { signal });
    window.addEventListener("video-live-shown", ({ detail: ids }) => this.all().filter(isLive).forEach((take) => ids.add(take.id)), { signal });
    window.addEventListener("resize", () => this.fit(), { signal });
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(document.documentElement);
  }

  all() {
    return this.data.presses.flatMap((press) => press.takes);
  }

  finished() {
    return this.press.takes.filter(isThere);
  }

  /** New data of a rerun: a new press takes the stage, else what its person looks at stays. */
  update(data, tell) {
    this.data = data;
    this.tell = tell;
    if (this.lead !== data.lead) {
      this.lead = this.chosen = data.lead;
      this.picked = null;
    }
    this.draw();
    this.fit();
  }

  /** What moves, between two reruns. */
  hear(items) {
    const told = new Map(items.map((item) => [item.id, item]));
    let met = false;
    for (const take of this.all()) {
      const news = told.get(take.id);
      if (!news || !isLive(take)) continue;
      Object.assign(take, news);
      met = true;
    }
    if (met) this.draw();
  }

  draw() {
    const { presses, words } = this.data;
    this.press = presses.find((press) => press.id === this.chosen) ?? presses[0];
    this.root.classList.toggle("empty", !this.press);
    this.root.setAttribute("aria-label", words.stage);
    if (!this.press) return this.drawEmpty();
    this.blank?.remove();
    this.blank = null;
    this.take = this.press.takes.find((take) => take.id === this.picked) ?? this.best(this.press.takes);
    this.drawScreen();
    this.drawUnder();
    this.drawStrip();
    this.drawSide();
  }

  /** The take that came last, else the first that is under way. */
  best(takes) {
    const there = takes.filter(isThere).sort((one, other) => (one.ended < other.ended ? 1 : -1));
    return there[0] ?? takes.find(isLive) ?? takes[0];
  }

  drawEmpty() {
    const { words, ideas } = this.data;
    this.blank?.remove();
    this.blank = element("div", "blank", this.main);
    element("p", "lead", this.blank).textContent = words.empty;
    if (words.hint) element("p", "hint", this.blank).textContent = words.hint;
    if (!ideas.length) return;
    element("p", "hint", this.blank).textContent = words.ideas;
    const list = element("div", "ideas", this.blank);
    for (const idea of ideas) button("quiet", list, () => this.tell("idea", idea)).textContent = idea;
  }

  /** The take in large; what it was fades into what it is. */
  drawScreen() {
    const { take } = this;
    const shown = `${take.id} ${isThere(take) ? place(take.source) : "making"}`;
    if (this.shown !== shown) {
      this.shown = shown;
      const before = [...this.screen.children];
      this.layer = element("div", "layer", this.screen);
      if (isThere(take)) this.play(take);
      else this.make(take);
      const after = this.layer;
      if (CALM.matches || !before.length) {
        after.classList.add("on");
        before.forEach((layer) => layer.remove());
      } else {
        requestAnimationFrame(() => requestAnimationFrame(() => after.classList.add("on")));
        setTimeout(() => before.forEach((layer) => layer.remove()), FADE_MS);
      }
    }
    const video = this.layer.querySelector("video");
    if (video?.error && isThere(take) && video.getAttribute("src") !== take.source) this.renew(video, take);
    if (!isThere(take)) this.move(take);
  }

  /** The link that it played by has ended, and there is a newer one. */
  renew(video, take) {
    const at = video.currentTime;
    video.src = take.source;
    video.addEventListener("loadedmetadata", () => (video.currentTime = at), { once: true });
    if (!CALM.matches) video.play().catch(() => {}); // it stays as it is, with its controls
  }

  play(take) {
    this.pictured = { poster: take.poster, title: this.press.title };
    if (take.poster) {
      const image = element("img", "poster", this.layer);
      image.alt = "";
      image.src = take.poster;
    }
    const video = element("video", "clip", this.layer);
    video.muted = true;
    video.loop = true;
    video.playsInline = true;
    video.controls = true;
    video.preload = CALM.matches ? "metadata" : "auto";
    video.setAttribute("aria-label", take.label);
    if (take.poster) video.poster = take.poster;
    video.src = take.source;
    video.addEventListener("playing", () => video.classList.add("on"));
    video.addEventListener("error", () => video.classList.add("on"));
    if (CALM.matches) video.classList.add("on");
    else video.play().catch(() => video.classList.add("on"));
  }

  /** The picture that was shown last, else the newest there is: it stays, dimmed, until there is one of the new clip. */
  previous() {
    if (this.pictured?.poster) return this.pictured;
    const seen = (press) => ({ poster: press.takes.find((take) => take.poster)?.poster, title: press.title });
    return this.data.presses.map(seen).find(({ poster }) => poster);
  }

  make(take) {
    const before = this.previous();
    if (before) {
      const image = element("img", "poster before", this.layer);
      image.alt = "";
      image.src = before.poster;
      element("p", "label", this.layer).textContent = this.data.words.before.replace("{title}", before.title);
    } else {
      const frame = element("div", "frame", this.layer);
      frame.style.setProperty("--shape", take.shape.join(" / "));
      frame.classList.toggle("tall", take.shape[0] < take.shape[1]);
    }
    const box = element("div", "making", this.layer);
    const bar = element("div", "bar", box);
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", "100");
    element("div", "fill", bar);
    element("p", "where", box);
    const more = element("details", "more", box);
    element("summary", "quiet", more);
    const inside = element("div", "inside", more);
    element("p", "cost", inside);
    button("quiet confirm", inside, () => this.tell("cancel", take.id)).textContent = this.data.words.confirm;
  }

  move(take) {
    const part = (name) => this.layer.querySelector("." + name);
    const { words } = this.data;
    const bar = part("bar");
    bar.hidden = !isLive(take);
    if (isLive(take)) {
      const percent = Math.round(take.progress * 100);
      part("fill").style.width = percent + "%";
      bar.setAttribute("aria-valuenow", percent);
      bar.setAttribute("aria-valuetext", take.where);
      bar.setAttribute("aria-label", `${words.progress}: ${this.press.title}`);
    }
    write(part("where"), isLive(take) ? take.where : take.note);
    part("more").hidden = !take.cancel || !words.cancel;
    if (!take.cancel) return;
    part("confirm").hidden = !take.cancel.can;
    write(part("more").querySelector("summary"), take.cancel.can ? words.cancel : words.fixed);
    write(part("cost"), take.cancel.text);
  }

  drawUnder() {
    const { words } = this.data;
    const { maker, place: where } = this.press;
    write(this.title, this.press.title);
    this.maker.hidden = !maker;
    write(this.avatar, maker?.initials);
    this.avatar.style.background = maker?.colour ?? "";
    write(this.by, maker?.name);
    write(this.meta, [where, this.take.meta].filter(Boolean).join(" · "));
    write(this.noticed, isThere(this.take) ? this.take.noticed : "");
    this.noticed.title = this.take.noticed ?? "";
    write(this.open, words.open);
    write(this.final, isThere(this.take) ? words.final : "");
    write(this.compare, this.finished().length > 1 ? words.compare : "");
    this.open.setAttribute("aria-label", `${words.open}: ${this.take.label}`);
  }

  drawStrip() {
    const takes = this.press.takes.length > 1 ? this.press.takes : [];
    this.strip.hidden = !takes.length;
    this.strip.setAttribute("aria-label", this.data.words.takes);
    for (const [id, card] of this.cards) {
      if (takes.some((take) => take.id === id)) continue;
      card.item.remove();
      this.cards.delete(id);
    }
    takes.forEach((take, number) => {
      if (!this.cards.has(take.id)) this.cards.set(take.id, new Card(this.strip, () => this.pick(take.id)));
      const card = this.cards.get(take.id);
      if (this.strip.children[number] !== card.item) this.strip.insertBefore(card.item, this.strip.children[number]);
      card.draw(take, take.id === this.take.id);
      card.button.tabIndex = take.id === this.take.id ? 0 : -1;
    });
  }

  pick(id) {
    this.picked = id;
    this.draw();
  }

  /** Arrow keys go along the strip, and what they come to is shown. */
  step(event) {
    const { takes } = this.press;
    const at = takes.indexOf(this.take);
    const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: takes.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (!takes[to]) return;
    this.pick(takes[to].id);
    this.cards.get(takes[to].id).button.focus();
  }

  drawSide() {
    const { presses, words } = this.data;
    this.side.hidden = presses.length < 2;
    this.side.setAttribute("aria-label", words.earlier);
    write(this.heading, words.earlier);
    const known = new Map([...this.list.children].map((item) => [item.dataset.id, item]));
    presses.forEach((press, number) => {
      const item = known.get(press.id) ?? this.entry(press.id);
      known.delete(press.id);
      if (this.list.children[number] !== item) this.list.insertBefore(item, this.list.children[number]);
      const part = (name) => item.querySelector("." + name);
      const seen = press.takes.find((take) => take.poster);
      part("poster").hidden = !seen;
      if (seen && place(seen.poster) !== place(part("poster").getAttribute("src"))) part("poster").src = seen.poster;
      const live = press.takes.filter(isLive);
      part("bar").hidden = !live.length;
      if (live.length) {
        const done = press.takes.reduce((sum, take) => sum + (take.progress ?? 1), 0) / press.takes.length;
        part("fill").style.width = Math.round(done * 100) + "%";
      }
      write(part("name"), press.name);
      part("name").title = press.title;
      write(part("about"), [press.maker?.name, press.meta].filter(Boolean).join(" · "));
      item.firstChild.setAttribute("aria-current", String(press === this.press));
    });
    for (const item of known.values()) item.remove();
  }

  entry(id) {
    const item = element("li", "entry", this.list);
    item.dataset.id = id;
    const open = button("press", item, () => {
      this.chosen = id;
      this.picked = null;
      this.draw();
    });
    const media = element("span", "media", open);
    const image = element("img", "poster", media);
    image.alt = "";
    image.loading = "lazy";
    element("span", "fill", element("span", "bar", media));
    const text = element("span", "text", open);
    element("span", "name", text);
    element("span", "about", text);
    return item;
  }

  /** As high as there is room between the bar above and the dock at the foot, so that nothing has to be scrolled. */
  fit() {
    const dock = document.querySelector("[data-testid=stBottom]");
    if (dock && this.dock !== dock) {
      this.dock = dock;
      this.sizes.observe(dock);
    }
    const scrolls = document.querySelector("[data-testid=stMain]");
    const top = this.root.getBoundingClientRect().top + (scrolls?.scrollTop ?? 0);
    const foot = dock ? dock.offsetHeight + (parseFloat(getComputedStyle(dock).bottom) || 0) : 0;
    const room = Math.max(0, Math.floor(window.innerHeight - top - foot - GAP_PX));
    if (this.room === room) return;
    this.room = room;
    this.root.style.setProperty("--room", room + "px");
  }

  stop() {
    this.ending.abort();
    this.sizes.disconnect();
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const root = parentElement.querySelector(".stage");
  root.stage ??= new Stage(root);
  root.stage.update(data, setTriggerValue);
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call: the stage goes on with them
    root.stage?.stop();
    root.replaceChildren();
    delete root.stage;
  };
}
