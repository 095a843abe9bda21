// The texts on this desk: the first is shown, the others are fetched ahead.

import { Refused, post } from "./api.js";

const AHEAD = 3; // the text shown, and two more: a fast person does not wait for the server
const MANY_UNWRITTEN = 10; // decisions: who is faster than the network waits for them from here on

export class Texts {
  // outbox: decisions that are not written yet. onShow(text, draft), onSeen(text): it stands on the screen.
  constructor({ url, filters, queue, outbox, onShow, onSeen, onLoading, onNone }) {
    Object.assign(this, { url, filters, queue, outbox, onShow, onSeen, onLoading, onNone });
    this.items = [];
    this.drafts = new Map(); // text id -> the comment to come back with it, whichever way it comes
    this.shown = null;
    this.seen = null;
    this.seenAt = 0;
  }

  get current() {
    return this.items[0] ?? null;
  }

  get ids() {
    return this.items.map((text) => text.id);
  }

  // Nothing may be decided before: a key pressed a moment too early is meant for the text before.
  get isSeen() {
    return this.current !== null && this.seen === this.current;
  }

  // The text leaves the desk, and the next is shown.
  next() {
    const text = this.items.shift();
    this.drafts.delete(text.id);
    this.advance();
    return text;
  }

  // In front of the others, whether it was on the desk or not.
  bring(text) {
    this.drop(text.id);
    this.items.unshift(text);
    this.#show();
  }

  // Behind the one that is shown, which stays as it is.
  bringNext(text) {
    if (text.id === this.current.id) return;
    this.drop(text.id);
    this.items.splice(1, 0, text);
  }

  // A text behind the one that is shown is not on this desk any more.
  drop(id) {
    this.items = this.items.filter((text) => text.id !== id);
  }

  // What the decision about a text should bring back with it; null when enough lies here.
  wanted(decidedId) {
    const left = this.items.filter((text) => text.id !== decidedId).length;
    return left < AHEAD ? { besides: this.#besides, filters: this.filters } : null;
  }

  // A text that came with the answer to a decision.
  take(text) {
    if (!text || this.ids.includes(text.id)) return;
    this.items.push(text);
    if (this.items.length === 1) this.#show();
  }

  async advance() {
    if (!this.current) this.#load();
    else if (this.current !== this.shown) this.#show();
    // With one to spare the decision that is on its way brings the next; with less there is no time to wait for it.
    if (this.items.length === AHEAD - 1 && this.outbox.items.length) return;
    try {
      const nothing = await this.#fetch();
      if (this.current) return;
      this.onNone(nothing?.message ?? "There is no other text now.", "When more texts arrive, look again.", nothing?.left);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!this.current) this.onNone("The next text could not be fetched.", error.message);
    }
  }

  // Texts go before decisions, a few of which can wait in the outbox. Why there is none is true only when all are written.
  async #fetch() {
    const nothing = await this.queue(() => this.#fill(), { isUrgent: !this.#isBehind });
    if (this.current || !this.outbox.items.length) return nothing;
    await this.outbox.flush();
    return this.queue(() => this.#fill());
  }

  get #isBehind() {
    return this.outbox.items.length >= MANY_UNWRITTEN;
  }

  get #besides() {
    return [...this.ids, ...this.outbox.textIds];
  }

  async #fill() {
    while (this.items.length < (this.#isBehind ? 1 : AHEAD)) {
      const besides = this.#besides;
      // Not for a page that is left: it would claim a text for nobody.
      const answer = await post(this.url, { besides, filters: this.filters }, { keepalive: false });
      if (!answer.text || besides.includes(answer.text.id)) return answer.nothing;
      this.items.push(answer.text);
      if (this.items.length === 1) this.#show();
    }
    return null;
  }

  #load() {
    this.shown = null;
    this.onLoading();
  }

  #show() {
    const text = this.current;
    this.shown = text;
    this.seen = null;
    this.onShow(text, this.drafts.get(text.id) ?? "");
    // The frame after this one is drawn when the first callback has run; the second runs behind it.
    requestAnimationFrame(() => setTimeout(() => this.#saw(text)));
  }

  #saw(text) {
    if (text !== this.current || this.seen === text) return;
    this.seen = text;
    this.seenAt = performance.now();
    this.onSeen(text);
  }
}
