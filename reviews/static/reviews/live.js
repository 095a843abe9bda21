// The live page: asks for the numbers every few seconds while somebody looks at it. Data goes in as text only.

import { byId, make } from "./view.js";

const settings = JSON.parse(byId("live-settings").textContent);
const POLL = settings.poll_seconds * 1000;
const LONGEST_WAIT = 30_000;
const GIVE_UP = 10_000;

let updatedAt = performance.now();
let failures = 0;
let timer = 0;
let isAsking = false;

async function ask() {
  if (isAsking) return;
  clearTimeout(timer);
  isAsking = true;
  try {
    const response = await fetch(settings.url, { credentials: "same-origin", signal: AbortSignal.timeout(GIVE_UP) });
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
  if (document.visibilityState !== "visible") return;
  timer = setTimeout(ask, Math.min(POLL * 2 ** failures, LONGEST_WAIT));
}

function succeed(snapshot) {
  failures = 0;
  updatedAt = performance.now();
  byId("trouble").hidden = true;
  draw(snapshot);
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

// --- Drawing ----------------------------------------------------------------------------------------------------------

const time = (iso) => new Date(iso).toLocaleTimeString([], { timeStyle: "short" });
const number = (value) => make("td", { text: String(value), className: value ? "record-number" : "record-number record-none" });
const chip = (text) => make("li", { text, className: "desk-chip", dir: "auto" });
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

function draw(snapshot) {
  const hour = sum(snapshot.people.map((person) => person.decided.at(-1)));
  byId("waiting").textContent = `${snapshot.waiting_is_capped ? "over " : ""}${snapshot.waiting}`;
  byId("on-desk").textContent = String(snapshot.people.filter((person) => person.on_desk).length);
  byId("in-an-hour").textContent = `${snapshot.is_capped ? "over " : ""}${hour}`;
  replace(byId("people"), snapshot.people.length ? snapshot.people.map(personRow) : [nobody()]);
  replace(byId("last"), snapshot.last.length ? snapshot.last.map(decision) : [nothing()]);
}

// Only what changed is drawn again: a link that has the focus, and words being selected, stay as they are.
function replace(parent, rows) {
  rows.forEach((row, index) => {
    const old = parent.children[index];
    if (!old) parent.append(row);
    else if (!old.isEqualNode(row)) old.replaceWith(row);
  });
  while (parent.children.length > rows.length) parent.lastElementChild.remove();
}

function personRow(person) {
  const name = make("a", { text: person.name, href: person.history, className: "record-link", dir: "auto" });
  const since = make("td", { text: person.since ? time(person.since) : "-", className: person.since ? "" : "record-none" });
  return make("tr", {}, make("th", { scope: "row" }, name), since, number(person.on_desk), ...person.decided.map(number));
}

const nobody = () => make("tr", {}, make("td", { text: "Nobody is on the desk, and nobody decided anything in the last hour.", colspan: "7" }));
const nothing = () => make("li", { text: "Nobody has decided anything lately.", className: "desk-card" });

function decision(one) {
  const text = make("a", { text: one.excerpt, href: one.text, className: "record-link", dir: "auto" });
  const said = make("p", { className: "record-said" });
  if (one.before) said.append(make("span", { text: one.before, dir: "auto" }));
  if (one.before && one.after) said.append("→");
  if (one.after) said.append(make("strong", { text: one.after, dir: "auto" }));
  const head = make("header", { className: "record-head" }, make("h3", { text: `${one.action} by ${one.who}`, dir: "auto" }));
  head.append(make("time", { text: time(one.when), datetime: one.when, className: "record-time" }));
  const chips = [one.is_blind ? chip("Blind") : "", one.is_undone ? chip("Undone") : ""];
  const row = make("li", { className: "desk-card record-entry" }, head, make("p", { className: "record-excerpt" }, text), said);
  if (chips.some(Boolean)) row.append(make("ul", { className: "record-chips" }, ...chips));
  return row;
}

document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? ask() : again()));
addEventListener("online", ask);
setInterval(tick, 1000);
succeed(settings.snapshot);
again();
