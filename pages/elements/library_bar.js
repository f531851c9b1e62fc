// The bar of the library. One trigger, "pressed", see `pressed` in library_bar.py. Typing is told as it pauses;
// what is being typed is never overwritten. The size of the pictures stays in this browser, see library_bar.py.

const PAUSE_MS = 300;
const SIZE = { min: 140, max: 380, usual: 220, step: 20 };
const MANY = 8; // from so many options on a list has a field to find one
const ICONS = {
  search: "M10.5 4a6.5 6.5 0 1 0 4 11.6l4.7 4.7 1.4-1.4-4.7-4.7A6.5 6.5 0 0 0 10.5 4zm0 2a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z",
  down: "M7 10l5 5 5-5z",
  cross: "M6.4 5 5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12 19 6.4 17.6 5 12 10.6z",
  check: "M9 16.2 4.8 12l-1.4 1.4L9 19 21 7l-1.4-1.4z",
  bookmark: "M6 3h12v18l-6-4.5L6 21z",
  pen: "M4 16.5V20h3.5L18 9.5 14.5 6zM16 4.5 19.5 8l1-1-3.500-3.500z",
  newest: "M7 4v12.2l-2.6-2.6L3 15l5 5 5-5-1.4-1.4L9 16.2V4zM14 6h7v2h-7zm0 5h5v2h-5zm0 5h3v2h-3z",
  oldest: "M7 20V7.8L4.4 10.4 3 9l5-5 5 5-1.4 1.4L9 7.8V20zM14 6h3v2h-3zm0 5h5v2h-5zm0 5h7v2h-7z",
  grid: "M3 5h8v6H3zm10 0h8v6h-8zM3 13h5v6H3zm7 0h11v6H10z",
  list: "M3 5h4v3H3zm6 0h12v3H9zM3 10.5h4v3H3zm6 0h12v3H9zM3 16h4v3H3zm6 0h12v3H9z",
  small: "M4 8h7v8H4zm9 0h7v8h-7z",
  large: "M3 5h18v14H3z",
};

function element(tag, name, parent, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

function button(name, parent, label, press) {
  const made = element("button", name, parent);
  made.type = "button";
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", press);
  return made;
}

function icon(name, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  made.append(path);
  parent.append(made);
  return made;
}

function setIcon(holder, name) {
  if (holder.dataset.icon === name) return;
  holder.dataset.icon = name;
  holder.replaceChildren();
  icon(name, holder);
}

const sizeKey = (bar) => "video-library-size:" + bar.data.person;

function storedSize(bar) {
  try {
    return Number(localStorage.getItem(sizeKey(bar))) || SIZE.usual;
  } catch {
    return SIZE.usual; // a browser that keeps nothing
  }
}

function resize(bar, pixels) {
  try {
    localStorage.setItem(sizeKey(bar), String(pixels));
  } catch {
    // It holds as long as the page is open.
  }
  window.dispatchEvent(new CustomEvent("library-size", { detail: pixels }));
}

function makeTop(bar) {
  const { top } = bar;
  const box = element("label", "search", top);
  icon("search", box);
  bar.search = element("input", "words", box);
  Object.assign(bar.search, { type: "search", autocomplete: "off", spellcheck: false, enterKeyHint: "search" });
  const tell = () => {
    clearTimeout(bar.pause);
    const value = bar.search.value.trim();
    if (value === bar.told) return;
    bar.told = value;
    bar.press({ set: "text", value: value || null });
  };
  bar.search.addEventListener("input", () => {
    clearTimeout(bar.pause);
    bar.pause = setTimeout(tell, PAUSE_MS);
  });
  bar.search.addEventListener("keydown", (event) => {
    event.stopPropagation(); // Streamlit's own keys are for the page
    if (event.key === "Enter") tell();
    if (event.key === "Escape" && bar.search.value) {
      event.preventDefault();
      bar.search.value = "";
      tell();
    }
  });
  bar.count = element("p", "count", top);
  bar.count.setAttribute("role", "status");
  element("span", "room", top);
  bar.order = button("tool order", top, "", () =>
    bar.press({ set: "order", value: bar.data.oldest ? null : "oldest" }),
  );
  element("span", "arrow", bar.order);
  element("span", "named", bar.order);
  const size = element("label", "size", top);
  icon("small", size);
  bar.size = element("input", "range", size);
  Object.assign(bar.size, { type: "range", min: SIZE.min, max: SIZE.max, step: SIZE.step });
  bar.size.addEventListener("input", () => resize(bar, bar.size.valueAsNumber));
  bar.size.addEventListener("keydown", (event) => event.stopPropagation());
  icon("large", size);
  const views = element("div", "views", top);
  views.setAttribute("role", "group");
  bar.views = views;
  for (const view of ["grid", "list"]) {
    const made = button("tool view", views, "", () => bar.press({ view }));
    made.dataset.view = view;
    icon(view, made);
  }
}

// What a chip opens: the browser closes it by itself and lays it above everything.
function makePop(bar, box, label, fillWith) {
  const opener = button("opener", box, "", () => (pop.matches(":popover-open") ? pop.hidePopover() : open()));
  opener.setAttribute("aria-haspopup", "dialog");
  opener.setAttribute("aria-expanded", "false");
  element("span", "said", opener, label);
  icon("down", opener);
  const pop = element("div", "pop", box);
  pop.popover = "auto";
  pop.setAttribute("role", "dialog");
  const open = () => {
    pop.replaceChildren();
    fillWith(pop);
    pop.showPopover();
    place(opener, pop);
    (pop.querySelector(":scope > .find") ?? pop.querySelector("[aria-pressed=true]") ?? pop.querySelector("button, input"))?.focus();
  };
  pop.addEventListener("toggle", (event) => {
    opener.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed" && pop.contains(bar.root.activeElement)) opener.focus();
  });
  pop.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      pop.hidePopover();
      opener.focus();
    }
    walk(pop, event);
  });
  return opener;
}

