// A prompt as it is typed: told to the page after a pause, counted here, and never written over while somebody types.

const PAUSE_MS = 350;
const LONGEST_MS = 3000; // somebody who never pauses is heard, too
const AT = /(^|[^\p{L}\p{N}_])@([\p{L}\p{N}_-]{0,40})$/u;
const MAX_NAMES = 8;
const MOST_TOLD = 20; // so many of its earlier texts a tab knows again
/** By what an earlier text is known again. */
const sign = (text) => `${text.length} ${text.slice(-160)}`;
const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

class Prompt {
  constructor(root) {
    this.root = root;
    this.area = root.querySelector("textarea");
    this.count = root.querySelector(".count");
    this.list = root.querySelector(".names");
    this.list.popover = "manual"; // in the top layer: nothing around the field cuts it off
    this.list.hidden = false;
    this.area.setAttribute("aria-describedby", "count");
    this.area.setAttribute("aria-controls", "names");
    this.area.setAttribute("aria-autocomplete", "list");
    this.sent = null;
    this.told = []; // signs of what the page has heard from here, or shown here
    this.ending = new AbortController();
    const { signal } = this.ending;
    const on = (name, act, where = this.area) => where.addEventListener(name, act, { signal });
    on("input", () => this.typed());
    on("change", () => this.send());
    on("blur", () => this.left());
    on("keydown", (event) => this.key(event));
    on("click", () => this.suggest());
    on("paste", (event) => this.brought(event, event.clipboardData));
    on("drop", (event) => this.brought(event, event.dataTransfer));
    on("dragover", (event) => this.over(event));
    on("dragleave", () => root.classList.remove("over"));
    on("pagehide", () => this.send(), window);
  }

  /** New data of a rerun; what the page has changed takes the place of what stands here. */
  update(data, tell, order) {
    this.data = data;
    this.tell = tell;
    this.order = order;
    const { words } = data;
    this.root.querySelector("label").textContent = words.label;
    this.area.placeholder = words.placeholder;
    this.root.querySelector(".hint").textContent = words.hint.replace("{keys}", IS_MAC ? "⌘ Enter" : "Ctrl+Enter");
    this.list.setAttribute("aria-label", words.names);
    const isFirst = this.turn === undefined;
    const left = isFirst ? this.recall() : null;
    if (data.turn !== this.turn && data.text !== this.sent && data.text !== this.area.value) {
      clearTimeout(this.waiting);
      this.area.value = data.text;
      if (!isFirst && this.sent !== null) this.send(); // else a page that connects anew would tell the text before
    }
    this.turn = data.turn;
    this.hears(data.text);
    if (left) this.takeUp(left);
    if (this.area.value === data.text) this.remember(true);
    this.counted();
  }

  /** What this tab showed when it was left in the middle of a word: the page that is loaded anew has not heard of it. */
  takeUp(left) {
    const { text, kept, session } = this.data;
    if (left.told || kept === null || left.session === session || left.text === text) return;
    const isKnown = left.before.includes(sign(text)); // what is kept was written here, and before that
    if (!isKnown && left.at < this.keptAt(kept)) {
      this.tell({ text: left.text, number: this.number(), aside: true }); // another tab has written since
      return;
    }
    this.area.value = this.sent = left.text;
    this.hears(left.text);
    this.remember(false);
    this.tell({ text: left.text, number: this.number(), unseen: !isKnown });
  }

  /** When what the page has kept was written, by the clock of here: that of the server may go otherwise, but the page
   *  was read after this one began to load, and before now. */
  keptAt({ at, age }) {
    return Math.min(Math.max(at, performance.timeOrigin - age), Date.now() - age);
  }

  number() {
    return `${Date.now()} ${Math.random()}`;
  }

  /** The page knows of this text. */
  hears(text) {
    if (this.told.at(-1) !== sign(text)) this.told = [...this.told, sign(text)].slice(-MOST_TOLD);
  }

  get place() {
    return "video-prompt:" + this.data.tab;
  }

  remember(told) {
    const text = this.area.value.slice(0, this.data.most);
    const { session } = this.data;
    try {
      sessionStorage.setItem(this.place, JSON.stringify({ text, at: Date.now(), session, told, before: this.told }));
    } catch {
      // A browser without storage has what was told before.
    }
  }

