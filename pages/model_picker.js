// Models as native radio buttons dressed as cards: arrow keys, labels and focus come with them. One trigger ("pick").

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

function make(model, set, group) {
  const label = element("label", "model", set);
  const radio = element("input", "radio", label);
  radio.type = "radio";
  radio.name = group;
  radio.value = model.id;
  radio.addEventListener("change", () => set.pick(model.id));
  for (const name of ["name", "provider", "price", "facts"]) element("span", name, label);
  return label;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const set = parentElement.querySelector("fieldset");
  set.pick = (id) => setTriggerValue("pick", id);
  const models = data?.models ?? [];
  const ids = models.map((model) => model.id).join(" ");
  if (set.dataset.ids !== ids) {
    set.querySelectorAll("label").forEach((label) => label.remove());
    models.forEach((model) => make(model, set, "model"));
    set.dataset.ids = ids;
  }
  set.querySelectorAll("label").forEach((label, place) => {
    const model = models[place];
    const radio = label.querySelector("input");
    radio.checked = model.id === data.chosen;
    radio.disabled = !model.usable;
    label.classList.toggle("off", !model.usable);
    for (const name of ["name", "provider", "price", "facts"]) label.querySelector("." + name).textContent = model[name];
  });
}
