// The live page: asks for the numbers every few seconds while somebody looks at it. Data goes in as text only.

import { byId, make } from "../labeling/elements.js";
import { poll, replace } from "../labeling/poll.js";

const settings = JSON.parse(byId("live-settings").textContent);

// --- Drawing ----------------------------------------------------------------------------------------------------------

const time = (iso) => new Date(iso).toLocaleTimeString([], { timeStyle: "short" });
const number = (value) => make("td", { text: String(value), className: value ? "record-number" : "record-number record-none" });
const chip = (text) => make("li", { text, className: "page-chip", dir: "auto" });
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

function draw(snapshot) {
  const hour = sum(snapshot.people.map((person) => person.decided.at(-1)));
  byId("waiting").textContent = `${snapshot.waiting_is_capped ? "over " : ""}${snapshot.waiting}`;
  byId("on-desk").textContent = String(snapshot.people.filter((person) => person.on_desk).length);
  byId("in-an-hour").textContent = `${snapshot.is_capped ? "over " : ""}${hour}`;
  replace(byId("people"), snapshot.people.length ? snapshot.people.map(personRow) : [nobody()]);
  replace(byId("last"), snapshot.last.length ? snapshot.last.map(decision) : [nothing()]);
}

function personRow(person) {
  const name = make("a", { text: person.name, href: person.history, className: "record-link", dir: "auto" });
  const since = make("td", { text: person.since ? time(person.since) : "-", className: person.since ? "" : "record-none" });
  return make("tr", {}, make("th", { scope: "row" }, name), since, number(person.on_desk), ...person.decided.map(number));
}

const nobody = () => make("tr", {}, make("td", { text: "Nobody is on the desk, and nobody decided anything in the last hour.", colspan: "7" }));
const nothing = () => make("li", { text: "Nobody has decided anything lately.", className: "page-card" });

function decision(one) {
  const text = make("a", { text: one.excerpt, href: one.text, className: "record-link", dir: "auto" });
  const said = make("p", { className: "record-said" });
  if (one.is_hidden) said.append(make("em", { text: "hidden: blind audit" }));
  if (one.before) said.append(make("span", { text: one.before, dir: "auto" }));
  if (one.before && one.after) said.append("→");
  if (one.after) said.append(make("strong", { text: one.after, dir: "auto" }));
  const head = make("header", { className: "record-head" }, make("h3", { text: `${one.action} by ${one.who}`, dir: "auto" }));
  head.append(make("time", { text: time(one.when), datetime: one.when, className: "record-time" }));
  const chips = [one.is_blind ? chip("Blind") : "", one.is_undone ? chip("Undone") : ""];
  const row = make("li", { className: "page-card record-entry" }, head, make("p", { className: "record-excerpt" }, text), said);
  if (chips.some(Boolean)) row.append(make("ul", { className: "record-chips" }, ...chips));
  return row;
}

draw(settings.snapshot);
poll(settings, draw);