  recall() {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.place));
      return typeof found?.text === "string" && Array.isArray(found.before) ? found : null;
    } catch {
      return null; // somebody else wrote there
    }
  }

  typed() {
    this.remember(false);
    this.counted();
    this.suggest();
    clearTimeout(this.waiting);
    this.since ??= performance.now();
    const left = LONGEST_MS - (performance.now() - this.since);
    this.waiting = setTimeout(() => this.send(), Math.max(0, Math.min(PAUSE_MS, left)));
  }

  counted() {
    const { limit, language, words } = this.data;
    const length = [...this.area.value.trim()].length; // as it is checked and sent to a provider
    const shown = (number) => number.toLocaleString(language);
    this.count.textContent = words.count.replace("{count}", shown(length)).replace("{limit}", shown(limit));
    const over = length > limit;
    this.count.classList.toggle("over", over);
    if (over === (this.area.getAttribute("aria-invalid") === "true")) return;
    this.area.setAttribute("aria-invalid", String(over));
    this.root.querySelector(".heard").textContent = over ? words.over.replace("{number}", shown(length - limit)) : "";
  }

  send() {
    clearTimeout(this.waiting);
    this.since = undefined;
    const text = this.area.value.slice(0, this.data.most);
    if (text === (this.sent ?? this.data.text)) return;
    this.sent = text;
    this.hears(text);
    this.tell({ text, number: this.number() });
  }

  left() {
    this.send();
    this.close();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (event.repeat) return;
      this.close();
      this.send();
      this.order(`${Date.now()}`);
      return;
    }
    if (!this.found?.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.mark((this.marked + step + this.found.length) % this.found.length);
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.found[this.marked]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Offer what can be named where an `@` is being written. */
  suggest() {
    const written = AT.exec(this.area.value.slice(0, this.area.selectionStart));
    const part = written?.[2].toLowerCase();
    this.found = written
      ? this.data.names.filter(({ name }) => name.toLowerCase().includes(part)).slice(0, MAX_NAMES)
      : [];
    if (!this.found.length) return this.close();
    this.list.replaceChildren(...this.found.map((each, place) => this.row(each, place)));
    this.list.showPopover();
    const field = this.area.getBoundingClientRect();
    const height = this.list.offsetHeight;
    const below = field.bottom + height + 8 < innerHeight;
    this.list.style.left = `${Math.min(field.left, innerWidth - this.list.offsetWidth - 12)}px`;
    this.list.style.top = `${below ? field.bottom + 4 : field.top - height - 4}px`;
    this.mark(0);
  }

  row({ name, note, picture }, place) {
    const row = document.createElement("li");
    row.id = `name-${place}`;
    row.setAttribute("role", "option");
    if (picture) {
      const image = document.createElement("img");
      image.alt = "";
      image.src = picture;
      row.append(image);
    }
    for (const [kind, text] of [["name", `@${name}`], ["note", note]]) {
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = text;
      row.append(span);
    }
    row.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      this.take(this.found[place]);
    });
    return row;
  }

  mark(place) {
    this.marked = place;
    [...this.list.children].forEach((row, number) => row.setAttribute("aria-selected", String(number === place)));
    this.list.children[place].scrollIntoView({ block: "nearest" });
    this.area.setAttribute("aria-activedescendant", `name-${place}`);
  }

  take({ name }) {
    const end = this.area.selectionStart;
    const begin = this.area.value.slice(0, end).lastIndexOf("@");
    this.area.setRangeText(`@${name} `, begin, end, "end");
    this.close();
    this.typed();
  }

  close() {
    this.found = [];
    this.area.removeAttribute("aria-activedescendant");
    if (this.list.matches(":popover-open")) this.list.hidePopover();
  }

  over(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    this.root.classList.add("over");
  }

  /** Images that are pasted or dropped here belong to the order; a text beside them is what was meant. */
  brought(event, data) {
    this.root.classList.remove("over");
    const images = [...data.files].filter((file) => file.type.startsWith("image/"));
    if (!images.length || data.types.includes("text/plain")) return;
    const offer = new CustomEvent("studio-images", { detail: images, cancelable: true });
    if (!window.dispatchEvent(offer)) event.preventDefault(); // somebody took them
    else if (event.type === "drop") event.preventDefault(); // else the browser would open the file in this page's place
  }

  stop() {
    this.ending.abort();
    clearTimeout(this.waiting);
  }
}

export default function ({ data: [data], parentElement, setStateValue, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const root = parentElement.querySelector(".field");
  root.prompt ??= new Prompt(root);
  root.prompt.update(
    data,
    (written) => setStateValue("written", written),
    (order) => setTriggerValue("order", order),
  );
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call
    root.prompt?.stop();
    delete root.prompt;
  };
}
