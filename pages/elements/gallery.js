// The gallery: cards from JSON, kept by id, so that only what changed is changed. Triggers: "open" with an id; on a
// board also "hearts" ({id: on}) and "marked" ({ids, turn}), which are shown at once and sent whole.

const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const HEART = "M12 20.3 4.2 12.6a5 5 0 0 1 7.1-7.1l.7.7.7-.7a5 5 0 0 1 7.1 7.1z";

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " "); // the space keeps words of neighbours apart when they are read aloud
  return made;
}

function heart() {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  made.firstChild.setAttribute("d", HEART);
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
  for (const name of ["badge", "note", "length", "verdict"]) element("span", name, media);
  element("span", "fill", element("span", "bar", media));
  const text = element("span", "text", card);
  element("span", "title", text);
  element("span", "meta", text);
  element("span", "noticed", text);
  const who = element("span", "who", text);
  for (const name of ["avatar", "by"]) element("span", name, who);
  card.addEventListener("click", () => list.open(id));
  for (const [event, act] of [["pointerenter", play], ["pointerleave", stop], ["focus", play], ["blur", stop]])
    card.addEventListener(event, () => act(item));
  return item;
}

function makeTools(item, list) {
  const id = item.dataset.id;
  const label = element("label", "mark", item);
  const box = element("input", "box", label);
  box.type = "checkbox";
  box.addEventListener("change", () => list.mark(id, box.checked));
  const favourite = element("button", "favourite", item);
  favourite.type = "button";
  favourite.append(heart());
  favourite.addEventListener("click", () => list.like(id, favourite.getAttribute("aria-pressed") !== "true"));
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

function words(item, name, text) {
  const found = item.querySelector("." + name);
  if (found.textContent !== (text ?? "")) found.textContent = text ?? "";
  found.hidden = !text;
}

function move(item, { status, badge, note, progress }) {
  item.querySelector(".badge").dataset.status = status;
  words(item, "badge", badge);
  words(item, "note", note);
  const moving = typeof progress === "number";
  item.querySelector(".bar").hidden = !moving;
  if (moving) item.querySelector(".fill").style.width = Math.round(progress * 100) + "%";
}

function fill(item, card) {
  item.preview = card.preview;
  item.card = card;
  const image = item.querySelector(".poster");
  if (card.poster && image.getAttribute("src") !== card.poster) image.src = card.poster;
  image.hidden = !card.poster;
  move(item, card);
  for (const name of ["length", "verdict", "title", "meta", "noticed"]) words(item, name, card[name]);
  item.querySelector(".noticed").title = card.noticed ?? "";
  item.querySelector(".verdict").dataset.kept = String(card.kept);
  own(item, card);
  item.firstChild.setAttribute("aria-label", card.label);
}

// Who made it, and where it is; nothing where that goes without saying.
function own(item, { maker, place }) {
  item.querySelector(".who").hidden = !maker && !place;
  words(item, "avatar", maker?.initials);
  item.querySelector(".avatar").style.background = maker?.colour ?? "";
  words(item, "by", [maker?.name, place].filter(Boolean).join(" · "));
}

// The state of the tools: what was pressed and is not confirmed yet goes before what the data say.
function dress(item, list) {
  const { card } = item;
  const say = list.board.words;
  if (!item.querySelector(".mark")) makeTools(item, list);
  const marked = list.marked.has(card.id);
  const box = item.querySelector(".box");
  box.checked = marked;
  box.setAttribute("aria-label", say.select + ": " + card.title);
  item.classList.toggle("marked", marked);
  if (list.hearts[card.id] === card.favourite) delete list.hearts[card.id];
  const liked = list.hearts[card.id] ?? card.favourite;
  const favourite = item.querySelector(".favourite");
  favourite.hidden = !say.favourite;
  favourite.setAttribute("aria-pressed", String(liked));
  favourite.setAttribute("aria-label", say.favourite + ": " + card.title);
}

// One card at a time is in the order of the Tab key; arrows lead to the others.
function stand(list, item) {
  list.current = item;
  for (const other of list.children)
    for (const part of other.querySelectorAll("button, input")) part.tabIndex = other === item ? 0 : -1;
}

function step(list, item, key) {
  const items = [...list.children];
  const place = items.indexOf(item);
  const columns = items.filter((other) => other.offsetTop === items[0].offsetTop).length;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const ends = { Home: 0, End: items.length - 1 };
  return items[ends[key] ?? place + steps[key]];
}

function press(list, event) {
  const item = event.target.closest("li");
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  const { id } = item.dataset;
  if (/^(Arrow|Home$|End$)/.test(event.key)) {
    const next = step(list, item, event.key);
    event.preventDefault();
    if (!next) return;
    stand(list, next);
    next.firstChild.focus();
  } else if (list.board && event.target === item.firstChild && event.key === " ") {
    event.preventDefault();
    list.mark(id, !list.marked.has(id));
  } else if (list.board?.words.favourite && event.key.toLowerCase() === "f") {
    list.like(id, item.querySelector(".favourite").getAttribute("aria-pressed") !== "true");
  }
}

function setUp(list) {
  list.marked = new Set();
  list.turn = 0;
  list.hearts = {};
  list.addEventListener("keydown", (event) => press(list, event));
  // A space pressed on a button clicks it when the key comes up again.
  list.addEventListener("keyup", (event) => {
    if (list.board && event.key === " " && event.target.matches(".card")) event.preventDefault();
  });
  list.addEventListener("focusin", (event) => stand(list, event.target.closest("li")));
  list.hear = (event) => {
    for (const told of event.detail?.items ?? []) {
      const item = [...list.children].find((child) => child.dataset.id === told.id);
      if (!item?.card) continue;
      move(item, told);
      const { length, verdict, title, meta } = item.card;
      const before = [item.card.badge, item.card.note, length, verdict, title, meta].filter(Boolean).join(" ");
      const open = item.card.label.slice(before.length);
      Object.assign(item.card, { badge: told.badge, note: told.note });
      item.card.label = [told.badge, told.note, length, verdict, title, meta].filter(Boolean).join(" ") + open;
      item.firstChild.setAttribute("aria-label", item.card.label);
    }
  };
  list.show = ({ detail: ids }) => {
    for (const { card } of list.children) if (typeof card?.progress === "number") ids.add(card.id);
  };
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");
  if (!list.marked) setUp(list);
  list.open = (id) => setTriggerValue("open", id);
  list.like = (id, on) => {
    list.hearts[id] = on;
    setTriggerValue("hearts", { ...list.hearts });
    dressAll();
  };
  list.mark = (id, on) => {
    if (on) list.marked.add(id);
    else list.marked.delete(id);
    list.turn += 1;
    setTriggerValue("marked", { ids: [...list.marked], turn: list.turn });
    dressAll();
  };
  const dressAll = () => [...list.children].forEach((item) => dress(item, list));

  list.board = data?.board;
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const cards = data?.cards ?? [];
  cards.forEach((card, place) => {
    const item = known.get(card.id) ?? make(card.id, list);
    fill(item, card);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  while (list.children.length > cards.length) list.lastChild.remove();
  const keys = parentElement.querySelector(".keys");
  if (list.board) {
    const { marked, turn } = list.board;
    if (turn < 0 || turn >= list.turn) {
      list.marked = new Set(marked);
      list.turn = Math.max(list.turn, turn);
    }
    dressAll();
    keys.textContent = list.board.words.keys;
  }
  keys.hidden = !list.board || !cards.length;
  if (list.children.length) stand(list, list.contains(list.current) ? list.current : list.firstChild);

  window.addEventListener("video-live", list.hear);
  window.addEventListener("video-live-shown", list.show);
  return () => {
    if (list.isConnected) return; // newer data overtook this call: the list goes on with them
    window.removeEventListener("video-live", list.hear);
    window.removeEventListener("video-live-shown", list.show);
  };
}
