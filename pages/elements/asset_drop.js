// A place to drop files for the library: they are sent from here, one after the other; the page is told when all are in.

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

class Drop extends Uploader {
  constructor(parent) {
    super();
    this.zone = parent.querySelector(".drop");
    this.input = parent.querySelector("input");
    this.hint = parent.querySelector(".hint");
    this.button = parent.querySelector(".choose");
    this.list = parent.querySelector(".files");
    this.waiting = [];
    const { signal } = this.ending;
    this.button.addEventListener("click", () => this.input.click());
    this.input.addEventListener("change", () => {
      this.take([...this.input.files]);
      this.input.value = "";
    });
    const on = (name, act) => window.addEventListener(name, act, { signal });
    on("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.zone.classList.add("over");
    });
    on("dragleave", (event) => event.relatedTarget === null && this.zone.classList.remove("over"));
    on("drop", (event) => {
      this.zone.classList.remove("over");
      if (!hasFiles(event) || event.defaultPrevented) return;
      event.preventDefault();
      this.take([...event.dataTransfer.files]);
    });
    on("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) this.take(files);
    });
  }

  update(data, act) {
    this.data = data;
    this.act = act;
    this.arrived?.();
    const { words } = data;
    this.zone.setAttribute("aria-label", words.label);
    this.hint.textContent = `${words.hint} · ${words.explained}`;
    this.button.textContent = words.choose;
    this.input.accept = data.types;
    this.input.setAttribute("aria-label", words.label);
  }

  take(files) {
    for (const file of files) {
      const line = document.createElement("li");
      this.say(line, file, this.data.words.sending);
      this.list.append(line);
      this.waiting.push({ file, line });
    }
    if (!this.isSending) this.sendAll();
  }

  async sendAll() {
    this.isSending = true;
    let number = 0;
    while (this.waiting.length && !this.ending.signal.aborted) {
      const { file, line } = this.waiting.shift();
      const said = await this.send(file);
      if (said.key) {
        number += 1;
        line.remove();
      } else {
        line.className = "problem";
        this.say(line, file, said.problem ?? this.data.words.failed);
      }
    }
    this.isSending = false;
    if (number && !this.ending.signal.aborted) this.act("brought", { number, at: Date.now() });
  }

  say(line, file, text) {
    line.textContent = `${file.name}: ${text}`;
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const zone = parentElement.querySelector(".drop");
  zone.place ??= new Drop(parentElement);
  zone.place.update(data, (word, said) => setTriggerValue(word, said));
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call
    zone.place?.stop();
    delete zone.place;
  };
}
