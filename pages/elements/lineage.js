// Strips of clips from JSON; a press of one says its id: the trigger is "open".

function element(tag, name, parent, text) {
  const made = document.createElement(tag);
  made.className = name;
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

function clip(found, list, press) {
  const item = element("li", "item", list);
  const button = element("button", "clip", item);
  button.type = "button";
  if (found.here) button.setAttribute("aria-current", "true");
  else button.addEventListener("click", () => press(found.id));
  const picture = element("span", "picture", button);
  if (found.poster) {
    const image = element("img", "poster", picture);
    Object.assign(image, { src: found.poster, alt: "", loading: "lazy", decoding: "async" });
  }
  if (found.state) element("span", "state", picture, found.state);
  element("span", "label", button, found.label);
  element("span", "note", button, found.note);
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const strips = parentElement.querySelector(".strips");
  const known = JSON.stringify(data);
  if (strips.known === known) return;
  strips.known = known;
  strips.replaceChildren();
  data.strips.forEach((strip) => {
    const group = element("div", "strip", strips);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", strip.title);
    element("p", "title", group, strip.title);
    const list = element("ul", "list", group);
    strip.clips.forEach((each) => clip(each, list, (id) => setTriggerValue("open", id)));
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  });
  if (data.more) element("p", "note", strips, data.more);
}
