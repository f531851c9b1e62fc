// Looks every two seconds at what is under way and tells the page; reruns it only when something began or ended.

const SOON_MS = 2000; // while something of this person is under way
const SELDOM_MS = 6000; // while nothing is: an order of a script is noticed, and workers that are away
const LONGEST_MS = 30000;
const PATIENCE_MS = 6000; // a rerun that was asked for and did not come is asked for again
const TOAST_MS = 8000;
const PREFIX = /^(✓ )?(\(\d+\) )?/;

let toldNumber = 0; // outlives the element, which a change of the page may mount anew

function everything(selector, root = document) {
  const found = [...root.querySelectorAll(selector)];
  for (const host of root.querySelectorAll("*")) {
    if (host.shadowRoot) found.push(...everything(selector, host.shadowRoot));
  }
  return found;
}

/** The ids of what this page shows and can move: its elements add them. */
function shown() {
  const ids = new Set();
  window.dispatchEvent(new CustomEvent("video-live-shown", { detail: ids }));
  return [...ids];
}

/** Whether a rerun now would take something from its person: a clip that plays or is looked at, or an open dialog that
 *  the address does not keep. */
function busy() {
  if (document.fullscreenElement || document.querySelector(".st-key-clip_viewer")) return true;
  const played = (video) => !video.paused && !video.ended && !(video.muted && video.loop); // that would be a preview
  if (everything("video").some(played)) return true;
  return document.querySelector("[role=dialog]") !== null && !new URLSearchParams(location.search).has("clip");
}

class Watch {
  constructor(heard, toast) {
    this.heard = heard;
    this.heard.setAttribute("role", "status");
    this.heard.ariaLive = "polite";
    this.toast = toast;
    this.toast.ariaHidden = "true"; // it is heard already
    this.toast.popover = "manual"; // here, because Streamlit's cleaning of markup removes the attribute
    this.failures = 0;
    this.said = new Set(); // whose end was told before the page was drawn again
    this.marked = false;
    this.ending = new AbortController();
    const { signal } = this.ending;
    document.addEventListener("visibilitychange", () => this.wake(), { signal });
    window.addEventListener("focus", () => this.seen(), { signal });
    window.addEventListener("online", () => this.look(), { signal });
    document.addEventListener("pause", () => this.live !== undefined && this.later(500), { signal, capture: true });
    this.tabs = new BroadcastChannel("video-live");
    this.tabs.onmessage = ({ data }) => this.hear(data);
    this.titles = new MutationObserver(() => this.title());
    this.titles.observe(document.head, { subtree: true, childList: true, characterData: true });
  }

  /** New data of a rerun. */
  update(data, rerun) {
    const changed = this.data && this.data.state !== data.state;
    this.behind = false;
    document.documentElement.lang = data.language; // Streamlit says "en", whatever the page is written in
    this.data = data;
    this.rerun = rerun;
    this.live = data.live;
    this.outage = data.outage; // the page says it
    this.met = new Set(); // what is under way since this run: it may end while nothing may be drawn again
    const { number, text, ids } = data.told;
    const told = number !== toldNumber && number > 0; // a server that came back counts from the beginning
    toldNumber = number;
    if (told) {
      if (!ids.every((id) => this.said.has(id))) this.tell(text);
      this.tabs.postMessage({ live: data.live, ended: true });
    } else if (changed) this.tabs.postMessage({ live: data.live, ended: false });
    this.title();
    this.later(this.pace());
  }

  pace() {
    return this.live ? SOON_MS : SELDOM_MS;
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    if (!document.hidden && !this.ending.signal.aborted) this.timer = setTimeout(() => this.look(), milliseconds);
  }

  async look() {
    clearTimeout(this.timer);
    if (document.hidden || this.looking || !this.data) return;
    this.looking = true;
    try {
      const answer = await this.ask();
      this.failures = 0;
      if (answer) await this.take(answer);
      this.later(answer ? this.pace() : SELDOM_MS);
    } catch {
      this.failures += 1; // no connection, or a server in trouble
      this.later(Math.min(LONGEST_MS, SOON_MS * 2 ** this.failures));
    } finally {
      this.looking = false;
    }
  }

