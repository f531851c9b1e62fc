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
  playing(element("div", "cover", item), item);
  const head = element("div", "head", item);
  const name = element("h2", "name", head);
  link("open", name, item, list);
  const more = element("details", "more", head);
  element("p", "description", item);
  const about = element("div", "about", item);
  element("p", "facts", about);
  element("div", "people", about);
  const actions = element("div", "actions", item);
  const month = element("div", "month", actions);
  element("p", "money", month);
  element("span", "fill", element("span", "track", month));
  link("generate", actions, item, list);
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

/** While a pointer rests on a card, or the keyboard is in it, its newest clip plays where its pictures are. */
function playing(cover, item) {
  let video;
  const stop = () => {
    video?.remove();
    video = undefined;
  };
  const start = () => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (video || still || !cover.dataset.preview) return;
    video = document.createElement("video");
    Object.assign(video, { src: cover.dataset.preview, muted: true, loop: true, playsInline: true, ariaHidden: "true" });
    video.addEventListener("playing", () => video?.classList.add("seen"));
    video.addEventListener("error", stop);
    cover.append(video);
    video.play().catch(stop);
  };
  item.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && start());
  item.addEventListener("pointerleave", stop);
  item.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && start());
  item.addEventListener("focusout", (event) => item.contains(event.relatedTarget) || stop());
}

function faces(place, people) {
  place.replaceChildren(
    ...people.map(({ initials, colour, name }) => {
      const face = document.createElement("span");
      face.textContent = initials;
      face.title = name;
      face.style.background = colour;
      face.setAttribute("role", "img");
      face.setAttribute("aria-label", name);
      return face;
    }),
  );
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
      image.addEventListener("error", () => image.classList.add("gone")); // a storage that is away
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
  part("cover").dataset.preview = project.preview ?? "";
  faces(part("people"), project.people);
  part("month").title = project.inAll;
  part("fill").parentElement.style.visibility = project.share === null ? "hidden" : "";
  part("fill").style.width = `${(project.share ?? 0) * 100}%`;
  part("fill").classList.toggle("over", project.over);
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
