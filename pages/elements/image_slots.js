// Places for images: what is chosen, dropped or pasted is sent from here; the page is told when it has arrived.

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent?.append(made);
  return made;
}

function button(name, text, act) {
  const made = element("button", name);
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
const imagesIn = (data) => [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));

class Slots extends Uploader {
  constructor(root, parent) {
    super();
    this.root = root;
    this.problem = parent.querySelector(".problem");
    this.heard = parent.querySelector(".heard");
    this.sending = {};
    const { signal } = this.ending;
    const on = (name, act) => window.addEventListener(name, act, { signal });
    on("studio-images", (event) => this.offered(event));
    on("paste", (event) => this.pasted(event));
    on("dragover", (event) => hasFiles(event) && this.dragging(event));
    on("dragleave", (event) => event.relatedTarget === null && root.classList.remove("dragging"));
    on("drop", (event) => hasFiles(event) && this.dropped(event));
  }

  update(data, act) {
    this.data = data;
    this.act = act;
    this.arrived?.();
    this.draw();
  }

  draw() {
    const known = JSON.stringify([this.data.slots, this.data.words, this.sending]);
    if (this.known === known) return;
    this.known = known;
    const focused = this.root.getRootNode().activeElement?.dataset?.name;
    this.root.replaceChildren(...this.data.slots.map((slot) => this.slot(slot)));
    if (focused) this.root.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }

