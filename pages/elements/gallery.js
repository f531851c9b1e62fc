// The gallery: cards from JSON, kept by id, so that only what changed is changed. Triggers: "open" with an id; on a
// board also "hearts" ({id: on}) and "marked" ({ids, turn}), which are shown at once and sent whole, and "turn"
// ({next} or {before} with an id).

const CALM = window.matchMedia("(prefers-reduced-motion: reduce)");
const TOUCH = window.matchMedia("(hover: none)");
const HEART = "M12 20.3 4.2 12.6a5 5 0 0 1 7.1-7.1l.7.7.7-.7a5 5 0 0 1 7.1 7.1z";
const NOTE = "M4 4h16v12H8l-4 4z";
const USUAL_PX = 220;
const GAP_PX = 10;
const LONG_PRESS_MS = 450;
const CELLS = ["model", "project", "maker", "date", "seconds", "credits", "thought"];

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " "); // the space keeps words of neighbours apart when they are read aloud
  return made;
}

function drawing(path, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  made.firstChild.setAttribute("d", path);
  parent.append(made);
}

function make(id, list) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const card = element("button", "card", item);
  card.type = "button";
  const media = element("span", "media", card);
  const image = element("img", "poster", media);
  image.decoding = "async";
  image.alt = "";
  for (const name of ["badge", "note", "noticed", "length", "verdict"]) element("span", name, media);
  element("span", "fill", element("span", "bar", media));
  const text = element("span", "text", card);
  element("span", "title", text);
  const line = element("span", "line", text);
  element("span", "avatar", line);
  element("span", "meta", line);
  element("span", "by", line);
  const notes = element("span", "notes", line);
  drawing(NOTE, notes);
  element("span", "number", notes);
  for (const name of CELLS) element("span", "cell " + name, card);
  card.addEventListener("click", (event) => click(list, item, event));
  for (const [event, act] of [["pointerenter", play], ["pointerleave", stop], ["focus", play], ["blur", stop]])
    card.addEventListener(event, () => act(item));
  item.addEventListener("pointerdown", (event) => hold(list, item, event));
  item.addEventListener("contextmenu", (event) => item.held !== undefined && event.preventDefault());
  return item;
}

function click(list, item, event) {
  const { id } = item.dataset;
  if (item.swallow) {
    item.swallow = false; // the end of a long press
    return;
  }
  if (!list.board) return list.open(id);
  if (event.shiftKey) return list.markTo(id);
  if (event.ctrlKey || event.metaKey || (TOUCH.matches && list.marked.size)) return list.mark(id, !isMarked(list, id));
  list.open(id);
}

// A long press selects where there is nothing to hover with.
function hold(list, item, event) {
  if (!list.board || event.pointerType === "mouse") return;
  const { clientX, clientY } = event;
  const end = () => {
    clearTimeout(item.held);
    setTimeout(() => (item.held = undefined));
    for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, end);
    window.removeEventListener("pointermove", moved);
  };
  const moved = (other) => Math.hypot(other.clientX - clientX, other.clientY - clientY) > 10 && end();
  item.swallow = false;
  item.held = setTimeout(() => {
    item.swallow = true;
    navigator.vibrate?.(10);
    list.mark(item.dataset.id, !isMarked(list, item.dataset.id));
  }, LONG_PRESS_MS);
  for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end);
  window.addEventListener("pointermove", moved);
}

const isMarked = (list, id) => list.board.all || list.marked.has(id);

function makeTools(item, list) {
  const id = item.dataset.id;
  const label = element("label", "mark", item);
  const box = element("input", "box", label);
  box.type = "checkbox";
  box.addEventListener("click", (event) => {
    if (!event.shiftKey) return;
    event.preventDefault();
    setTimeout(() => list.markTo(id)); // after the browser has put the box back
  });
  box.addEventListener("change", () => list.mark(id, box.checked));
  const favourite = element("button", "favourite", item);
  favourite.type = "button";
  drawing(HEART, favourite);
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
  item.firstChild.setAttribute("aria-label", [badge, note, item.card.label].filter(Boolean).join(" "));
}

function fill(item, card) {
  item.preview = card.preview;
  item.card = card;
  const image = item.querySelector(".poster");
  if (card.poster && image.getAttribute("src") !== card.poster) image.src = card.poster;
  image.hidden = !card.poster;
  move(item, card);
  for (const name of ["length", "verdict", "noticed", "title", "meta"]) words(item, name, card[name]);
  item.querySelector(".noticed").title = card.noticed ?? "";
  item.querySelector(".title").title = card.title;
  item.querySelector(".verdict").dataset.kept = String(card.kept);
  own(item, card);
  const notes = item.querySelector(".notes");
  notes.hidden = !card.notes;
  notes.title = card.noted ?? "";
  words(item, "number", card.notes ? String(card.notes) : "");
  CELLS.forEach((name, place) => (item.querySelector(".cell." + name).textContent = card.cells?.[place] ?? ""));
}

