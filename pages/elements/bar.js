// Draws the bar and the foot, goes to pages without loading the dashboard anew, and counts what is under way.

const SVG = "http://www.w3.org/2000/svg";
const FOOT = 4; // so many pages stand at the foot of a phone; the menu has the others
const ICONS = {
  folder: ["M3 7.5A1.5 1.5 0 0 1 4.5 6H9l2 2.5h8.5A1.5 1.5 0 0 1 21 10v7.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z"],
  make: ["M4 6.5h11v11H4z", "M15 10.5 20 8v8l-5-2.5", "M9.5 9.5v5M7 12h5"],
  grid: ["M4 4.5h7v7H4zM13.5 4.5H20v7h-6.500zM4 14h7v5.500H4zM13.500 14H20v5.500h-6.500z"],
  chart: ["M4 19.500h16", "M7 16v-5M12 16V6M17 16v-8"],
  people: ["M9 11a3.200 3.200 0 1 0 0-6.400A3.200 3.200 0 0 0 9 11z", "M3 19c0-3 2.700-5 6-5s6 2 6 5", "M16 5.200a3 3 0 0 1 0 5.600M18 14.500c1.800.7 3 2.300 3 4.500"],
  person: ["M12 11.500a3.600 3.600 0 1 0 0-7.200 3.600 3.600 0 0 0 0 7.200z", "M5 20c0-3.300 3.100-5.500 7-5.500s7 2.200 7 5.500"],
  check: ["M12 3.500 5 6v5.500c0 4.300 3 7.500 7 9 4-1.500 7-4.700 7-9V6z", "m9 12 2.200 2.200L15.200 10"],
  shield: ["M12 3.500 5 6v5.500c0 4.300 3 7.500 7 9 4-1.500 7-4.700 7-9V6z", "M12 8v5M12 15.800v.2"],
  layers: ["m12 4 8.500 4.300L12 12.600 3.500 8.300z", "m4 12.500 8 4 8-4M4 16.300l8 4 8-4"],
  list: ["M9 6.500h11M9 12h11M9 17.500h11M4.500 6.500h.2M4.500 12h.2M4.500 17.500h.2"],
  card: ["M3.500 5.500h17v13h-17z", "M8.600 12.400a1.900 1.900 0 1 0 0-3.800 1.900 1.900 0 0 0 0 3.800z", "M5.800 16c.4-1.400 1.500-2.100 2.800-2.100s2.400.7 2.800 2.100", "M14.500 10h3M14.500 13.500h3"],
  dials: ["M4 7h9M17 7h3M4 12h3M11 12h9M4 17h7M15 17h5", "M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4z", "M9 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z", "M13 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
  table: ["M4 5.500h16v13H4z", "M4 10h16M4 14.200h16M10 10v8.500"],
  bell: ["M6.500 16.500V11a5.500 5.500 0 0 1 11 0v5.500l1.500 1.500H5z", "M10 20.500h4"],
  flag: ["M6 20.500v-16", "M6 5h11.500l-2.500 4 2.500 4H6"],
  search: ["M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13z", "m15.500 15.500 4.500 4.500"],
  gauge: ["M4 17a8 8 0 1 1 16 0", "M12 17l4-5.500"],
  coin: ["M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16z", "M12 8.500v7M9.500 12h5"],
  more: ["M4 7h16M4 12h16M4 17h16"],
};

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    drawn.append(path);
  }
  return drawn;
}

/** The mark: a frame that plays, with the lines of what moves behind it. The window has the same (`ui/mark.svg`). */
function mark() {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("viewBox", "0 0 32 32");
  drawn.setAttribute("aria-hidden", "true");
  drawn.classList.add("mark");
  const parts = [
    ["path", { class: "ground", d: "M8 0h16a8 8 0 0 1 8 8v16a8 8 0 0 1-8 8H8a8 8 0 0 1-8-8V8a8 8 0 0 1 8-8z" }],
    ["path", { class: "play", d: "M12 9.600c0-1.200 1.300-1.900 2.300-1.300l9.200 6.400c.9.600.9 1.900 0 2.500l-9.200 6.400c-1 .7-2.300 0-2.300-1.200z" }],
    ["path", { class: "trail", d: "M6.500 9.500v13M9 12v8" }],
  ];
  for (const [tag, attributes] of parts) {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    drawn.append(part);
  }
  return drawn;
}