function makeChip(bar, chip) {
  const box = element("div", "chip", bar.chips);
  box.dataset.param = chip.param;
  if (chip.shortcut) {
    box.shortcut = button("shortcut", box, "", () => {
      const [value] = box.chip.shortcut;
      bar.press({ set: chip.param, value: box.chip.value === value ? null : value });
    });
  }
  const opener = makePop(bar, box, "", (pop) => fillPop(bar, box.chip, pop));
  const remove = document.createElement("button");
  remove.className = "remove";
  remove.type = "button";
  opener.after(remove);
  remove.addEventListener("click", () => {
    opener.focus();
    bar.press({ set: chip.param, value: null });
  });
  icon("cross", remove);
  return box;
}

// Filters under a name: one's own, which can be renamed and forgotten, those that others share, and a way to keep one.
function fillSaved(bar, pop) {
  const { saved, words, anySet } = bar.data;
  pop.setAttribute("aria-label", words.saved);
  const close = (what) => {
    pop.hidePopover();
    bar.press(what);
  };
  const list = element("ul", "options", pop);
  for (const { id, name, own, by } of saved.filters) {
    const item = element("li", "option kept", list);
    const made = button("choose", item, "", () => close({ open: id }));
    icon("bookmark", made);
    const label = element("span", "label", made, name);
    if (by) element("span", "by", label, by);
    if (!own) continue;
    const rename = button("remove", item, words.rename.replace("{name}", name), () => {
      const field = element("input", "find", null);
      field.value = name;
      field.maxLength = saved.limit;
      field.setAttribute("aria-label", words.newName);
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && field.value.trim()) close({ rename: id, name: field.value.trim() });
      });
      item.replaceChildren(field);
      field.focus();
      field.select();
    });
    icon("pen", rename);
    icon("cross", button("remove", item, words.forget.replace("{name}", name), () => close({ forget: id })));
  }
  if (!saved.filters.length) element("p", "none", pop, words.noneSaved);
  const form = element("form", "keep", pop);
  const field = element("input", "find", form);
  Object.assign(field, { placeholder: words.name, maxLength: saved.limit, required: true, disabled: !anySet });
  field.setAttribute("aria-label", words.name);
  let shared;
  if (saved.mayShare) {
    const label = element("label", "share", form);
    shared = element("input", "", label);
    shared.type = "checkbox";
    shared.disabled = !anySet;
    element("span", "", label, words.share);
  }
  const save = element("button", "save", form, words.save);
  save.disabled = !anySet;
  if (!anySet) element("p", "none", form, words.nothingToSave);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) close({ keep: field.value.trim(), shared: shared?.checked ?? false });
  });
}

