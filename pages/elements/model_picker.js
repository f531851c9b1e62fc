// The model as a chip; pressed, it opens a list that is searched, sorted and narrowed here. One trigger ("pick").
// A combobox: the focus stays in the search, arrow keys go along the list, Enter picks, Escape closes.

const SORTS = ["recent", "price", "time", "success", "kept"];
const DOWN = new Set(["success", "kept"]); // more is better
let number = 0;

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " ");
  return made;
}

class Picker {
  constructor(root) {
    this.id = `models-${++number}`;
    this.wanted = new Set();
    this.sort = "recent";
    this.chip = element("button", "chip", root);
    this.chip.type = "button";
    this.chip.setAttribute("aria-haspopup", "dialog");
    this.name = element("span", "name", this.chip);
    this.mark = element("span", "mark", this.chip);
    this.panel = element("div", "panel", root);
    this.panel.id = this.id;
    this.panel.popover = "auto"; // in the top layer; Escape and a click beside it close it
    this.panel.setAttribute("role", "dialog");
    this.chip.popoverTargetElement = this.panel;
    this.search = element("input", "search", this.panel);
    Object.assign(this.search, { type: "text", autocomplete: "off", spellcheck: false });
    this.search.setAttribute("role", "combobox");
    this.search.setAttribute("aria-expanded", "true");
    this.search.setAttribute("aria-autocomplete", "list");
    this.search.setAttribute("aria-controls", `${this.id}-list`);
    this.chips = element("div", "abilities", this.panel);
    this.chips.setAttribute("role", "group");
    this.sorts = element("div", "sorts", this.panel);
    this.sorts.setAttribute("role", "group");
    this.list = element("ul", "list", this.panel);
    this.list.id = `${this.id}-list`;
    this.list.setAttribute("role", "listbox");
    this.list.tabIndex = -1;
    this.empty = element("p", "none", this.panel);
    this.empty.setAttribute("role", "status");
    this.about = element("p", "about", this.panel);
    this.search.addEventListener("input", () => this.draw());
    this.panel.addEventListener("keydown", (event) => this.key(event));
    this.panel.addEventListener("toggle", (event) => this.toggled(event.newState === "open"));
    this.list.addEventListener("click", (event) => this.choose(event.target.closest(".row")?.dataset.id));
    this.list.addEventListener("pointermove", (event) => this.point(event.target.closest(".row")));
  }

  update(data, pick) {
    this.data = data;
    this.pick = pick;
    const { words } = data;
    if (this.picked === data.chosen) this.picked = null;
    const chosen = data.models.find((model) => model.id === (this.picked ?? data.chosen));
    this.name.textContent = chosen?.name ?? "";
    this.mark.textContent = chosen?.state ?? "";
    this.mark.hidden = !chosen?.state;
    this.chip.setAttribute("aria-label", [words.model, chosen?.name, chosen?.state].filter(Boolean).join(": "));
    this.panel.setAttribute("aria-label", words.model);
    this.search.setAttribute("aria-label", words.search);
    this.search.placeholder = words.search;
    this.list.setAttribute("aria-label", words.list);
    this.toggles();
    if (this.panel.matches(":popover-open")) this.draw();
  }

  /** Sorting and abilities as buttons; made once a language. */
  toggles() {
    const { words, abilities } = this.data;
    const made = JSON.stringify([words, abilities]);
    if (this.made === made) return;
    this.made = made;
    this.sorts.replaceChildren();
    this.chips.replaceChildren();
    this.sorts.setAttribute("aria-label", words.sort);
    this.chips.setAttribute("aria-label", words.wanted);
    for (const sort of SORTS) {
      const head = element("button", `sort ${sort}`, this.sorts);
      head.type = "button";
      head.value = sort;
      head.textContent = words[sort];
      head.setAttribute("aria-pressed", String(sort === this.sort));
      head.addEventListener("click", () => {
        this.sort = sort;
        for (const other of this.sorts.children) other.setAttribute("aria-pressed", String(other === head));
        this.draw();
      });
    }
    for (const [ability, name] of Object.entries(abilities)) {
      const chip = element("button", "ability", this.chips);
      chip.type = "button";
      chip.textContent = name;
      chip.setAttribute("aria-pressed", "false");
      chip.addEventListener("click", () => {
        if (!this.wanted.delete(ability)) this.wanted.add(ability);
        chip.setAttribute("aria-pressed", String(this.wanted.has(ability)));
        this.draw();
      });
    }
  }

