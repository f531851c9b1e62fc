// Models as native radio buttons dressed as cards: arrow keys, labels and focus come with them. One trigger ("pick").

const TEXTS = ["name", "provider", "state", "price", "rate", "makes", "about", "record"];
let groups = 0;

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

function card(model, place, group, pick) {
  const label = element("label", "model", place);
  const radio = element("input", "radio", label);
  radio.type = "radio";
  radio.name = group;
  radio.value = model.id;
  radio.addEventListener("change", () => pick(model.id));
  const top = element("span", "top", label);
  element("span", "name", top).id = `${group}-${model.id}`;
  element("span", "state", top);
  const cost = element("span", "cost", label);
  element("span", "price", cost);
  element("span", "rate", cost);
  for (const name of ["about", "makes", "record"]) element("span", name, label);
  element("span", "features", label);
  element("span", "provider", label);
  return label;
}

function fill(label, model, chosen) {
  for (const name of TEXTS) label.querySelector("." + name).textContent = model[name];
  const features = label.querySelector(".features");
  features.replaceChildren(
    ...model.features.map((feature) => {
      const chip = document.createElement("span");
      chip.textContent = feature;
      return chip;
    }),
  );
  const radio = label.querySelector("input");
  radio.checked = model.id === chosen;
  label.classList.toggle("off", !model.usable);
}

function chips(place, data, refresh) {
  const names = JSON.stringify(data.abilities);
  if (place.dataset.names === names) return;
  place.dataset.names = names;
  place.replaceChildren();
  place.setAttribute("aria-label", data.wanted);
  const entries = Object.entries(data.abilities);
  if (entries.length) element("span", "hint", place).textContent = data.wanted;
  for (const [ability, name] of entries) {
    const chip = element("button", "ability", place);
    chip.type = "button";
    chip.value = ability;
    chip.textContent = name;
    chip.setAttribute("aria-pressed", "false");
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      refresh();
    });
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const set = parentElement.querySelector("fieldset");
  const more = parentElement.querySelector("details");
  const [first, later] = parentElement.querySelectorAll(".cards");
  const models = data?.models ?? [];
  set.pick = (id) => setTriggerValue("pick", id);
  set.models = models;
  set.chosen = data.chosen;
  set.group ??= `models-${++groups}`;
  set.querySelector("legend").textContent = data.legend;
  first.setAttribute("aria-label", data.legend);
  first.classList.toggle("many", data.many);
  more.querySelector("summary").textContent = data.locked;
  more.hidden = models.length === data.shown;

  const ids = models.map((model) => model.id).join(" ") + ` ${data.shown}`;
  if (set.dataset.ids !== ids) {
    first.replaceChildren();
    later.replaceChildren();
    models.forEach((model, place) =>
      card(model, place < data.shown ? first : later, set.group, (id) => set.pick(id)),
    );
    set.dataset.ids = ids;
    set.scrolls = true;
  }
  const labels = parentElement.querySelectorAll("label");
  labels.forEach((label, place) => fill(label, models[place], data.chosen));

  set.refresh = () => {
    const wanted = [...set.querySelectorAll(".ability[aria-pressed=true]")].map((chip) => chip.value);
    let hidden = 0;
    parentElement.querySelectorAll("label").forEach((label, place) => {
      const model = set.models[place];
      label.hidden = model.id !== set.chosen && !wanted.every((ability) => model.can.includes(ability));
      hidden += label.hidden && label.parentElement === first;
    });
    set.querySelector(".none").textContent = hidden && hidden >= data.shown - 1 ? data.none : "";
  };
  chips(set.querySelector(".wanted"), data, () => set.refresh());
  set.refresh();
  if (set.scrolls && data.many) {
    const chosen = [...first.children].find((label) => label.querySelector(":checked"));
    if (chosen) first.scrollTop = chosen.offsetTop - first.offsetTop - 4;
    set.scrolls = false;
  }
}
