// Settings of an order as chips. One trigger ("changed": {values, turn}): what was chosen since the page last answered.

const WRITTEN_IN = "input, textarea, select, [contenteditable=true]";
const FRAME_PX = 16;
let count = 0;

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " ");
  return made;
}

/** A little frame of a ratio, "16:9". */
function frame(ratio, parent) {
  const [wide, high] = ratio.split(":").map(Number);
  if (!(wide > 0 && high > 0)) return;
  const made = element("span", "frame", parent);
  const scale = FRAME_PX / Math.max(wide, high);
  made.style.width = `${Math.max(5, wide * scale)}px`;
  made.style.height = `${Math.max(5, high * scale)}px`;
}

class Settings {
  constructor(root) {
    this.root = root;
    this.turn = 0;
    this.pending = {};
    this.chips = new Map();
    this.help = element("div", "menu help", root);
    this.help.popover = "auto";
    this.ending = new AbortController();
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.ending.signal });
  }

  update(data, tell) {
    this.tell = tell;
    const [session, turn] = data.turn;
    if (session !== this.session || turn >= this.turn) this.pending = {}; // the page knows all that was chosen
    this.session = session;
    this.data = data;
    this.root.setAttribute("aria-label", data.words.settings);
    this.draw();
  }

  draw() {
    const fields = this.data.choices.map((choice) => choice.field);
    for (const [field, chip] of this.chips) {
      if (fields.includes(field)) continue;
      chip.box.remove();
      this.chips.delete(field);
    }
    this.data.choices.forEach((choice, place) => {
      let chip = this.chips.get(choice.field);
      if (chip && chip.kind !== choice.kind) {
        chip.box.remove();
        chip = null;
      }
      chip ??= this.make(choice);
      this.chips.set(choice.field, chip);
      if (this.root.children[place] !== chip.box) this.root.insertBefore(chip.box, this.root.children[place] ?? null);
      chip.draw(choice, this.pending[choice.field] ?? choice.chosen);
    });
    this.drawHelp();
  }

  make(choice) {
    const box = element("div", `box of-${choice.kind}`, this.root);
    const chip = { box, kind: choice.kind };
    if (choice.kind === "switch") return Object.assign(chip, this.makeSwitch(box));
    if (choice.kind === "steps") return Object.assign(chip, this.makeSteps(box));
    return Object.assign(chip, this.makeMenu(box));
  }

  makeSwitch(box) {
    const button = element("button", "chip", box);
    button.type = "button";
    button.setAttribute("role", "switch");
    const name = element("span", "name", button);
    const note = element("span", "note", button);
    return {
      draw: ({ field, label, options, note: price }, chosen) => {
        name.textContent = label;
        note.textContent = price;
        button.setAttribute("aria-checked", String(chosen));
        button.disabled = options.length < 2;
        button.onclick = () => this.choose(field, !chosen);
      },
    };
  }

  makeSteps(box) {
    box.setAttribute("role", "radiogroup");
    box.addEventListener("keydown", (event) => this.along(event, [...box.children]));
    return {
      draw: ({ field, label, options }, chosen) => {
        box.setAttribute("aria-label", label);
        while (box.children.length > options.length) box.lastElementChild.remove();
        options.forEach(({ value, said }, place) => {
          const button = box.children[place] ?? element("button", "step", box);
          button.type = "button";
          this.asRadio(button, value === chosen, () => this.choose(field, value));
          button.textContent = said;
          button.setAttribute("aria-label", `${label}: ${said}`);
        });
      },
    };
  }

  makeMenu(box) {
    const button = element("button", "chip menu-chip", box);
    button.type = "button";
    button.setAttribute("aria-haspopup", "true");
    const shown = element("span", "shown", button);
    const menu = element("div", "menu", box);
    menu.popover = "auto";
    menu.setAttribute("role", "radiogroup");
    menu.id = `setting-${++count}`;
    button.popoverTargetElement = menu;
    menu.addEventListener("toggle", ({ newState }) => {
      button.setAttribute("aria-expanded", String(newState === "open"));
      if (newState !== "open") return;
      this.place(menu, button);
      (menu.querySelector("[aria-checked=true]") ?? menu.firstElementChild)?.focus();
    });
    menu.addEventListener("keydown", (event) => this.along(event, [...menu.children], () => this.close(menu, button)));
    return {
      draw: ({ field, label, kind, options, chosen: _chosen }, chosen) => {
        const said = options.find(({ value }) => value === chosen)?.said ?? String(chosen);
        shown.replaceChildren();
        if (kind === "frames") frame(said, shown);
        shown.append(said);
        button.setAttribute("aria-label", `${label}: ${said}`);
        button.title = label;
        button.disabled = options.length < 2; // nothing to choose: it is said
        menu.setAttribute("aria-label", label);
        menu.classList.toggle("many", options.length > 6);
        while (menu.children.length > options.length) menu.lastElementChild.remove();
        options.forEach(({ value, said: words }, place) => {
          const option = menu.children[place] ?? element("button", "option", menu);
          option.type = "button";
          option.replaceChildren();
          if (kind === "frames") frame(words, option);
          option.append(words);
          this.asRadio(option, value === chosen, () => {
            this.close(menu, button);
            this.choose(field, value);
          });
        });
      },
    };
  }

  asRadio(button, isChosen, act) {
    button.setAttribute("role", "radio");
    button.setAttribute("aria-checked", String(isChosen));
    button.tabIndex = isChosen ? 0 : -1;
    button.onclick = act;
  }

  /** Arrow keys within a group move the focus; Enter and Space choose, as on every button. */
  along(event, parts, leave) {
    const at = parts.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: parts.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      parts[(to + parts.length) % parts.length].focus();
    } else if (event.key === "Tab") leave?.();
  }

  close(menu, button) {
    menu.hidePopover();
    button.focus();
  }

  place(menu, button) {
    const at = button.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - menu.offsetWidth - 8))}px`;
    const above = at.top > window.innerHeight - at.bottom;
    menu.style.maxHeight = `${Math.max(at.top, window.innerHeight - at.bottom) - 16}px`;
    menu.style.bottom = above ? `${window.innerHeight - at.top + 6}px` : "auto";
    menu.style.top = above ? "auto" : `${at.bottom + 6}px`;
  }

  choose(field, value) {
    this.pending[field] = value;
    this.turn += 1;
    this.draw();
    this.tell({ values: { ...this.pending }, turn: this.turn });
  }

  drawHelp() {
    const { words } = this.data;
    if (this.told === JSON.stringify(words)) return;
    this.told = JSON.stringify(words);
    this.opener?.remove();
    this.opener = element("button", "chip opener", this.root);
    this.opener.type = "button";
    this.opener.textContent = "?";
    this.opener.title = words.shortcuts;
    this.opener.setAttribute("aria-label", words.shortcuts);
    this.opener.popoverTargetElement = this.help;
    this.help.setAttribute("aria-label", words.shortcuts);
    this.help.setAttribute("role", "dialog");
    this.help.replaceChildren();
    element("p", "title", this.help).textContent = words.shortcuts;
    const list = element("dl", "keys", this.help);
    for (const [keys, does] of words.keys) {
      element("dt", "", list).textContent = keys;
      element("dd", "", list).textContent = does;
    }
    this.help.ontoggle = ({ newState }) => newState === "open" && this.place(this.help, this.opener);
  }

  /** Keys of the page, where nobody writes and no dialog is open. */
  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.composedPath()[0]?.closest?.(WRITTEN_IN) || document.querySelector("[role=dialog]")) return;
    if (event.key === "?") {
      event.preventDefault();
      this.help.togglePopover();
      return;
    }
    const steps = this.data.choices.find((choice) => choice.kind === "steps");
    const found = steps?.options.find(({ value }) => String(value) === event.key);
    if (found) this.choose(steps.field, found.value);
  }

  stop() {
    this.ending.abort();
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const root = parentElement.querySelector(".settings");
  root.settings ??= new Settings(root);
  root.settings.update(data, (changed) => setTriggerValue("changed", changed));
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call: the settings go on with them
    root.settings?.stop();
    root.replaceChildren();
    delete root.settings;
  };
}
