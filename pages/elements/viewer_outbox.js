// What was decided and is not written down yet: sent one after the other, kept until the server has answered, also over
// a reload of the tab. It outlives the element, since the viewer may be closed before everything is sent.

const SOON_AGAIN_MS = 1000;
const LATER_AGAIN_MS = 15000;
const MOST_AT_ONCE = 8; // as the address takes them

class Outbox extends EventTarget {
  constructor() {
    super();
    this.waiting = [];
    this.failures = 0;
    window.addEventListener("online", () => this.send());
    window.addEventListener("beforeunload", (event) => this.waiting.length && event.preventDefault());
  }

  /** Whose it is, and what to send it with; what this tab had left of theirs goes first. */
  use({ who, address, token }) {
    this.address = address;
    this.token = token;
    if (this.who !== who) {
      this.who = who;
      try {
        this.waiting = JSON.parse(sessionStorage.getItem(this.place) ?? "[]");
      } catch {
        this.waiting = []; // somebody else wrote there
      }
    }
    this.send();
  }

  get place() {
    return "video-review:" + this.who;
  }

  push(entry) {
    this.waiting.push(entry);
    this.save();
    this.send();
  }

  save() {
    try {
      if (this.waiting.length) sessionStorage.setItem(this.place, JSON.stringify(this.waiting));
      else sessionStorage.removeItem(this.place);
    } catch {
      // A browser without storage keeps them for as long as the tab is open.
    }
  }

  /** The last that was decided about a clip and is not written down yet. */
  verdict(id) {
    const found = this.waiting.flatMap(({ decisions }) => decisions ?? []).findLast((each) => each.id === id);
    return found && { verdict: found.verdict, reason: found.reason };
  }

  favourite(id) {
    return this.waiting.findLast((each) => each.id === id && "favourite" in each)?.favourite;
  }

  async send() {
    clearTimeout(this.timer);
    if (this.sending || !this.token) return;
    this.sending = true;
    try {
      while (this.waiting.length && this.token) await this.sendFirst();
      if (!this.waiting.length) {
        this.oneByOne = false;
        this.tell("calm");
      }
    } catch {
      this.failures += 1;
      this.timer = setTimeout(() => this.send(), Math.min(LATER_AGAIN_MS, SOON_AGAIN_MS * 2 ** (this.failures - 1)));
      this.tell("away");
    } finally {
      this.sending = false;
    }
  }

  /** How many of those that wait go together: decisions about different clips, where they pile up. */
  together() {
    const ids = new Set();
    const counts = (entry) => {
      const mine = (entry.decisions ?? []).map(({ id }) => id);
      if (!mine.length || mine.some((id) => ids.has(id))) return false;
      mine.forEach((id) => ids.add(id));
      return ids.size <= MOST_AT_ONCE;
    };
    const end = this.waiting.findIndex((entry) => !counts(entry));
    return this.oneByOne ? 1 : Math.max(1, end < 0 ? this.waiting.length : end);
  }

  async sendFirst() {
    const count = this.together();
    const entries = this.waiting.slice(0, count);
    const entry = count > 1 ? { decisions: entries.flatMap(({ decisions }) => decisions) } : entries[0];
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    const signal = AbortSignal.timeout(10000);
    const reply = await fetch(this.address, { method: "POST", headers, body: JSON.stringify(entry), signal });
    if (reply.status === 401) {
      this.token = null; // the next run of the page has a new one
      this.tell("expired");
      return;
    }
    if (reply.status >= 500 || reply.status === 429 || reply.status === 408) throw new Error(String(reply.status));
    const answer = await reply.json().catch(() => ({}));
    this.failures = 0;
    if (!reply.ok && count > 1) {
      this.oneByOne = true; // one of them cannot be: the others can
      return;
    }
    this.waiting.splice(0, count);
    this.save();
    this.tell(reply.ok ? "written" : "refused", { entry, ...answer });
  }

  tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const outbox = new Outbox();