const AT_ONCE_MS = 400;
const OF_ONE_PRESS_MS = 1500;

/**
 * What one press does is one step of the history. On the way to another page Streamlit first gives that page's address
 * to the present one, which Back would then show with filters that were never chosen there; and the page completes its
 * address by the workspace. The first is taken back, the second is no step of its own.
 */
function oneStepAPress() {
  const push = history.pushState.bind(history);
  let before = null; // what the address was before the present page changed it, and when
  history.pushState = (state, title, url) => {
    const wanted = new URL(url ?? location.href, location.href);
    const now = performance.now();
    if (wanted.pathname !== location.pathname) {
      if (before && state !== CHOSEN && now - before.at < OF_ONE_PRESS_MS) history.replaceState(null, "", before.href);
      before = null;
      return push(state, title, url);
    }
    const has = [...new URLSearchParams(location.search)].every(([name, value]) => wanted.searchParams.get(name) === value);
    if (before && has && now - before.at < AT_ONCE_MS) return history.replaceState(state, title, url);
    before = { href: location.href, at: now };
    push(state, title, url);
  };
}

const CHOSEN = "chosen"; // the state of a step that a link makes by itself
if (!window.oneStepAPress) {
  window.oneStepAPress = true; // this module comes anew with each of its versions
  oneStepAPress();
}

/** Go to a page as Back and Forward do: Streamlit runs it, with what the address says, and nothing is loaded anew. */
function go(href) {
  history.pushState(CHOSEN, "", new URL(href, location.href));
  window.dispatchEvent(new PopStateEvent("popstate", { state: null }));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

function leads(link, close) {
  link.addEventListener("click", (event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    close?.();
    go(link.getAttribute("href"));
  });
  return link;
}

/**
 * Streamlit writes a few texts itself, in English; here they are put into the reader's words where they stand.
 *
 * Only whole texts that are Streamlit's are replaced, and none within what a page or a person wrote.
 */
class Translation {
  constructor() {
    this.watch = new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        if (target.nodeType === Node.TEXT_NODE) this.write(target);
        for (const node of addedNodes) this.within(node);
      }
    });
    this.watch.observe(document.body, { subtree: true, childList: true, characterData: true });
  }

  use(words) {
    if (JSON.stringify(words) === JSON.stringify(this.words)) return;
    this.words = words;
    this.within(document.body);
  }

  within(node) {
    if (node.nodeType === Node.TEXT_NODE) this.write(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode()) this.write(text);
    for (const zone of node.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]"))
      zone.removeAttribute("role"); // it can have the focus, and so must not be said to be nothing
    for (const part of [node, ...node.querySelectorAll("[aria-label]")]) {
      const said = part.getAttribute("aria-label");
      if (said && Object.hasOwn(this.words.labels, said)) part.setAttribute("aria-label", this.words.labels[said]);
    }
  }

  write(text) {
    const said = text.nodeValue;
    const { texts, perFile } = this.words;
    const isDialog = said.startsWith("Is Streamlit") || said.startsWith("Streamlit server");
    if (!isDialog && text.parentElement?.closest("[data-testid=stMarkdownContainer]:not(label *), [data-testid=stCode] textarea")) return;
    const size = /^(\d+(?:\.\d+)?)([KMG]B) per file$/.exec(said);
    const wanted = size ? perFile.replace("{size}", `${size[1]}\u00a0${size[2]}`) : texts[said.trim()];
    if (wanted !== undefined && wanted !== said) text.nodeValue = wanted; // itself it would never end
  }
}

