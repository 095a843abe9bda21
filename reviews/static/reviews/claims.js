// The claims on the texts of this desk: kept while the page is open, given back when it is left.

import { farewell, post } from "./api.js";
import { said } from "./decisions.js";
import { drawProgress, showMessage } from "./view.js";

const POLL_SECONDS = 5;
const EXTEND_EVERY = 12; // polls: claims are kept once a minute

export function keepClaims({ texts, urls, queue, storage }) {
  const LEFT = `left-${storage}`;
  const told = new Set(); // texts whose loss was said: once is enough
  let polls = 0;

  async function poll() {
    const ids = texts.ids;
    if (document.hidden || !ids.length) return;
    const extend = polls++ % EXTEND_EVERY === 0;
    const answer = await post(urls.keep, { text_ids: ids, extend }).catch(() => null);
    if (!answer) return;
    const { decided, ...waiting } = answer;
    drawProgress(waiting);
    for (const other of decided) gone(other);
  }

  // What another person decided meanwhile.
  function gone(other) {
    if (texts.current?.id !== other.text_id) return texts.drop(other.text_id);
    if (told.has(other.text_id)) return;
    told.add(other.text_id);
    const words = `${other.reviewer} has decided this text meanwhile (${said(other)}).`;
    showMessage(words, [["Next text", () => texts.next()]], "error");
  }

  // A reload's farewell may arrive after the new page has asked: the new page says it first, and only old claims go.
  function leave() {
    if (!texts.ids.length) return;
    const until = texts.items.map((text) => text.claimed_at).sort().at(-1);
    const data = { text_ids: texts.ids, claimed_until: until };
    sessionStorage.setItem(LEFT, JSON.stringify(data));
    farewell(urls.leave, data);
  }

  function arrive() {
    const left = sessionStorage.getItem(LEFT);
    sessionStorage.removeItem(LEFT);
    if (left) queue(() => post(urls.leave, JSON.parse(left))).catch(() => {});
  }

  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(poll, POLL_SECONDS * 1000);
  document.addEventListener("visibilitychange", poll);
  arrive();
}