  /** What is under way; null when the token has expired, which a rerun renews. */
  async ask(what = `shown=${shown().join()}`) {
    const { address, token } = this.data;
    const headers = { Authorization: `Bearer ${token}` };
    const signal = AbortSignal.any([this.ending.signal, AbortSignal.timeout(10000)]);
    const reply = await fetch(`${address}?${what}`, { headers, signal });
    if (reply.status === 401) {
      this.change(token);
      return null;
    }
    if (!reply.ok) throw new Error(String(reply.status));
    return reply.json();
  }

  async take(answer) {
    this.live = answer.live;
    window.dispatchEvent(new CustomEvent("video-live", { detail: answer }));
    this.title();
    for (const id of answer.newest) this.met.add(id);
    if (answer.state !== this.data.state) this.behind = true;
    const waits = this.behind && busy();
    if (waits && answer.outage && !this.outage) this.tell(answer.outage); // else the page says it, once
    if (!answer.outage && this.outage) this.tell(this.data.well);
    this.outage = answer.outage;
    if (waits) await this.tellOfEnded(answer.newest);
    else if (this.behind) this.change(answer.state);
  }

  /** Say what has ended though the page may not be drawn again now; elements that show it look for themselves. */
  async tellOfEnded(live) {
    const known = new Set([...this.met, ...shown()]); // what is shown may have ended before the first look
    const gone = [...known].filter((id) => !live.includes(id) && !this.said.has(id));
    const told = gone.length && (await this.ask(`ended=${gone.join()}`));
    if (!told?.ids.length) return;
    for (const id of told.ids) this.said.add(id);
    this.tell(told.text);
    this.tabs.postMessage({ live: this.live, ended: true });
    window.dispatchEvent(new CustomEvent("video-live-ended", { detail: told.ids }));
  }

  /** Ask for one rerun because of `what`, when it disturbs nobody. */
  change(what) {
    const now = performance.now();
    if (busy() || (this.asked?.what === what && now - this.asked.at < PATIENCE_MS)) return;
    this.asked = { what, at: now };
    this.rerun({ what, met: [...this.met] });
  }

  /** Another tab of this browser saw something begin or end. */
  hear({ live, ended }) {
    this.live = live;
    if (ended && document.hidden) this.marked = true;
    this.title();
    this.look();
  }

  wake() {
    if (document.hidden) clearTimeout(this.timer);
    else {
      if (document.hasFocus()) this.seen();
      this.look();
    }
  }

  seen() {
    this.marked = false;
    this.title();
  }

  tell(text) {
    this.heard.textContent = text;
    this.toast.textContent = text;
    this.toast.showPopover();
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => this.toast.hidePopover(), TOAST_MS);
    if (!document.hasFocus()) this.marked = true;
  }

  /** `✓` until an end was seen, and how many are under way, before whatever the page is called. */
  title() {
    const mark = this.marked ? "✓ " : "";
    const count = this.live ? `(${this.live}) ` : "";
    const wanted = mark + count + document.title.replace(PREFIX, "");
    if (document.title !== wanted) document.title = wanted;
  }

  stop() {
    this.ending.abort();
    clearTimeout(this.timer);
    clearTimeout(this.hiding);
    this.titles.disconnect();
    this.tabs.close();
  }
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  if (!parentElement.isConnected) return; // its page was left before this code was here
  const toast = parentElement.querySelector(".seen");
  toast.watch ??= new Watch(parentElement.querySelector(".heard"), toast);
  toast.watch.update(data, (what) => setTriggerValue("changed", what));
  return () => {
    if (parentElement.isConnected) return; // newer data overtook this call: the watch goes on with them
    toast.watch?.stop();
    delete toast.watch;
  };
}