let translation; // one for all pages, also while the server is away

class Bar {
  constructor(root) {
    this.root = root;
    this.ending = new AbortController();
    window.addEventListener(
      "video-live",
      ({ detail }) => {
        this.count(detail.live);
        if (detail.unread !== undefined) this.unread(detail.unread);
      },
      { signal: this.ending.signal },
    );
    window.addEventListener("resize", () => this.fit(), { signal: this.ending.signal });
  }

  update(data) {
    const said = JSON.stringify(data);
    if (this.said === said) return;
    const within = this.root.getRootNode().activeElement; // what had the focus has it after the drawing, too
    const focused = within?.dataset?.name;
    const typed = this.root.querySelector("input")?.value ?? "";
    this.said = said;
    this.data = data;
    this.draw();
    const field = this.root.querySelector("input");
    if (field) field.value = typed;
    if (focused) this.root.querySelector(`[data-name="${focused}"]`)?.focus();
  }

  draw() {
    const { links, words, lists, person } = this.data;
    const of = (group) => links.filter((link) => link.group === group);
    const main = of("main");
    const attention = links.find((link) => link.icon === "shield") ?? links.find((link) => link.icon === "flag" && link.count);
    this.menu = this.drawMenu(main.slice(FOOT), of("more"), of("manage"));
    const top = make(
      "div",
      { class: ["top", ...lists].join(" ") },
      leads(make("a", { class: "home", href: main[0].href.replace(/[^/?]*(\?|$)/, "$1"), "aria-label": this.data.name, "data-name": "home" }, mark(), make("span", {}, this.data.name))),
      ...lists.map((list) => make("span", { class: `room ${list}` })),
      make("nav", { class: "pages", "aria-label": words.pages }, ...main.map((link) => this.link(link))),
      make("span", { class: "gap" }),
      this.drawSearch(),
      this.underWay(),
      this.chip(this.data.balance, "coin", "balance"),
      attention ? this.attention(attention) : null,
      this.bell(),
      this.opener("person", words.menu, make("span", { class: "avatar", style: `background:${person.colour}`, "aria-hidden": "true" }, person.initials)),
    );
    const foot = make(
      "nav",
      { class: "foot", "aria-label": words.pages },
      ...main.slice(0, FOOT).map((link) => this.link(link, true)),
      this.opener("more", words.more, icon("more"), make("span", {}, words.more)),
    );
    this.root.replaceChildren(top, foot, this.menu);
    this.count(this.live ?? this.data.live ?? 0);
    this.unread(this.data.inbox.unread);
  }

  link(page, withIcon = false) {
    const told = page.count ? `${page.title} (${page.count})` : page.title;
    const inside = withIcon ? [icon(page.icon), make("span", {}, told)] : [make("span", {}, told)];
    return leads(
      make("a", { href: page.href, "aria-current": page.current && "page", "aria-label": withIcon && page.count ? told : null, "data-name": `page-${page.title}` }, ...inside),
      () => this.menu.matches(":popover-open") && this.menu.hidePopover(),
    );
  }

  attention(page) {
    const link = this.link(page, true);
    link.ariaLabel = link.textContent; // a phone shows its icon alone
    link.classList.add("attention");
    if (page.count) link.classList.add("waits");
    return link;
  }

  /** A figure; what follows its first part (` · 400 reserved`) is left out where there is little room. */
  chip(chip, drawn, name) {
    const [first, ...rest] = chip.text.split(" · ");
    const more = make("span", { class: "more-words" }, rest.map((part) => ` · ${part}`).join(""));
    const said = make("span", { class: "said" }, make("span", {}, first), more);
    return leads(
      make("a", { class: `chip ${name}`, href: chip.href, title: chip.explained, "data-name": name }, icon(drawn), said),
    );
  }