  toggled(isOpen) {
    this.chip.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    this.search.value = "";
    this.marked = this.data.chosen;
    this.draw();
    this.place();
    this.search.focus();
    this.row(this.marked)?.scrollIntoView({ block: "nearest" });
  }

  /** Above the chip where there is room, within the window. */
  place() {
    const at = this.chip.getBoundingClientRect();
    const above = at.top - 12;
    const below = window.innerHeight - at.bottom - 12;
    const { style } = this.panel;
    style.maxHeight = `${Math.min(640, Math.max(above, below))}px`;
    style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - this.panel.offsetWidth - 8))}px`;
    style.top = above > below ? "auto" : `${at.bottom + 6}px`;
    style.bottom = above > below ? `${window.innerHeight - at.top + 6}px` : "auto";
  }

  draw() {
    const text = this.search.value.trim().toLowerCase();
    const fits = (model) =>
      `${model.name} ${model.provider}`.toLowerCase().includes(text) &&
      [...this.wanted].every((ability) => model.can.includes(ability));
    this.shown = this.data.models.filter(fits).sort((one, other) => this.order(one, other));
    if (!this.shown.some((model) => model.id === this.marked)) this.marked = this.shown[0]?.id;
    const rows = this.shown.map((model) => this.make(model));
    const locked = this.shown.findIndex((model) => !model.usable);
    if (locked >= 0) {
      const head = document.createElement("li");
      head.className = "locked";
      head.setAttribute("aria-hidden", "true"); // each row says it
      head.textContent = this.data.words.locked;
      rows.splice(locked, 0, head);
    }
    this.list.replaceChildren(...rows);
    this.empty.textContent = rows.length ? "" : this.data.words.none;
    this.show();
  }

  /** What can be ordered first; then by the figure, those without one last, and as they are offered between equals. */
  order(one, other) {
    if (one.usable !== other.usable) return one.usable ? -1 : 1;
    const [first, second] = [one.by[this.sort], other.by[this.sort]];
    if (first === second) return 0;
    if (first === null || second === null) return first === null ? 1 : -1;
    return DOWN.has(this.sort) ? second - first : first - second;
  }

  make(model) {
    const row = document.createElement("li");
    row.className = model.usable ? "row" : "row off";
    row.id = `${this.id}-${model.id}`;
    row.dataset.id = model.id;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(model.id === this.data.chosen));
    const who = element("span", "who", row);
    element("span", "name", who).textContent = model.name;
    if (model.state) element("span", "state", who).textContent = model.state;
    element("span", "provider", who).textContent = `${model.provider} · ${model.makes}`;
    const { words } = this.data;
    for (const fact of ["price", "time", "success", "kept"]) {
      const cell = element("span", `cell ${fact}${model[fact] ? "" : " blank"}`, row);
      if (fact !== "price" && model[fact]) element("span", "what", cell).textContent = words[fact];
      element("span", "value", cell).textContent = model[fact] || (model.usable ? "–" : "");
    }
    return row;
  }

  row(id) {
    return [...this.list.children].find((row) => row.dataset.id === id);
  }

  /** Show which one Enter would pick, and more on it. */
  show() {
    for (const row of this.list.children) row.classList.toggle("marked", row.dataset.id === this.marked);
    const row = this.row(this.marked);
    if (row) this.search.setAttribute("aria-activedescendant", row.id);
    else this.search.removeAttribute("aria-activedescendant");
    const model = this.shown.find((each) => each.id === this.marked);
    this.about.textContent = model ? [model.about, model.rate, model.record, model.features.join(", ")].filter(Boolean).join(" · ") : "";
  }

  point(row) {
    if (!row || row.dataset.id === this.marked) return;
    this.marked = row.dataset.id;
    this.show();
  }

  key(event) {
    const at = this.shown.findIndex((model) => model.id === this.marked);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 6, PageUp: at - 6 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.marked = this.shown[Math.max(0, Math.min(this.shown.length - 1, to))]?.id;
      this.show();
      this.row(this.marked)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && event.target === this.search) {
      event.preventDefault();
      this.choose(this.marked);
    }
    event.stopPropagation(); // keys of the page mean nothing here
  }

  choose(id) {
    if (!id) return;
    this.panel.hidePopover();
    this.chip.focus();
    if (id === this.data.chosen) return;
    this.picked = id; // said at once; the page's answer confirms it
    this.update(this.data, this.pick);
    this.pick(id);
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const root = parentElement.querySelector(".picker");
  root.picker ??= new Picker(root);
  root.picker.update(data, (id) => setTriggerValue("pick", id));
}