  slot(slot) {
    const place = element("section", "slot");
    place.dataset.field = slot.field;
    place.setAttribute("aria-label", slot.label);
    const list = element("ul", "", place);
    slot.held.forEach((held, number) => list.append(this.held(slot, held, number)));
    for (let number = 0; number < (this.sending[slot.field] ?? 0); number += 1) {
      element("span", "sending", element("li", "", list)).textContent = this.data.words.sending;
    }
    if (this.free(slot) > 0) list.append(this.empty(slot));
    if (!list.childElementCount) list.remove();
    place.addEventListener("dragover", (event) => hasFiles(event) && place.classList.add("over"));
    place.addEventListener("dragleave", () => place.classList.remove("over"));
    place.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      this.rest();
      this.bring(slot, [...event.dataTransfer.files], true);
    });
    return place;
  }

  /** A button and what it opens, above it where there is no room below; in the top layer, so that nothing cuts it off. */
  opens(item, button, fill) {
    const panel = element("div", "panel", item);
    panel.popover = "auto";
    button.popoverTargetElement = panel;
    item.prepend(button);
    panel.addEventListener("beforetoggle", (event) => event.newState === "open" && fill(panel));
    panel.addEventListener("toggle", (event) => {
      if (event.newState !== "open") return;
      const from = button.getBoundingClientRect();
      const below = from.bottom + panel.offsetHeight + 8 < innerHeight;
      panel.style.left = `${Math.max(12, Math.min(from.left, innerWidth - panel.offsetWidth - 12))}px`;
      panel.style.top = `${below ? from.bottom + 4 : Math.max(12, from.top - panel.offsetHeight - 4)}px`;
    });
    return item;
  }

  held(slot, held, number) {
    const { words } = this.data;
    const item = element("li", "");
    const tile = button("tile", "", () => {});
    tile.dataset.name = `${slot.field} ${number}`;
    const small = element("img", "", tile);
    small.alt = "";
    small.src = held.picture;
    const role = slot.roles.find(({ id }) => id === held.role);
    tile.append(role ? role.name : slot.short);
    tile.setAttribute("aria-label", `${slot.label}: ${held.title}`);
    tile.title = held.title;
    return this.opens(item, tile, (panel) => {
      const image = document.createElement("img");
      image.alt = held.title;
      image.src = held.picture;
      panel.replaceChildren(image);
      element("p", "title", panel).textContent = held.title;
      for (const note of held.notes) element("p", "note", panel).textContent = note;
      if (slot.roles.length) panel.append(this.role(slot, held, number));
      panel.append(button("do", words.remove, () => this.act("removed", { slot: slot.field, place: number })));
    });
  }

  role(slot, held, number) {
    const line = element("label", "role");
    line.textContent = this.data.words.role;
    const choice = element("select", "", line);
    for (const { id, name } of slot.roles) {
      const option = document.createElement("option");
      option.value = id;
      option.textContent = name;
      choice.append(option);
    }
    choice.value = held.role;
    choice.addEventListener("change", () => this.act("role", { slot: slot.field, place: number, role: choice.value }));
    return line;
  }

  empty(slot) {
    const { words } = this.data;
    const item = element("li", "");
    const file = element("input", "", item);
    file.type = "file";
    file.accept = this.data.types;
    file.multiple = slot.most > 1;
    file.hidden = true;
    file.addEventListener("change", () => this.bring(slot, [...file.files]));
    const add = button("empty", `+ ${slot.short}`, () => {});
    add.dataset.name = `${slot.field} empty`;
    add.setAttribute("aria-label", `${slot.label}: ${words.add}`);
    return this.opens(item, add, (panel) => {
      element("p", "hint", panel).textContent = words.hint;
      const act = (text, pressed) =>
        panel.append(
          button("do", text, () => {
            panel.hidePopover();
            pressed();
          }),
        );
      panel.replaceChildren(panel.lastElementChild);
      act(words.choose, () => file.click());
      act(words.earlier, () => this.act("browse", { slot: slot.field }));
    });
  }

  free(slot) {
    return slot.most - slot.held.length - (this.sending[slot.field] ?? 0);
  }

  /** Files that something on this page has for whoever has a place. */
  offered(event) {
    if (event.defaultPrevented) return; // somebody else's
    let files = event.detail;
    for (const slot of this.data.slots) {
      const room = this.free(slot);
      if (room > 0 && files.length) {
        event.preventDefault();
        this.bring(slot, files.slice(0, room));
        files = files.slice(room);
      }
    }
    if (files.length) this.problem.textContent = this.data.words.full;
  }

  pasted(event) {
    const images = imagesIn(event.clipboardData);
    const writes = event.composedPath()[0]?.matches?.("input, textarea, [contenteditable]");
    if (images.length && !writes && !event.defaultPrevented) this.pass(event, images);
  }

  dropped(event) {
    this.rest();
    if (event.defaultPrevented) return;
    this.pass(event, imagesIn(event.dataTransfer));
    event.preventDefault(); // else the browser would show the file in this page's place
  }

  pass(event, images) {
    if (!images.length) return;
    event.preventDefault();
    window.dispatchEvent(new CustomEvent("studio-images", { detail: images, cancelable: true }));
  }

  dragging(event) {
    event.preventDefault();
    this.root.classList.add("dragging");
  }

  rest() {
    this.root.classList.remove("dragging");
    for (const place of this.root.querySelectorAll(".over")) place.classList.remove("over");
  }

  /** Send files to a place; with `replaces`, the one that a place for a single image holds gives way. */
  async bring(slot, files, replaces = false) {
    const room = this.free(slot) || (replaces && slot.most === 1 && slot.held.length === 1 ? 1 : 0);
    const { words } = this.data;
    this.problem.textContent = files.length > room ? words.full : "";
    const mine = files.slice(0, room);
    this.busy(slot, mine.length);
    const images = [];
    for (const file of mine) {
      const sent = await this.send(file);
      this.busy(slot, -1);
      if (sent.key) images.push(sent);
      else this.problem.textContent = sent.problem ?? words.failed;
    }
    if (!images.length || this.ending.signal.aborted) return;
    this.heard.textContent = words.sent;
    this.act("brought", { slot: slot.field, images });
  }

  busy(slot, change) {
    this.sending[slot.field] = (this.sending[slot.field] ?? 0) + change;
    this.draw();
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const root = parentElement.querySelector(".slots");
  root.places ??= new Slots(root, parentElement);
  root.places.update(data, (word, said) => setTriggerValue(word, said));
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call
    root.places?.stop();
    delete root.places;
  };
}
