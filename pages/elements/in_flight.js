// What is under way: items from JSON, patched by `video-live` events. Triggers: "open" and "cancel", with an id.

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " ");
  return made;
}

function make(id, list) {
  const item = element("li", "item", list);
  item.dataset.id = id;
  element("p", "title", item);
  const meta = element("p", "meta", item);
  for (const name of ["avatar", "by", "what"]) element("span", name, meta);
  const bar = element("div", "bar", item);
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", "100");
  element("div", "fill", bar);
  element("p", "where", item);
  const actions = element("div", "actions", item);
  const details = element("button", "details", actions);
  details.type = "button";
  details.addEventListener("click", () => list.trigger("open", id));
  const more = element("details", "more", actions);
  element("summary", "summary", more);
  const box = element("div", "box", more);
  element("p", "cost", box);
  const confirm = element("button", "confirm", box);
  confirm.type = "button";
  confirm.addEventListener("click", () => list.trigger("cancel", id));
  return item;
}

function write(found, text) {
  if (found.textContent !== text) found.textContent = text;
}

/** What changes while it is under way. */
function move(item, now, words) {
  const part = (name) => item.querySelector("." + name);
  const percent = Math.round(now.progress * 100);
  part("fill").style.width = percent + "%";
  part("bar").setAttribute("aria-valuenow", percent);
  part("bar").setAttribute("aria-valuetext", now.where);
  item.dataset.status = now.status;
  write(part("where"), now.where);
  part("more").hidden = !now.cancel || !words.cancel;
  part("confirm").hidden = !now.cancel?.can;
  if (!now.cancel) return;
  write(part("summary"), now.cancel.can ? words.cancel : words.fixed);
  write(part("cost"), now.cancel.text);
}

function draw(list, { items, words }) {
  list.words = words;
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const wanted = items.map((now) => {
    const item = known.get(now.id) ?? make(now.id, list);
    const part = (name) => item.querySelector("." + name);
    write(part("title"), now.title);
    part("title").hidden = !words.details;
    write(part("what"), now.meta);
    part("avatar").hidden = part("by").hidden = !now.maker;
    write(part("avatar"), now.maker?.initials ?? "");
    part("avatar").style.background = now.maker?.colour ?? "";
    write(part("by"), now.maker ? `${now.maker.name} ·` : "");
    write(part("details"), words.details);
    part("details").hidden = !words.details;
    write(part("confirm"), words.confirm);
    part("details").setAttribute("aria-label", `${words.details}: ${now.title}`);
    part("bar").setAttribute("aria-label", `${words.progress}: ${now.title}`);
    move(item, now, words);
    return item;
  });
  for (const item of [...list.children]) if (!wanted.includes(item)) item.remove();
  wanted.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
}

function hear(list, { items }) {
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  for (const now of items) if (known.has(now.id)) move(known.get(now.id), now, list.words);
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");
  list.trigger = setTriggerValue;
  if (!list.ear) {
    list.ear = (event) => hear(list, event.detail);
    list.show = ({ detail: ids }) => [...list.children].forEach((item) => ids.add(item.dataset.id));
    window.addEventListener("video-live", list.ear);
    window.addEventListener("video-live-shown", list.show);
  }
  draw(list, data);
  return () => {
    if (list.isConnected) return; // newer data overtook this call: the list goes on with them
    window.removeEventListener("video-live", list.ear);
    window.removeEventListener("video-live-shown", list.show);
    delete list.ear;
  };
}
