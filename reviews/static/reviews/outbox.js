// The outbox: a decision stays in it, and in the browser's storage, until the server has acknowledged it.

import { Refused, post } from "./api.js";

const RETRY_SECONDS = [1, 2, 5, 10, 30];

export class Outbox {
  // wanted(decision): what to ask for besides, in the same request.
  constructor({ storage, url, queue, wanted, onSaved, onRefused, onWaiting }) {
    Object.assign(this, { storage, url, queue, wanted, onSaved, onRefused, onWaiting });
    this.items = this.#stored();
    this.tries = 0;
    this.sending = null;
    addEventListener("online", () => this.flush());
  }

  get textIds() {
    return this.items.map((item) => item.decision.text_id);
  }

  add(item) {
    this.items.push(item);
    this.#keep(item, true);
    this.flush();
  }

  // Takes the last decision out again, unless it is on its way or may have arrived: that only the server can undo.
  takeBack() {
    const last = this.items.at(-1);
    if (!last || last === this.sending || last.mayBeSaved) return null;
    this.items.pop();
    this.#keep(last, false);
    return last;
  }

  // One turn in the queue for each decision: between two of them the next text is fetched.
  async flush() {
    clearTimeout(this.timer);
    let goesOn = true;
    while (goesOn) goesOn = await this.queue(() => this.#sendOne());
  }

  async #sendOne() {
    const item = (this.sending = this.items[0] ?? null);
    if (!item) return false;
    try {
      const answer = await post(this.url, { ...item.decision, next: this.wanted(item.decision) });
      this.#done(item);
      item.reviewId = answer.review;
      this.onSaved(answer, item);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.isTemporary) return this.#later(error, item);
      this.#done(item);
      this.onRefused(error, item);
    } finally {
      this.sending = null;
    }
    return this.items.length > 0;
  }

  #done(item) {
    this.tries = 0;
    this.items = this.items.filter((other) => other !== item);
    this.#keep(item, false);
  }

  #later(error, item) {
    item.mayBeSaved ||= error.isUncertain;
    const seconds = RETRY_SECONDS[Math.min(this.tries++, RETRY_SECONDS.length - 1)];
    this.timer = setTimeout(() => this.flush(), seconds * 1000);
    this.onWaiting(error, this.items.length);
    return false;
  }

  // One entry for each decision, so that two open tabs do not write over each other's. The page that left them, or
  // another tab, may have sent them.
  #stored() {
    try {
      const names = Object.keys(localStorage).filter((name) => name.startsWith(`${this.storage}:`));
      const items = names.map((name) => ({ ...JSON.parse(localStorage.getItem(name)), mayBeSaved: true }));
      return items.sort((one, two) => one.at - two.at);
    } catch {
      return [];
    }
  }

  // A full or forbidden storage must not stop the work: the decisions are still in memory.
  #keep(item, keeps) {
    const name = `${this.storage}:${item.decision.idempotency_key}`;
    try {
      if (keeps) localStorage.setItem(name, JSON.stringify(item));
      else localStorage.removeItem(name);
    } catch {
      console.warn("Decisions cannot be kept in this browser's storage.");
    }
  }
}
