// Draws the page. Data goes in as text only: nothing that came from a text or a person is ever parsed as HTML.

import { byId, make, percent } from "../labeling/elements.js";

const LONG = 1800; // characters from which a text is folded
const EXCERPT = 70; // characters that tell one text from another

const time = (iso) => new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "short" });

export function showState(state) {
  byId("desk").dataset.state = state;
}

export function showLoading() {
  byId("too-early").hidden = true;
  showState("loading");
}

export function showEmpty(title, hint) {
  byId("empty-title").textContent = title;
  byId("empty-hint").textContent = hint;
  showState("empty");
  byId("empty-title").focus();
}

// --- The text -------------------------------------------------------------------------------------------------------

export function drawText(text, draft, categories, keymap) {
  const box = byId("text");
  box.replaceChildren(...marked(text.content, text.label?.evidence || []));
  if (text.language) box.lang = text.language;
  else box.removeAttribute("lang");
  fold(text.content.length > LONG || text.content.split("\n").length > 30);
  byId("reason").textContent = text.reason_text;
  byId("language").textContent = text.language;
  byId("language").hidden = !text.language;
  byId("blind").hidden = !text.is_blind;
  drawFacts(text);
  drawHistory(text.history || []);
  drawSuggestion(text.label, categories, keymap);
  drawActions(text.label);
  byId("comment").value = draft;
}

export function fold(isFolded) {
  byId("text").classList.toggle("is-folded", isFolded);
  byId("show-all").hidden = !isFolded;
}

// Positions are counted in characters, as Python does; JavaScript's own count takes an emoji for two.
function marked(content, evidence) {
  const characters = [...content];
  const pieces = [];
  let end = 0;
  for (const [begin, stop] of [...evidence].sort((one, two) => one[0] - two[0])) {
    if (begin < end) continue;
    pieces.push(characters.slice(end, begin).join(""), make("mark", { text: characters.slice(begin, stop).join("") }));
    end = stop;
  }
  return [...pieces, characters.slice(end).join("")];
}

function drawFacts(text) {
  const facts = Object.entries({ Source: text.source, "External id": text.external_id, ...text.metadata });
  const rows = facts.filter(([, value]) => value !== "" && value !== null);
  byId("facts").replaceChildren(
    ...rows.flatMap(([name, value]) => [
      make("dt", { text: name }),
      make("dd", { text: typeof value === "object" ? JSON.stringify(value) : String(value), dir: "auto" }),
    ]),
  );
  byId("facts-box").hidden = !rows.length;
}

function drawHistory(history) {
  byId("history").replaceChildren(
    ...history.map((row) => {
      const confidence = row.confidence === null ? "" : ` (${percent(row.confidence)})`;
      const said = row.category ? `${row.what}: ${row.category}${confidence}` : row.what;
      return make("li", {}, make("span", { text: `${row.who} · ${said}` }), small(time(row.when)), note(row.comment));
    }),
  );
  byId("history-box").hidden = !history.length;
}

export const keycap = (key) => make("kbd", { text: key.toUpperCase() });
const small = (text) => make("small", { text });
const note = (text) => (text ? make("q", { text, dir: "auto" }) : "");

export function drawSuggestion(label, categories, keymap) {
  byId("suggestion").hidden = !label;
  if (!label) return;
  const name = (id) => categories.find((one) => one.id === id)?.name ?? "a retired category";
  byId("suggested").textContent = name(label.category_id);
  byId("approve-name").textContent = name(label.category_id);
  byId("confidence").textContent = label.confidence === null ? "" : percent(label.confidence);
  byId("calibration").textContent = hint(label);
  byId("explanation").textContent = label.explanation;
  const others = label.scores.filter(([id]) => id !== label.category_id).slice(0, 4);
  byId("candidates").replaceChildren(...others.map(([id, score]) => candidate(id, name(id), score, keymap.ofCategories.get(id))));
}

function drawActions(label) {
  byId("reject-name").textContent = label ? "Reject" : "Choose category";
  for (const name of ["approve", "modify"]) document.querySelector(`[data-do=${name}]`).hidden = !label;
}

function hint(label) {
  const hints = [];
  if (label.confidence !== null && !label.is_calibrated) hints.push("Not calibrated: take the number as a hint.");
  if (label.is_truncated) hints.push("The model read only the beginning of this text.");
  return hints.join(" ");
}

function candidate(id, name, score, key) {
  const bar = make("span", { className: "desk-candidate-bar", "aria-hidden": "true" });
  bar.style.width = `${Math.round(score * 100)}%`;
  const button = make("button", { type: "button", "data-category": id, title: "Choose this category instead" });
  button.append(make("span", { text: name, dir: "auto" }), make("span", { text: percent(score) }), bar);
  if (key) button.append(keycap(key));
  return make("li", {}, button);
}

// --- Categories -----------------------------------------------------------------------------------------------------

// found: the categories to show; last: the words of the entry behind them; chosen: which entry is marked.
export function drawCategories(found, { keymap, chosen, suggestedId, last }) {
  const rows = [...found.map((category) => categoryRow(category, keymap, suggestedId)), proposeRow(last, keymap)];
  rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === chosen)));
  byId("categories").replaceChildren(...rows);
  if (chosen >= 0) byId("search").setAttribute("aria-activedescendant", rows[chosen].id);
  else byId("search").removeAttribute("aria-activedescendant");
  rows[chosen]?.scrollIntoView({ block: "nearest" });
}

