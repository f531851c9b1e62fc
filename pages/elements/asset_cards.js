// Cards of assets from JSON, kept by id. One trigger, "pressed": {id, at}; `at` tells two presses of one card apart.

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

function make(id, list) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const button = element("button", "card", item);
  button.type = "button";
  const frame = element("span", "frame", button);
  element("span", "pictures", frame);
  element("span", "badge", frame);
  element("span", "place", frame);
  element("span", "title", button);
  element("span", "facts", button);
  button.addEventListener("click", () => list.press(id));
  return item;
}

function show(item, card, choosing) {
  const shown = JSON.stringify(card.pictures);
  const pictures = item.querySelector(".pictures");
  if (pictures.dataset.shown !== shown) {
    pictures.dataset.shown = shown;
    pictures.dataset.count = card.pictures.length;
    pictures.replaceChildren(
      ...card.pictures.map((address) => {
        const image = document.createElement("img");
        Object.assign(image, { src: address, alt: "", loading: "lazy", decoding: "async" });
        return image;
      }),
    );
  }
  if (!card.pictures.length) pictures.textContent = card.sign;
  for (const part of ["badge", "title", "facts"]) {
    const place = item.querySelector(`.${part}`);
    place.textContent = card[part];
    place.hidden = !card[part];
  }
  const button = item.querySelector(".card");
  const number = item.querySelector(".place");
  number.textContent = card.place || "";
  number.hidden = !card.place;
  if (choosing) button.setAttribute("aria-pressed", String(card.place > 0));
  else button.removeAttribute("aria-pressed");
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const list = parentElement.querySelector("ul");
  list.press = (id) => setTriggerValue("pressed", { id, at: Date.now() });
  list.setAttribute("aria-label", data.label);
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = data.cards.map((card) => {
    const item = known.get(card.id) ?? make(card.id, list);
    show(item, card, data.choosing);
    return item;
  });
  if (items.length !== list.children.length || items.some((item, place) => list.children[place] !== item)) {
    list.replaceChildren(...items);
  }
}
