// Cards of projects from JSON, kept by id. One trigger, "pressed": {action, id}. Open and Generate are links as well,
// so that they can be opened in another tab.

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made, " ");
  return made;
}

function make(id, list) {
  const item = element("li", "project", list);
  item.dataset.id = id;
  element("div", "cover", item);
  const name = element("h2", "name", item);
  link("open", name, item, list);
  for (const part of ["description", "facts", "money"]) element("p", part, item);
  const actions = element("div", "actions", item);
  link("generate", actions, item, list);
  const more = element("details", "more", actions);
  element("summary", "summary", more);
  const box = element("div", "box", more);
  for (const action of ["edit", "archive", "transfer", "delete"]) {
    const button = element("button", action, box);
    button.type = "button";
    button.addEventListener("click", () => {
      more.open = false;
      list.press(action, id);
    });
  }
  more.addEventListener("focusout", (event) => more.contains(event.relatedTarget) || (more.open = false));
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !more.open) return;
    more.open = false;
    more.firstChild.focus();
  });
  return item;
}

function link(action, parent, item, list) {
  const made = element("a", action, parent);
  made.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    list.press(action, item.dataset.id);
  });
}

function mosaic(cover, links, none) {
  const shown = JSON.stringify(links);
  if (cover.dataset.shown === shown) return;
  cover.dataset.shown = shown;
  cover.dataset.count = links.length;
  cover.replaceChildren(
    ...links.map((address) => {
      const image = document.createElement("img");
      Object.assign(image, { src: address, alt: "", loading: "lazy", decoding: "async" });
      return image;
    }),
  );
  if (!links.length) cover.textContent = none;
}

function fill(item, project, words, allowed) {
  const allow = (action, word) => (allowed.includes(action) ? word : "");
  const part = (name) => item.querySelector("." + name);
  const write = (name, text) => {
    part(name).textContent = text;
    part(name).hidden = !text;
  };
  mosaic(part("cover"), project.covers, words.none);
  write("open", project.name);
  for (const name of ["description", "facts", "money"]) write(name, project[name]);
  part("open").href = project.open;
  part("generate").href = project.generate;
  write("generate", project.archived ? "" : allow("generate", words.generate));
  write("summary", "⋯");
  write("edit", allow("edit", words.edit));
  write("archive", allow("archive", project.archived ? words.restore : words.archive));
  write("transfer", allow("transfer", words.transfer));
  write("delete", allow("delete", words.delete));
  part("more").hidden = ["edit", "archive", "transfer", "delete"].every((action) => part(action).hidden);
  part("generate").setAttribute("aria-label", `${words.generate}: ${project.name}`);
  part("summary").setAttribute("aria-label", `${words.more}: ${project.name}`);
  part("summary").title = words.more;
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");
  list.press = (action, id) => setTriggerValue("pressed", { action, id });
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  data.projects.forEach((project, place) => {
    const item = known.get(project.id) ?? make(project.id, list);
    fill(item, project, data.words, data.allowed);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  while (list.children.length > data.projects.length) list.lastElementChild.remove();
}