function categoryRow(category, keymap, suggestedId) {
  const row = make("li", { role: "option", id: `category-${category.id}`, "data-category": category.id });
  const key = keymap.ofCategories.get(category.id);
  if (category.description) row.title = category.description;
  row.append(dot(category.color), make("span", { text: category.name, dir: "auto" }));
  if (category.id === suggestedId) row.append(make("small", { text: "suggested" }));
  if (key) row.append(keycap(key));
  return row;
}

function proposeRow(words, keymap) {
  const row = make("li", { role: "option", id: "category-none", className: "desk-none" });
  row.append(make("span", { text: words, dir: "auto" }));
  if (keymap.ofActions.propose) row.append(keycap(keymap.ofActions.propose));
  return row;
}

function dot(color) {
  const made = make("span", { className: "desk-dot", "aria-hidden": "true" });
  if (/^#[0-9a-f]{6}$/i.test(color)) made.style.backgroundColor = color;
  return made;
}

// --- Around it ------------------------------------------------------------------------------------------------------

const known = {}; // the server says one part with each decision, and another every few seconds

export function drawProgress(some) {
  const progress = Object.assign(known, some);
  const waiting = `${progress.waiting}${progress.waiting_is_capped ? "+" : ""}`;
  const pace = progress.pace_per_hour ? ` · ${progress.pace_per_hour} an hour` : "";
  byId("progress").textContent = `${progress.decided_today} of ${progress.daily_goal} today${pace} · ${waiting} waiting`;
  const share = progress.daily_goal ? progress.decided_today / progress.daily_goal : 0;
  byId("progress-bar").style.width = `${Math.min(100, share * 100)}%`;
}

export function drawDecisions(decisions, undo) {
  const rows = decisions.map((one) => {
    const button = make("button", { text: "Undo", type: "button", className: "page-button" });
    button.setAttribute("aria-label", `Undo: ${one.action} ${one.category ?? ""}`);
    button.addEventListener("click", () => undo(one.id));
    const said = one.category ? `${one.action} · ${one.category}` : one.action;
    return make("li", {}, make("span", { text: one.excerpt, dir: "auto" }), small(said), button);
  });
  byId("decisions").replaceChildren(...(rows.length ? rows : [make("li", { text: "Nothing yet." })]));
}

export function drawGuide(categories) {
  byId("guide").replaceChildren(
    ...categories.flatMap((one) => [
      make("dt", {}, dot(one.color), make("span", { text: one.name, dir: "auto" })),
      ...(one.description ? [make("dd", { text: one.description, dir: "auto" })] : []),
      ...one.examples.map((example) => make("dd", { text: `“${example}”`, className: "desk-example", dir: "auto" })),
    ]),
  );
  const options = categories.map((one) => make("option", { text: one.name, value: one.id }));
  byId("modify-category").replaceChildren(...options);
}

export function say(words) {
  byId("live").textContent = words;
}

// buttons: [[words, work], ...]; each closes the message.
export function showMessage(words, buttons = [], kind = "warning") {
  const box = byId("message");
  byId("message-text").textContent = words;
  byId("message-buttons").replaceChildren(...closing(buttons, () => hideMessage()));
  box.dataset.kind = kind;
  box.hidden = false;
}

// A decision that is lost: what is said after it must not hide it, so it stays until the person closes it.
export function showRefusal(text, words, buttons) {
  const row = make("li", { className: "page-message", "data-kind": "error", "data-text": text.id });
  const excerpt = [...text.content].slice(0, EXCERPT).join("");
  const answers = closing(buttons, () => hideRefusal(text.id));
  for (const button of answers) button.setAttribute("aria-label", `${button.textContent}: ${excerpt}`);
  const said = make("p", { text: `${words} ` }, make("q", { text: excerpt, dir: "auto" }));
  row.append(said, make("div", { className: "page-message-buttons" }, ...answers));
  hideRefusal(text.id);
  byId("refusals").append(row);
}

// Who stood in it with the keyboard stands in the next one then, or in what the page shows.
export function hideRefusal(textId) {
  const row = document.querySelector(`#refusals [data-text="${textId}"]`);
  if (!row) return;
  const hadFocus = row.contains(document.activeElement);
  const shown = byId(byId("desk").dataset.state === "text" ? "text" : "empty-title");
  const next = row.nextElementSibling?.querySelector("button") ?? shown;
  row.remove();
  if (hadFocus) next.focus();
}

function closing(buttons, close) {
  return [...buttons, ["Close", () => {}]].map(([label, work]) => {
    const button = make("button", { text: label, type: "button", className: "page-button" });
    button.addEventListener("click", () => {
      close();
      work();
    });
    return button;
  });
}

export function info(words) {
  showMessage(words, [], "info");
}

export function hideMessage(kind) {
  const box = byId("message");
  if (!kind || box.dataset.kind === kind) box.hidden = true;
}
