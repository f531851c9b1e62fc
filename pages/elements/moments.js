// Moments of the clip in the viewer: one goes there, "taken" tells in seconds where it stands.

function made(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

function go(at) {
  window.dispatchEvent(new CustomEvent("video-viewer-go", { detail: at }));
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const row = parentElement.querySelector(".row");
  const known = JSON.stringify(data);
  if (row.known === known) return;
  row.known = known;
  const buttons = data.moments.map(({ at, label }) => made(label, () => go(at)));
  if (data.take) {
    const take = () => {
      const place = {};
      window.dispatchEvent(new CustomEvent("video-viewer-where", { detail: place }));
      if (Number.isFinite(place.seconds)) setTriggerValue("taken", Math.floor(place.seconds * 10) / 10);
    };
    buttons.push(made(data.take, take));
  }
  row.replaceChildren(...buttons);
}
