// Pictures as buttons; a press tells which one.

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul");
  list.pick = (id) => setTriggerValue("pick", id);
  list.setAttribute("aria-label", data.label);
  const known = JSON.stringify(data);
  if (list.known === known) return;
  list.known = known;
  list.replaceChildren(
    ...data.pictures.map(({ id, link, label, note }) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      const image = document.createElement("img");
      image.alt = "";
      image.loading = "lazy";
      image.decoding = "async";
      image.src = link;
      button.append(image);
      for (const [name, text] of [["label", label], ["note", note]]) {
        const line = document.createElement("span");
        line.className = name;
        line.textContent = text;
        button.append(line);
      }
      button.addEventListener("click", () => list.pick(id));
      item.append(button);
      return item;
    }),
  );
}