// Beside its chip, and within the window.
function place(opener, pop) {
  const { left, bottom, top } = opener.getBoundingClientRect();
  const { width, height } = pop.getBoundingClientRect();
  pop.style.left = Math.max(8, Math.min(left, innerWidth - width - 8)) + "px";
  const below = bottom + 6;
  pop.style.top = Math.max(8, below + height > innerHeight - 8 && top - height - 6 > 8 ? top - height - 6 : below) + "px";
}

function walk(pop, event) {
  if (!/^(ArrowUp|ArrowDown|Home|End)$/.test(event.key)) return;
  const items = [...pop.querySelectorAll(".options button")].filter((item) => !item.parentElement.hidden);
  const active = pop.getRootNode().activeElement;
  if (active.matches("input") && /^(Home|End)$/.test(event.key)) return;
  if (active.matches("input[type=date]")) return;
  const at = items.indexOf(active);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 }[event.key];
  event.preventDefault();
  if (to < 0) pop.querySelector(".find")?.focus();
  else items[Math.min(to, items.length - 1)]?.focus();
}

function fillPop(bar, chip, pop) {
  const { words } = bar.data;
  pop.setAttribute("aria-label", chip.name);
  const choose = (value) => {
    pop.hidePopover();
    bar.press({ set: chip.param, value });
  };
  const list = document.createElement("ul");
  list.className = "options";
  if (chip.options.length > MANY) {
    const find = element("input", "find", pop);
    Object.assign(find, { type: "search", placeholder: words.find, autocomplete: "off" });
    find.setAttribute("aria-label", words.find);
    const none = element("p", "none", pop, words.none);
    none.hidden = true;
    find.addEventListener("input", () => {
      const wanted = find.value.trim().toLocaleLowerCase();
      for (const item of list.children) item.hidden = !item.textContent.toLocaleLowerCase().includes(wanted);
      none.hidden = [...list.children].some((item) => !item.hidden);
    });
    find.addEventListener("keydown", (event) => {
      const first = [...list.children].find((item) => !item.hidden);
      if (event.key === "Enter" && find.value && first) first.firstChild.click();
    });
  }
  pop.append(list);
  for (const [value, label] of [[null, chip.everything], ...chip.options]) {
    const item = element("li", "option", list);
    const made = button("choose", item, "", () => choose(value));
    icon("check", made);
    element("span", "label", made, label);
    made.setAttribute("aria-pressed", String(chip.value === value));
  }
  if (chip.jumps) calendar(bar, pop);
}

// To a month or a day, whatever is chosen.
function calendar(bar, pop) {
  const { words, language, year: thisYear, month: thisMonth } = bar.data;
  const box = element("section", "calendar", pop);
  element("h3", "head", box, words.jump);
  const years = element("div", "years", box);
  let year = thisYear;
  const go = (wanted) => {
    pop.hidePopover();
    bar.press({ jump: wanted });
  };
  const earlier = button("step", years, words.earlier, () => show(year - 1));
  earlier.textContent = "‹";
  const shown = element("span", "year", years);
  shown.setAttribute("role", "status");
  const later = button("step", years, words.later, () => show(year + 1));
  later.textContent = "›";
  const months = element("div", "months", box);
  const short = new Intl.DateTimeFormat(language, { month: "short", timeZone: "UTC" });
  const long = new Intl.DateTimeFormat(language, { month: "long", year: "numeric", timeZone: "UTC" });
  const show = (wanted) => {
    year = Math.min(wanted, thisYear);
    shown.textContent = String(year);
    later.disabled = year === thisYear;
    months.replaceChildren();
    for (let month = 1; month <= 12; month += 1) {
      const day = new Date(Date.UTC(year, month - 1, 1));
      const made = button("month", months, long.format(day), () => go(`${year}-${String(month).padStart(2, "0")}`));
      made.textContent = short.format(day);
      made.disabled = year === thisYear && month > thisMonth;
    }
  };
  show(year);
  const label = element("label", "day", box);
  element("span", "", label, words.day);
  const field = element("input", "date", label);
  field.type = "date";
  field.max = new Date().toISOString().slice(0, 10);
  const chosen = () => field.value && field.validity.valid && go(field.value);
  field.addEventListener("keydown", (event) => event.key === "Enter" && chosen());
  let typed = false; // a date typed part by part changes with each of them, one that is picked changes once
  field.addEventListener("keydown", (event) => (typed = event.key !== "Enter"));
  field.addEventListener("change", () => typed || chosen());
  field.addEventListener("blur", () => typed && chosen());
}

