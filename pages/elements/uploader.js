// What an element needs that sends files: one at a time, by the token that its page gave it.

const PATIENCE_MS = 5000; // for a new token

/** Whoever extends it has `data` and `act`, and calls `arrived` when new data has come. */
class Uploader {
  constructor() {
    this.ending = new AbortController();
  }

  async send(file, again = true) {
    const { address, token, name, most_bytes, words } = this.data;
    if (file.size > most_bytes) return { problem: words.too_large };
    const headers = { Authorization: `Bearer ${token}`, [name]: encodeURIComponent(file.name) };
    try {
      const reply = await fetch(address, { method: "POST", body: file, headers, signal: this.ending.signal });
      if (reply.status === 401 && again) {
        await this.renewed();
        return this.send(file, false);
      }
      return await reply.json();
    } catch {
      return {}; // no connection, or an answer of something between
    }
  }

  /** A page that was open for long has an old token; a rerun brings a new one. */
  renewed() {
    return new Promise((resolve) => {
      this.arrived = resolve;
      setTimeout(resolve, PATIENCE_MS);
      this.act("renew", { at: Date.now() });
    });
  }

  stop() {
    this.ending.abort();
  }
}
