// Moments of the player of this dialog: one goes there, "taken" tells in seconds where the player stands.

const player = () => document.querySelector("[role=dialog] video");

function made(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

function go(at) {
  const video = player();
  if (!video) return;
  video.currentTime = at;
  video.scrollIntoView({ block: "nearest" });
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const row = parentElement.querySelector(".row");
  const known = JSON.stringify(data);
  if (row.known === known) return;
  row.known = known;
  const buttons = data.moments.map(({ at, label }) => made(label, () => go(at)));
  if (data.take) {
    const take = () => {
      const video = player();
      if (video) setTriggerValue("taken", Math.floor(video.currentTime * 10) / 10);
    };
    buttons.push(made(data.take, take));
  }
  row.replaceChildren(...buttons);
}
