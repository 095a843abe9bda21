// Asks for the numbers of a page every few seconds while somebody looks at it, and says when they are old.

import { byId } from "./elements.js";

const LONGEST_WAIT = 30_000;
const GIVE_UP = 10_000;

// The page comes with its first numbers; `draw` is called with each answer after. It returns true with the last one.
export function poll(settings, draw) {
  const usual = settings.poll_seconds * 1000;
  let updatedAt = performance.now();
  let failures = 0;
  let timer = 0;
  let isAsking = false;
  let isOver = false;

  async function ask() {
    if (isAsking || isOver) return;
    clearTimeout(timer);
    isAsking = true;
    try {
      const response = await fetch(settings.url, { credentials: "same-origin", signal: AbortSignal.timeout(GIVE_UP) });
      if (response.redirected) return fail("You are signed out. Sign in again.", true);
      const answer = await response.json();
      if (response.ok) succeed(answer);
      else fail(answer.message, answer.code === "signed_out");
    } catch {
      fail("The server cannot be reached.");
    } finally {
      isAsking = false;
      again();
    }
  }

  function again() {
    clearTimeout(timer);
    if (isOver || document.visibilityState !== "visible") return;
    timer = setTimeout(ask, Math.min(usual * 2 ** failures, LONGEST_WAIT));
  }

  function succeed(answer) {
    failures = 0;
    updatedAt = performance.now();
    byId("trouble").hidden = true;
    isOver = draw(answer) === true;
    tick();
  }

  // An alert is read aloud each time it changes, so it changes only when the words do.
  function fail(words, isSignedOut = false) {
    failures += 1;
    const text = `${words} The numbers below are old. This page keeps trying.`;
    if (byId("trouble-text").textContent !== text) byId("trouble-text").textContent = text;
    byId("sign-in").hidden = !isSignedOut;
    byId("sign-in").href = `${settings.login}?next=${encodeURIComponent(location.pathname)}`;
    byId("trouble").hidden = false;
    tick();
  }

  function tick() {
    const seconds = Math.max(0, Math.round((performance.now() - updatedAt) / 1000));
    byId("updated").textContent = `updated ${seconds} ${seconds === 1 ? "second" : "seconds"} ago`;
    byId("pulse").classList.toggle("is-old", failures > 0);
  }

  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? ask() : again()));
  addEventListener("online", ask);
  setInterval(tick, 1000);
  tick();
  again();
}

// Only what changed is drawn again: a link that has the focus, and words being selected, stay as they are.
export function replace(parent, rows) {
  rows.forEach((row, index) => {
    const old = parent.children[index];
    if (!old) parent.append(row);
    else if (!old.isEqualNode(row)) old.replaceWith(row);
  });
  while (parent.children.length > rows.length) parent.lastElementChild.remove();
}
