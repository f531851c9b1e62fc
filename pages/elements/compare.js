// Clips side by side under one set of controls. The longest clip is the clock; the others are kept in step with it.

const STEP_SECONDS = 0.15; // by how much a clip may be off before it is set right

function element(tag, name, parent, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  parent.append(made);
  return made;
}

function drawClip(clip, place, { facts, words }, parent) {
  const name = words.clip.replace("{number}", place + 1);
  const part = element("section", "clip", parent);
  part.setAttribute("aria-label", name);
  const video = element("video", "video", part);
  video.src = clip.source;
  if (clip.poster) video.poster = clip.poster;
  video.preload = "auto";
  video.muted = true;
  video.playsInline = true;
  video.setAttribute("aria-label", name);
  const label = element("label", "sound", part);
  const box = element("input", "", label);
  box.type = "checkbox";
  label.append(" " + words.sound);
  box.addEventListener("change", () => (video.muted = !box.checked));
  const list = element("dl", "facts", part);
  for (const { label: fact, values, differs } of facts) {
    const row = element("div", differs ? "fact differs" : "fact", list);
    const term = element("dt", "", row, fact);
    if (differs) element("span", "mark", term, words.differs);
    element("dd", "", row, values[place]);
  }
  return video;
}

function drawControls(videos, words, parent) {
  const button = element("button", "play", parent, words.play);
  button.type = "button";
  const seek = element("input", "seek", parent);
  seek.type = "range";
  seek.min = 0;
  seek.step = 0.01;
  seek.value = 0;
  seek.setAttribute("aria-label", words.position);
  const tenths = new Intl.NumberFormat(words.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const worded = (seconds) => words.seconds.replace("{seconds}", tenths.format(seconds));
  const time = element("span", "time", parent, worded(0));
  let playing = false;
  let wanted = 0;

  const length = (video) => (Number.isFinite(video.duration) ? video.duration : 0);
  const clock = () => videos.reduce((long, video) => (length(video) > length(long) ? video : long));
  const show = (seconds) => {
    seek.max = length(clock());
    seek.value = seconds;
    time.textContent = worded(seconds) + " / " + worded(length(clock()));
  };
  const pause = () => {
    playing = false;
    button.textContent = words.play;
    videos.forEach((video) => video.pause());
  };
  const go = (seconds) => {
    wanted = seconds;
    videos.forEach((video) => (video.currentTime = Math.min(seconds, length(video))));
    show(seconds);
  };
  const play = async () => {
    if (clock().ended || wanted >= length(clock())) go(0);
    playing = true;
    button.textContent = words.pause;
    await Promise.allSettled(videos.filter((video) => !video.ended).map((video) => video.play()));
  };
  const inStep = () => {
    if (!playing) return;
    wanted = clock().currentTime;
    for (const video of videos) {
      const right = Math.min(wanted, length(video));
      if (Math.abs(video.currentTime - right) > STEP_SECONDS) video.currentTime = right;
    }
    show(wanted);
    if (clock().ended) pause();
  };
  button.addEventListener("click", () => (playing ? pause() : play()));
  seek.addEventListener("input", () => go(Number(seek.value)));
  for (const video of videos) {
    video.addEventListener("timeupdate", inStep);
    video.addEventListener("ended", inStep);
    video.addEventListener("loadedmetadata", () => show(wanted));
  }
  return pause;
}

export default function ({ data: [data], parentElement }) {
  const [controls, clips] = parentElement.querySelectorAll(".controls, .clips");
  // The links of a page drawn again may be newer; the clips are the same ones.
  const known = JSON.stringify(data.clips.map(({ source }) => source.split("?")[0]));
  if (clips.known !== known) {
    clips.known = known;
    controls.replaceChildren();
    clips.replaceChildren();
    const videos = data.clips.map((clip, place) => drawClip(clip, place, data, clips));
    clips.pause = drawControls(videos, data.words, controls);
  }
  return () => clips.isConnected || clips.pause(); // still there: newer data overtook this call
}