function fillChips(bar) {
  const { chips, words, anySet } = bar.data;
  if (!bar.saved) {
    bar.saved = element("div", "chip saved", bar.chips);
    makePop(bar, bar.saved, "", (pop) => fillSaved(bar, pop));
  }
  bar.saved.querySelector(".said").textContent = words.saved;
  const known = new Map([...bar.chips.querySelectorAll(".chip:not(.saved)")].map((box) => [box.dataset.param, box]));
  for (const chip of chips) {
    const box = known.get(chip.param) ?? makeChip(bar, chip);
    known.delete(chip.param);
    box.chip = chip;
    bar.chips.append(box);
    const label = chip.options.find(([value]) => value === chip.value)?.[1];
    box.querySelector(".said").textContent = label === undefined ? chip.name : `${chip.name}: ${label}`;
    box.classList.toggle("set", label !== undefined);
    if (box.shortcut) {
      box.shortcut.textContent = chip.shortcut[1];
      box.shortcut.setAttribute("aria-pressed", String(chip.value === chip.shortcut[0]));
    }
    const remove = box.querySelector(".remove");
    remove.hidden = label === undefined;
    remove.setAttribute("aria-label", words.remove.replace("{name}", chip.name));
  }
  for (const gone of known.values()) gone.remove();
  bar.clear ??= button("clear", bar.chips, "", () => {
    clearTimeout(bar.pause);
    bar.search.value = bar.told = "";
    bar.search.focus();
    bar.press({ clear: true });
  });
  bar.clear.textContent = words.clear;
  bar.clear.hidden = !anySet;
  bar.chips.append(bar.clear);
}

function fill(bar) {
  const { words, data } = { words: bar.data.words, data: bar.data };
  const { search } = bar;
  search.setAttribute("aria-label", words.search);
  search.placeholder = words.placeholder;
  search.maxLength = data.limit;
  const isTyping = bar.root.activeElement === search;
  if (!isTyping || bar.told === undefined) {
    search.value = data.text;
    bar.told = data.text.trim();
  }
  if (bar.count.textContent !== data.count) bar.count.textContent = data.count;
  setIcon(bar.order.querySelector(".arrow"), data.oldest ? "oldest" : "newest");
  const order = data.oldest ? words.oldest : words.newest;
  bar.order.setAttribute("aria-label", order);
  bar.order.title = order;
  bar.order.querySelector(".named").textContent = order;
  bar.size.setAttribute("aria-label", words.size);
  bar.size.parentElement.title = words.size;
  bar.size.value = storedSize(bar);
  bar.size.parentElement.hidden = data.view === "list";
  bar.views.setAttribute("aria-label", words.view);
  for (const view of bar.views.children) {
    const label = words[view.dataset.view];
    view.setAttribute("aria-label", label);
    view.title = label;
    view.setAttribute("aria-pressed", String(view.dataset.view === data.view));
  }
  bar.chips.setAttribute("aria-label", words.filters);
  const active = bar.root.activeElement; // moving a node takes its focus
  fillChips(bar);
  if (active && active !== bar.root.activeElement && bar.root.contains(active)) active.focus();
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const top = parentElement.querySelector(".top");
  if (!top.bar) {
    top.bar = { top, chips: parentElement.querySelector(".chips"), root: top.getRootNode() };
    top.bar.chips.setAttribute("role", "group");
    makeTop(top.bar);
  }
  const { bar } = top;
  bar.data = data;
  bar.press = (what) => setTriggerValue("pressed", what);
  fill(bar);
}