  underWay() {
    const chip = this.chip(this.data.underWay, "make", "moving");
    chip.querySelector("svg").replaceWith(make("span", { class: "pulse", "aria-hidden": "true" }));
    return chip;
  }

  /** The way to the inbox; its count lies over it, so that nothing moves when it changes. */
  bell() {
    const { href, current } = this.data.inbox;
    return leads(make("a", { class: "bell", href, "aria-current": current && "page", "data-name": "bell" }, icon("bell"), make("span", { class: "unread", "aria-hidden": "true" })));
  }

  /** How many notices are unread, by the last look of the page. */
  unread(number) {
    const bell = this.root.querySelector(".bell");
    if (!bell) return;
    const { most, named, namedUnread } = this.data.inbox;
    const told = number >= most ? `${most - 1}+` : String(number);
    const dot = bell.querySelector(".unread");
    dot.hidden = !number;
    dot.textContent = told;
    bell.ariaLabel = bell.title = number ? namedUnread.replace("{number}", told) : named;
  }

  /** How many are under way, by the last look of the page. */
  count(number) {
    this.live = number;
    const chip = this.root.querySelector(".moving");
    if (!chip) return;
    chip.hidden = !number;
    const [before, after] = this.data.underWay.text.split("{number}");
    chip.querySelector(".said").replaceChildren(
      make("span", { class: "more-words" }, before),
      make("span", {}, String(number)),
      make("span", { class: "more-words" }, after ?? ""),
    );
    chip.ariaLabel = this.data.underWay.text.replace("{number}", number);
    this.fit();
  }

  /** Leave out what the bar can do without, as far as it has no room for large figures. */
  fit() {
    const top = this.root.querySelector(".top");
    for (const without of ["", "words", "words search", "words search name", "words search name figure"]) {
      top.dataset.without = without;
      if (top.scrollWidth <= top.clientWidth) break;
    }
    const room = top.querySelector(".room")?.offsetWidth; // the lists of Streamlit lie above the room for them
    if (room) document.documentElement.style.setProperty("--studio-room", `${room - 8}px`);
  }

  drawSearch() {
    if (!this.data.search) return null;
    const { words } = this.data;
    const field = make("input", { type: "search", placeholder: words.search, "aria-label": words.search, maxlength: 200, autocomplete: "off", "data-name": "search" });
    const form = make("form", { role: "search" }, icon("search"), field);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field.value.trim()) return;
      const asked = new URL(this.data.search, location.href);
      asked.searchParams.set("text", field.value.trim());
      field.value = "";
      go(asked);
    });
    return form;
  }

  opener(name, label, ...inside) {
    const button = make("button", { type: "button", class: `opener ${name}`, "aria-label": label, "aria-expanded": "false", "data-name": name }, ...inside);
    button.popoverTargetElement = this.menu;
    this.menu.addEventListener("toggle", ({ newState }) => button.setAttribute("aria-expanded", newState === "open"));
    return button;
  }

  drawMenu(rest, more, manage) {
    const { words, person } = this.data;
    const menu = make("div", { class: "menu" });
    menu.popover = "auto"; // here, because Streamlit's cleaning of markup removes the attribute
    this.menu = menu;
    const part = (title, pages, extra = "") =>
      pages.length
        ? make("div", { class: `part ${extra}` }, title ? make("p", {}, title) : null, ...pages.map((page) => this.link(page, true)))
        : null;
    const who = make("p", { class: "who" }, person.name);
    menu.append(who, make("nav", { "aria-label": words.more }, ...[part("", rest, "rest"), part("", more), part(words.manage, manage)].filter(Boolean)));
    return menu;
  }

  stop() {
    this.ending.abort();
  }
}

export default function ({ data: [data], parentElement }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const root = parentElement.querySelector(".bar");
  root.bar ??= new Bar(root);
  root.bar.update(data);
  translation ??= new Translation();
  translation.use(data.words.streamlit);
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call
    root.bar?.stop();
    delete root.bar;
  };
}
