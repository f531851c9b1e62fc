// What plays: one clip, or several in step, and the clips beside them, which are loaded before they are asked for.

const STEP_SECONDS = 0.15; // by how much a clip may be off before it is set right
const FASTEST = 8;
const TICK_MS = 60;
const CALM = window.matchMedia("(prefers-reduced-motion: reduce)"); // then nothing moves until it is told to

class Player {
  constructor(changed) {
    this.changed = changed;
    this.pool = new Map(); // id -> video, with those that wait
    this.shown = [];
    this.muted = true;
    this.paused = CALM.matches;
    this.speed = 1; // below zero: backwards, which no browser plays by itself
  }

  video(clip) {
    let video = this.pool.get(clip.id);
    if (!video) {
      video = document.createElement("video");
      video.className = "video";
      video.preload = "auto";
      video.muted = true;
      video.playsInline = true;
      video.disablePictureInPicture = true;
      for (const event of ["loadedmetadata", "seeked", "timeupdate", "playing", "pause", "error"])
        video.addEventListener(event, () => this.shown.includes(video) && this.tick(event));
      video.addEventListener("ended", () => this.shown.includes(video) && this.ended());
      this.pool.set(clip.id, video);
    }
    if (clip.source && (!video.src || video.error)) {
      const at = video.error ? video.currentTime : 0;
      video.poster = clip.poster ?? "";
      video.src = clip.source; // a newer link to the same clip is not needed while it plays
      if (at) this.goOnAt(video, at);
    }
    return video;
  }

  /** With a newer link a clip goes on where the older one ended. */
  goOnAt(video, seconds) {
    video.addEventListener("loadedmetadata", () => (video.currentTime = seconds), { once: true });
    if (this.playing && this.shown.includes(video)) video.play().catch(() => {}); // an error of its own says so
  }

  /** Play these, from their beginnings, and get these others ready. */
  show(clips, next) {
    const wanted = clips.filter(({ source }) => source);
    const videos = wanted.map((clip) => this.video(clip));
    for (const video of this.shown) if (!videos.includes(video)) this.rest(video);
    this.shown = videos;
    this.fps = clips.map(({ fps }) => fps || 24);
    for (const video of videos) {
      video.muted = this.muted || video !== videos[0];
      video.loop = videos.length === 1;
      video.playbackRate = Math.max(this.speed, 1);
    }
    if (this.speed < 0) this.speed = 1;
    this.prepare([...wanted, ...next.filter(({ source }) => source)]);
    if (!CALM.matches) this.paused = false;
    if (!this.paused) this.play();
    return videos;
  }

  prepare(clips) {
    const ids = new Set(clips.map(({ id }) => id));
    for (const [id, video] of this.pool) {
      if (ids.has(id)) continue;
      video.removeAttribute("src");
      video.load(); // lets go of its connection and its memory
      this.pool.delete(id);
    }
    clips.forEach((clip) => this.video(clip));
  }

  rest(video) {
    video.pause();
    video.muted = true;
    if (video.readyState) video.currentTime = 0;
  }

  get clock() {
    return this.shown.reduce((long, video) => (length(video) > length(long) ? video : long), this.shown[0]);
  }

  get seconds() {
    return this.clock?.currentTime ?? 0;
  }

  get playing() {
    return !this.paused && this.shown.length > 0;
  }

  async play() {
    this.paused = false;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    if (this.shown.length > 1 && this.shown.some((video) => video.ended)) this.seek(0);
    const started = this.shown.filter((video) => !video.ended).map((video) => video.play());
    this.changed();
    const failed = (await Promise.allSettled(started)).find(({ reason }) => reason?.name === "NotAllowedError");
    if (failed && !this.muted) {
      this.mute(true); // a browser that was not touched yet plays only what is silent
      this.play();
    }
  }

  pause() {
    this.paused = true;
    clearInterval(this.timer);
    this.shown.forEach((video) => video.pause());
    this.setSpeed(1);
    this.changed();
  }

  toggle() {
    if (this.paused) this.play();
    else this.pause();
  }

  /** J and L: a press more is twice as fast, up to a limit; the other direction begins anew. */
  shuttle(direction) {
    const faster = Math.sign(this.speed) === direction && !this.paused;
    const speed = faster ? Math.min(FASTEST, Math.abs(this.speed) * 2) : 1;
    this.setSpeed(speed * direction);
    if (direction > 0) this.play();
    else {
      this.shown.forEach((video) => video.pause());
      this.paused = false;
      this.last = performance.now();
      clearInterval(this.timer);
      this.timer = setInterval(() => this.backwards(), TICK_MS);
      this.changed();
    }
  }

  backwards() {
    const now = performance.now();
    const at = this.seconds + ((now - this.last) / 1000) * this.speed;
    this.last = now;
    this.seek(Math.max(0, at));
    if (at <= 0) this.pause();
  }

  setSpeed(speed) {
    this.speed = speed;
    if (speed > 0) for (const video of this.shown) video.playbackRate = speed;
  }

  /** To the middle of the frame before or after: at its very edge browsers show the one or the other. */
  step(by) {
    if (!this.paused) this.pause();
    this.shown.forEach((video, place) => {
      const fps = this.fps[place];
      const last = Math.max(0, Math.ceil(length(video) * fps) - 1);
      const frame = Math.min(last, Math.max(0, this.frame(place) + by));
      video.currentTime = Math.min(length(video), (frame + 0.5) / fps);
    });
    this.changed();
  }

  frame(place = this.shown.indexOf(this.clock)) {
    return Math.floor((this.shown[place]?.currentTime ?? 0) * (this.fps?.[place] ?? 24) + 0.001);
  }

  seek(seconds) {
    for (const video of this.shown) video.currentTime = Math.min(seconds, length(video));
    this.changed();
  }

  mute(muted, heard = 0) {
    this.muted = muted;
    this.shown.forEach((video, place) => (video.muted = muted || place !== heard));
    this.changed();
  }

  ended() {
    if (this.shown.length < 2 || this.paused) return;
    if (!this.shown.every((video) => video.ended || video === this.clock)) return;
    this.seek(0);
    this.play();
  }

  tick(event) {
    if (this.playing && this.shown.length > 1 && this.speed > 0) {
      const { clock } = this;
      for (const video of this.shown) {
        const right = Math.min(clock.currentTime, length(video));
        if (video !== clock && !video.seeking && Math.abs(video.currentTime - right) > STEP_SECONDS)
          video.currentTime = right;
      }
      if (clock.ended) this.ended();
    }
    this.changed(event);
  }

  stop() {
    clearInterval(this.timer);
    this.shown = [];
    this.prepare([]);
  }
}

function length(video) {
  return Number.isFinite(video?.duration) ? video.duration : 0;
}

