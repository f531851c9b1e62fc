// The gallery: cards from JSON, one trigger ("open") out. Cards are kept by id, so a tick changes only what changed.

const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " "); // the space keeps words of neighbours apart when they are read aloud
  return made;
}

function make(id, list) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const card = element("button", "card", item);
  card.type = "button";
  const media = element("span", "media", card);
  const image = element("img", "poster", media);
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = "";
  element("span", "badge", media);
  element("span", "note", media);
  element("span", "length", media);
  const bar = element("span", "bar", media);
  element("span", "fill", bar);
  const text = element("span", "text", card);
  element("span", "title", text);
  element("span", "meta", text);
  card.addEventListener("click", () => list.open(id));
  card.addEventListener("pointerenter", () => play(item));
  card.addEventListener("pointerleave", () => stop(item));
  card.addEventListener("focus", () => play(item));
  card.addEventListener("blur", () => stop(item));
  return item;
}

function play(item) {
  if (CALM.matches || !item.preview || item.querySelector("video")) return;
  const video = document.createElement("video");
  video.className = "preview";
  video.muted = true;
  video.loop = true;
  video.playsInline = true;
  video.preload = "none";
  video.src = item.preview;
  video.addEventListener("playing", () => video.classList.add("on"));
  item.querySelector(".poster").after(video);
  video.play().catch(() => video.remove());
}

function stop(item) {
  item.querySelector("video")?.remove();
}

function fill(item, card) {
  const part = (name) => item.querySelector("." + name);
  const words = (name, text) => {
    const found = part(name);
    if (found.textContent !== text) found.textContent = text;
    found.hidden = !text;
  };
  item.preview = card.preview;
  const image = part("poster");
  if (card.poster && image.getAttribute("src") !== card.poster) image.src = card.poster;
  image.hidden = !card.poster;
  part("badge").dataset.status = card.status;
  words("badge", card.badge);
  words("note", card.note);
  words("length", card.length);
  words("title", card.title);
  words("meta", card.meta);
  const moving = typeof card.progress === "number";
  part("bar").hidden = !moving;
  if (moving) part("fill").style.width = Math.round(card.progress * 100) + "%";
  item.firstChild.setAttribute("aria-label", card.label);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");
  list.open = (id) => setTriggerValue("open", id);
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const cards = data?.cards ?? [];
  cards.forEach((card, place) => {
    const item = known.get(card.id) ?? make(card.id, list);
    fill(item, card);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  while (list.children.length > cards.length) list.lastChild.remove();
}
