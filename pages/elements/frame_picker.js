// A clip that stands still, gone through by a slider, by buttons or by the keys , and . ; tells which picture is shown.

class Picker {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.line = root.querySelector(".line");
    this.time = root.querySelector(".time");
    this.video.addEventListener("loadedmetadata", () => this.ready());
    this.video.addEventListener("seeked", () => this.said());
    this.line.addEventListener("input", () => this.go(Number(this.line.value)));
    root.querySelector(".back").addEventListener("click", () => this.step(-1));
    root.querySelector(".on").addEventListener("click", () => this.step(1));
    root.querySelector(".take").addEventListener("click", () => this.take(this.moment()));
    root.addEventListener("keydown", (event) => {
      const way = { ",": -1, ".": 1 }[event.key];
      if (way) this.step(way);
    });
    this.watch();
  }

  update(data, take) {
    const { words } = data;
    this.data = data;
    this.take = take;
    if (this.video.getAttribute("src") !== data.link && !this.isSame(data.link)) this.video.src = data.link;
    this.video.setAttribute("aria-label", data.label);
    this.line.setAttribute("aria-label", words.moment);
    for (const name of ["back", "on", "take"]) this.root.querySelector(`.${name}`).textContent = words[name];
    this.said();
  }

  /** A link to the same file is signed anew every quarter of an hour; the clip is not loaded again for that. */
  isSame(link) {
    return this.video.getAttribute("src")?.split("?")[0] === link.split("?")[0];
  }

  ready() {
    this.line.max = this.video.duration;
    this.said();
  }

  /** The exact time of the picture that is shown, where the browser tells it. */
  watch() {
    this.video.requestVideoFrameCallback?.((_now, { mediaTime }) => {
      this.shown = mediaTime;
      this.said();
      this.watch();
    });
  }

  moment() {
    const now = this.video.currentTime;
    const near = this.shown !== undefined && Math.abs(this.shown - now) <= 1.5 / this.data.rate;
    return near ? this.shown : now;
  }

  go(seconds) {
    this.video.pause();
    this.video.currentTime = Math.min(Math.max(0, seconds), this.video.duration || 0);
  }

  step(way) {
    const frame = 1 / this.data.rate;
    this.go((Math.floor(this.moment() / frame + 0.01) + way + 0.5) * frame); // the middle of a picture: no edge to miss
  }

  said() {
    const now = this.video.currentTime || 0;
    const shown = now.toLocaleString(this.data.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    this.time.textContent = this.data.words.time.replace("{seconds}", shown);
    this.line.value = now;
    this.line.setAttribute("aria-valuetext", this.time.textContent);
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".picker");
  root.picker ??= new Picker(root);
  root.picker.update(data, (seconds) => setTriggerValue("take", seconds));
}
