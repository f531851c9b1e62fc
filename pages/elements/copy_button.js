// Buttons that copy: a text as it is, or the address of this page with another query.

const SAID_MS = 2000;

async function copy(button, { text, query, label }, words) {
  try {
    await navigator.clipboard.writeText(text ?? new URL(query, location.href.split(/[?#]/)[0]).href);
    button.textContent = words.done;
  } catch {
    button.textContent = words.failed;
  }
  setTimeout(() => (button.textContent = label), SAID_MS);
}

export default function ({ data: [data], parentElement }) {
  const row = parentElement.querySelector(".row");
  const known = JSON.stringify(data);
  if (row.known === known) return;
  row.known = known;
  row.replaceChildren(
    ...data.buttons.map((made) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = made.label;
      button.setAttribute("aria-live", "polite");
      button.addEventListener("click", () => copy(button, made, data.words));
      return button;
    }),
  );
}