// Who made it, and where it is; nothing where that goes without saying.
function own(item, { maker, place }) {
  words(item, "avatar", maker?.initials);
  const avatar = item.querySelector(".avatar");
  avatar.style.background = maker?.colour ?? "";
  avatar.title = maker?.name ?? "";
  words(item, "by", [maker?.name, place].filter(Boolean).join(" · "));
}

// The state of the tools: what was pressed and is not confirmed yet goes before what the data say.
function dress(item, list) {
  const { card } = item;
  const say = list.board.words;
  if (!item.querySelector(".mark")) makeTools(item, list);
  const marked = isMarked(list, card.id);
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

// Where rows of about this height end so that all of them fill the width: the ends of the rows, and their heights.
// What is cheapest altogether is taken, a row costing the square of how far it is from the height that is wished.
export function justify(ratios, width, wished, gap) {
  const best = [{ cost: 0 }];
  for (let end = 1; end <= ratios.length; end += 1) {
    let sum = 0;
    for (let start = end - 1; start >= 0; start -= 1) {
      sum += ratios[start];
      const room = width - gap * (end - start - 1);
      const full = room / sum;
      if (full < wished * 0.45 && end - start > 1) break;
      // A few clips alone, or a last row that would be far too high, keep the height and leave room at their end.
      const isLoose = end === ratios.length && full > wished * 1.35;
      const height = Math.min(full, wished * (isLoose ? 1 : 1.8));
      const off = isLoose ? 0.5 + (1 - (sum * wished) / room) / 2 : Math.log(full / wished) * 2;
      const cost = best[start].cost + off * off;
      if (!best[end] || cost < best[end].cost) best[end] = { cost, start, height, full: !isLoose && height === full };
    }
  }
  const rows = [];
  for (let end = ratios.length; end > 0; end = best[end].start) {
    const { start, height, full } = best[end];
    rows.unshift({ start, end, height, full });
  }
  return rows;
}

/** How many full pixels there are for a row: `clientWidth` rounds up, and a row of that width falls into the next. */
const roomOf = (list) => Math.floor(parseFloat(getComputedStyle(list).width)) || 0;

function layOut(list) {
  const width = roomOf(list);
  if (!width || list.view === "list") return;
  const scale = Math.min(1.25, Math.max(0.5, width / 1300));
  const items = [...list.children];
  const ratios = items.map((item) => item.card.ratio ?? 16 / 9);
  for (const { start, end, height, full } of justify(ratios, width, list.size * scale, GAP_PX)) {
    let left = width - GAP_PX * (end - start - 1);
    for (let place = start; place < end; place += 1) {
      const wide = full && place === end - 1 ? left : Math.min(left, Math.floor(height * ratios[place]));
      left -= wide;
      const { style, firstChild, classList } = items[place];
      style.width = wide + "px";
      style.marginRight = (place === end - 1 ? left : GAP_PX) + "px"; // so that no row takes one of the next
      firstChild.firstChild.style.height = Math.round(height) + "px";
      classList.toggle("narrow", wide < 130);
    }
  }
}

// One card at a time is in the order of the Tab key; arrows lead to the others.
function stand(list, item) {
  if (!item) return;
  list.current = item;
  for (const other of list.children)
    for (const part of other.querySelectorAll("button, input")) part.tabIndex = other === item ? 0 : -1;
}

// The one to the side, or the nearest in the row above or below; undefined beyond the ends of the page.
function step(list, item, key) {
  const items = [...list.children];
  const place = items.indexOf(item);
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (key === "ArrowLeft" || key === "ArrowRight") return items[place + (key === "ArrowLeft" ? -1 : 1)];
  const isUp = key === "ArrowUp";
  const { offsetTop, offsetLeft, offsetWidth } = item;
  const beyond = items.filter((other) => (isUp ? other.offsetTop < offsetTop : other.offsetTop > offsetTop));
  if (!beyond.length) return undefined;
  const row = isUp ? beyond.at(-1).offsetTop : beyond[0].offsetTop;
  const middle = offsetLeft + offsetWidth / 2;
  const away = (other) => Math.abs(other.offsetLeft + other.offsetWidth / 2 - middle);
  return beyond.filter((other) => other.offsetTop === row).reduce((a, b) => (away(b) < away(a) ? b : a));
}

function press(list, event) {
  const item = event.target.closest("li");
  if (!item || event.altKey) return;
  const { id } = item.dataset;
  if (event.ctrlKey || event.metaKey) return;
  if (/^(Arrow|Home$|End$)/.test(event.key)) {
    const next = step(list, item, event.key);
    event.preventDefault();
    if (!next) {
      if (/Right|Down/.test(event.key)) list.turnTo("next", "first");
      if (/Left|Up/.test(event.key)) list.turnTo("before", "last");
      return;
    }
    stand(list, next);
    next.firstChild.focus();
    if (event.shiftKey && list.board) {
      if (![...list.children].some((other) => other.dataset.id === list.anchor)) list.anchor = id;
      list.markTo(next.dataset.id);
    }
  } else if (list.board && event.target === item.firstChild && event.key === " ") {
    event.preventDefault();
    if (event.shiftKey) list.markTo(id);
    else list.mark(id, !isMarked(list, id));
  } else if (list.board?.words.favourite && event.key.toLowerCase() === "f") {
    list.like(id, item.querySelector(".favourite").getAttribute("aria-pressed") !== "true");
  } else if (list.board && event.key === "Escape" && (list.marked.size || list.board.all)) {
    list.markAll(false);
  }
}

// Ctrl+A is for the clips where it would otherwise select the texts of the page.
function selectPage(list, event) {
  if (event.key.toLowerCase() !== "a" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  if (!list.board || !list.children.length || document.querySelector("[role=dialog]")) return;
  const active = document.activeElement;
  if (active !== document.body && active !== list.getRootNode().host) return;
  event.preventDefault();
  list.markAll(true);
}

function setUp(list) {
  list.marked = new Set();
  list.turn = 0;
  list.hearts = {};
  list.size = USUAL_PX;
  list.addEventListener("keydown", (event) => press(list, event));
  // A space pressed on a button clicks it when the key comes up again.
  list.addEventListener("keyup", (event) => {
    if (list.board && event.key === " " && event.target.matches(".card")) event.preventDefault();
  });
  list.addEventListener("focusin", (event) => stand(list, event.target.closest("li")));
  list.hear = (event) => {
    for (const told of event.detail?.items ?? []) {
      const item = [...list.children].find((child) => child.dataset.id === told.id);
      if (item?.card) move(item, told);
    }
  };
  list.show = ({ detail: ids }) => {
    for (const { card } of list.children) if (typeof card?.progress === "number") ids.add(card.id);
  };
  list.resized = ({ detail }) => {
    list.size = detail;
    layOut(list);
  };
  list.selectPage = (event) => selectPage(list, event);
  new ResizeObserver(() => {
    const room = roomOf(list);
    if (list.laidOut === room) return;
    list.laidOut = room;
    layOut(list);
  }).observe(list);
}

// Back to the card when what it opened is closed, unless something else has the focus by then.
function comeBack(list, id) {
  let wasOpen = false;
  const watch = new MutationObserver(() => {
    const isOpen = document.querySelector("[role=dialog]") !== null;
    if (wasOpen && !isOpen) {
      watch.disconnect();
      setTimeout(() => {
        if (document.activeElement !== document.body || !list.isConnected) return;
        [...list.children].find((item) => item.dataset.id === id)?.firstChild.focus({ preventScroll: true });
      }, 50);
    }
    wasOpen = isOpen;
  });
  list.watch?.disconnect();
  list.watch = watch;
  watch.observe(document.body, { childList: true, subtree: true });
}

function storedSize(person) {
  try {
    return Number(localStorage.getItem("video-library-size:" + person)) || USUAL_PX;
  } catch {
    return USUAL_PX;
  }
}

function drawHeads(heads, list) {
  heads.hidden = list.view !== "list" || !list.children.length;
  const said = list.board?.words.heads ?? [];
  if (heads.dataset.said === said.join()) return;
  heads.dataset.said = said.join();
  heads.replaceChildren();
  heads.ariaHidden = "true"; // each card says it all
  ["title", ...CELLS].forEach((name, place) => (element("span", "head " + name, heads).textContent = said[place]));
}

function drawFoot(foot, list) {
  const { pager } = list;
  foot.hidden = !pager || (!pager.next && !pager.before);
  if (!foot.children.length) {
    for (const where of ["before", "next"]) {
      const made = element("button", "page " + where, foot);
      made.type = "button";
      made.addEventListener("click", () => list.turnTo(where, "first"));
    }
  }
  ["before", "next"].forEach((where, place) => {
    const made = foot.querySelector("." + where);
    made.textContent = pager?.words[place] ?? "";
    made.setAttribute("aria-disabled", String(!pager?.[where]));
  });
}

// Another page begins at its top, and the keys go on there, however late it comes, unless they are used elsewhere.
function arrive(list, heads) {
  const { name } = list.pager ?? {};
  const isOther = list.paper !== undefined && list.paper !== name;
  list.paper = name;
  if (!isOther || !list.children.length) return;
  const top = heads.hidden ? list : heads;
  if (list.turning || top.getBoundingClientRect().top < 0) top.scrollIntoView({ block: "start" });
  if (list.turning && [document.body, list.getRootNode().host].includes(document.activeElement)) {
    const item = list.turning === "last" ? list.lastElementChild : list.firstElementChild;
    stand(list, item);
    item.firstChild.focus({ preventScroll: list.turning === "first" });
  }
  clearTimeout(list.asking);
  list.asking = list.turning = undefined;
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");
  const [heads, foot] = [".heads", ".foot"].map((name) => parentElement.querySelector(name));
  if (!list.marked) setUp(list);
  const dressAll = () => {
    list.classList.toggle("selecting", list.board.all || list.marked.size > 0);
    [...list.children].forEach((item) => dress(item, list));
  };
  list.open = (id) => {
    comeBack(list, id);
    setTriggerValue("open", id);
  };
  list.like = (id, on) => {
    list.hearts[id] = on;
    setTriggerValue("hearts", { ...list.hearts });
    dressAll();
  };
  const tell = () => {
    list.turn += 1;
    list.board.all = false;
    setTriggerValue("marked", { ids: [...list.marked], turn: list.turn });
    dressAll();
  };
  const set = (ids, on) => {
    // Out of everything that matches, what is on this page stays selected.
    if (list.board.all) list.marked = new Set([...list.children].map((item) => item.dataset.id));
    for (const id of ids) {
      if (on) list.marked.add(id);
      else list.marked.delete(id);
    }
    tell();
  };
  list.mark = (id, on) => {
    list.anchor = id;
    set([id], on);
  };
  list.markTo = (id) => {
    const ids = [...list.children].map((item) => item.dataset.id);
    const [from, to] = [ids.indexOf(list.anchor), ids.indexOf(id)];
    if (from < 0) return list.mark(id, true);
    set(ids.slice(Math.min(from, to), Math.max(from, to) + 1), true);
  };
  list.markAll = (on) => {
    if (on) return set([...list.children].map((item) => item.dataset.id), true);
    list.marked.clear();
    tell();
  };
  list.turnTo = (where, focus) => {
    const id = list.pager?.[where];
    if (!id || list.asking) return;
    list.turning = focus;
    list.asking = setTimeout(() => (list.asking = undefined), 5000); // where a page never came one may ask again
    setTriggerValue("turn", { [where]: id });
  };

  list.board = data?.board;
  list.pager = data?.pager;
  list.view = data?.view ?? "grid";
  list.classList.toggle("list", list.view === "list");
  const isOwn = !(data?.cards ?? []).some((card) => card.cells?.[2]);
  for (const part of [list, heads]) part.classList.toggle("own", isOwn);
  if (data?.person && list.person !== data.person) list.size = storedSize((list.person = data.person));
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const cards = data?.cards ?? [];
  cards.forEach((card, place) => {
    const item = known.get(card.id) ?? make(card.id, list);
    known.delete(card.id);
    fill(item, card);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  for (const gone of known.values()) gone.remove();
  const keys = parentElement.querySelector(".keys");
  if (list.board) {
    const { marked, turn } = list.board;
    const isNews = turn < 0 ? turn !== list.changedThere : turn >= list.turn; // else it overtook what was marked here
    if (isNews) {
      list.marked = new Set(marked);
      list.turn = Math.max(list.turn, turn);
    }
    if (turn < 0) list.changedThere = turn;
    dressAll();
    keys.textContent = list.board.words.keys;
  }
  keys.hidden = !list.board || !cards.length;
  layOut(list);
  drawHeads(heads, list);
  drawFoot(foot, list);
  if (list.children.length) stand(list, list.contains(list.current) ? list.current : list.firstElementChild);
  arrive(list, heads);

  const heard = [["video-live", list.hear], ["video-live-shown", list.show], ["library-size", list.resized]];
  for (const [event, hear] of heard) window.addEventListener(event, hear);
  document.addEventListener("keydown", list.selectPage);
  return () => {
    if (list.isConnected) return; // newer data overtook this call: the list goes on with them
    for (const [event, hear] of heard) window.removeEventListener(event, hear);
    document.removeEventListener("keydown", list.selectPage);
    list.watch?.disconnect();
  };
}
