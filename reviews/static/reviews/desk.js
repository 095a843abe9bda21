// The review desk: shows one text, fetches the next ahead, and sends decisions in the background.

import { Outbox, Refused, farewell, inOrder, post } from "./api.js";
import { ACTIONS, actionKeys, categoryKeys, listen } from "./keys.js";
import * as view from "./view.js";

const { byId, showMessage, say } = view;
const POLL_SECONDS = 5;
const EXTEND_EVERY = 12; // polls: claims are kept once a minute
const AHEAD = 2; // the text shown, and one more

const settings = JSON.parse(byId("desk-settings").textContent);
const { categories, urls } = settings;
const keys = actionKeys(settings.keys);
const shortcuts = categoryKeys(categories, keys);
const queue = inOrder();
const texts = []; // the first is shown
let shownAt = 0;
let found = categories; // what the category search left
let chosen = -1; // which of them is marked

const outbox = new Outbox({
  storage: settings.storage,
  url: urls.decide,
  queue,
  onSaved(answer) {
    standing(answer);
    if (!outbox.items.length) view.hideMessage("waiting");
  },
  onRefused: refused,
  onWaiting: waiting,
});

// --- Texts come and go ----------------------------------------------------------------------------------------------

const current = () => texts[0] ?? null;

async function fill() {
  while (texts.length < AHEAD) {
    const besides = [...texts.map((text) => text.id), ...outbox.textIds];
    const answer = await post(urls.next, { besides, filters: settings.filters });
    if (!answer.text || besides.includes(answer.text.id)) return answer.nothing;
    texts.push(answer.text);
    if (texts.length === 1) show();
  }
  return null;
}

async function advance() {
  if (current()) show();
  else view.showState("loading");
  try {
    const nothing = await queue(fill);
    if (!current()) empty(nothing?.message ?? "There is no other text now.", "When more texts arrive, look again.");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (!current()) empty("The next text could not be fetched.", error.message);
  }
}

function show() {
  const text = current();
  view.drawText(text, categories, shortcuts);
  byId("search").value = "";
  search();
  byId("reject-name").textContent = text.label ? "Reject" : "Choose category";
  for (const name of ["approve", "modify"]) {
    document.querySelector(`[data-do=${name}]`).hidden = !text.label;
  }
  view.showState("text");
  shownAt = performance.now();
  byId("text").focus({ preventScroll: true });
  scrollTo(0, 0);
}

function empty(title, hint) {
  byId("empty-title").textContent = title;
  byId("empty-hint").textContent = hint;
  view.showState("empty");
  byId("empty-title").focus();
}

function standing({ progress, decisions }) {
  view.drawProgress(progress);
  view.drawDecisions(decisions, undo);
}

// --- Deciding -------------------------------------------------------------------------------------------------------

function decide(action, more = {}) {
  const text = current();
  if (!text) return;
  const decision = {
    text_id: text.id,
    action,
    label_id: text.label && !text.is_blind ? text.label.id : null,
    comment: byId("comment").value.trim(),
    seconds_spent: Math.round((performance.now() - shownAt) / 100) / 10,
    idempotency_key: randomKey(),
    ...more,
  };
  texts.shift();
  view.hideMessage("info");
  outbox.add({ decision, text, at: Date.now() });
  say(`Done: ${action}. ${texts.length ? "Next text." : ""}`);
  advance();
}

// crypto.randomUUID needs HTTPS; this does not.
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function choose(categoryId) {
  const label = current()?.label;
  if (!label) decide("decide", { category_id: categoryId });
  else if (label.category_id === categoryId) decide("approve");
  else decide("reject", { category_id: categoryId });
}

const actions = {
  approve() {
    if (current()?.label) decide("approve");
    else if (current()) info("The model's answer is hidden here: choose a category.");
  },
  reject() {
    say("Choose the right category.");
    actions.search();
  },
  modify() {
    const label = current()?.label;
    if (!label) return;
    byId("modify-category").value = label.category_id;
    byId("modify-confidence").value = "";
    byId("modify").showModal();
    byId("modify-confidence").focus();
  },
  skip: () => decide("skip", { label_id: null }),
  flag() {
    if (!current()) return;
    byId("flag-form").reset();
    byId("flag").showModal();
  },
  comment: () => byId("comment").focus(),
  search() {
    byId("search").focus();
    byId("search").scrollIntoView({ block: "nearest" });
  },
  unfold: () => view.fold(false),
  guidelines: () => byId("guidelines").showModal(),
  help: () => byId("help").showModal(),
  filter: () => byId("filter").showModal(),
  undo: () => undo(),
};

function info(words) {
  showMessage(words, [], "info");
}

function formsWork() {
  byId("modify").addEventListener("close", () => {
    if (byId("modify").returnValue !== "ok") return;
    const categoryId = Number(byId("modify-category").value);
    decide("modify", { category_id: categoryId, confidence: Number(byId("modify-confidence").value) / 100 });
  });
  byId("flag").addEventListener("close", () => {
    if (byId("flag").returnValue !== "ok") return;
    const words = [byId("comment").value.trim(), byId("flag-reason").value.trim()].filter(Boolean).join("\n");
    decide("flag", { label_id: null, comment: words, proposed_category: byId("flag-category").value.trim() });
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    // Escape leaves the answer of the last time standing.
    dialog.addEventListener("cancel", () => (dialog.returnValue = ""));
  }
}

// --- Taking back, and what goes wrong -------------------------------------------------------------------------------

async function undo(reviewId = null) {
  const unsent = reviewId === null ? outbox.takeBack() : null;
  if (unsent) return bring(unsent.text, "Taken back: it was not sent yet.");
  try {
    await outbox.flush();
    const answer = await queue(() => post(urls.undo, { review_id: reviewId }));
    standing(answer);
    if (answer.text) bring(answer.text, "Undone. The text is here again.");
    else info("Undone. The text is on another desk now.");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    showMessage(withOther(error));
  }
}

function bring(text, words) {
  const place = texts.findIndex((one) => one.id === text.id);
  if (place >= 0) texts.splice(place, 1);
  texts.unshift(text);
  show();
  say(words);
  info(words);
}

function withOther(error) {
  const other = error.other;
  if (!other) return error.message;
  const said = other.category ? `${other.action}: ${other.category}` : other.action;
  return `${error.message} (${other.reviewer}, ${said}, ${new Date(other.when).toLocaleTimeString()})`;
}

// The server said no for good: the decision is not written, and the person must know and can go back.
function refused(error, item) {
  const words = `Your decision was not saved. ${withOther(error)}`;
  showMessage(words, [["Back to this text", () => back(item.text)]], "error");
}

// A newer label may have come: the text is asked for again if it still lies on this desk.
async function back(text) {
  const besides = texts.map((one) => one.id).filter((id) => id !== text.id);
  const answer = await queue(() => post(urls.next, { besides, filters: {} })).catch(() => ({}));
  if (answer.text && answer.text.id !== text.id) texts.push(answer.text);
  bring(answer.text?.id === text.id ? answer.text : text, "This is the text again.");
}

function waiting(error, count) {
  const isSignedOut = error.status === 401 || error.status === 403;
  const words = `${error.message} ${count} decisions are kept in this browser and sent again by themselves.`;
  const signIn = ["Sign in", () => open(settings.login, "_blank", "noopener")];
  showMessage(words, [...(isSignedOut ? [signIn] : []), ["Try now", () => outbox.flush()]], "waiting");
}

// --- Claims, and what others do ------------------------------------------------------------------------------------

let polls = 0;
const told = new Set(); // texts whose loss was said: once is enough

async function poll() {
  const ids = texts.map((text) => text.id);
  if (document.hidden || !ids.length) return;
  const extend = polls++ % EXTEND_EVERY === 0;
  const { decided } = await post(urls.keep, { text_ids: ids, extend }).catch(() => ({ decided: [] }));
  for (const other of decided) gone(other);
}

function gone(other) {
  const place = texts.findIndex((text) => text.id === other.text_id);
  if (place > 0) texts.splice(place, 1);
  if (place !== 0 || told.has(other.text_id)) return;
  told.add(other.text_id);
  const said = other.category ? `${other.action}: ${other.category}` : other.action;
  const next = ["Next text", () => void (texts.shift(), advance())];
  showMessage(`${other.reviewer} has decided this text meanwhile (${said}).`, [next], "error");
}

const LEFT = `left-${settings.storage}`;

// A reload's farewell may arrive after the new page has asked: the new page says it first, and only old claims go.
function leave() {
  if (!texts.length) return;
  const until = texts.map((text) => text.claimed_at).sort().at(-1);
  const data = { text_ids: texts.map((text) => text.id), claimed_until: until };
  sessionStorage.setItem(LEFT, JSON.stringify(data));
  farewell(urls.leave, data);
}

function arrive() {
  const left = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  if (left) queue(() => post(urls.leave, JSON.parse(left))).catch(() => {});
}

// --- The category search --------------------------------------------------------------------------------------------

function search(event) {
  const words = byId("search").value.trim().toLowerCase();
  const starts = (one) => Number(!one.name.toLowerCase().startsWith(words));
  found = words ? categories.filter((one) => one.name.toLowerCase().includes(words)) : categories;
  if (words) found = [...found].sort((one, two) => starts(one) - starts(two));
  chosen = event && words && found.length ? 0 : -1;
  drawFound();
}

function drawFound() {
  view.drawCategories(found, shortcuts, chosen, current()?.label?.category_id);
}

function searchKeys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) chosen = (chosen + step + found.length) % found.length;
  else if (event.key === "Enter" && found[chosen]) choose(found[chosen].id);
  else if (event.key === "Escape") leaveField(event);
  else return;
  event.preventDefault();
  if (step) drawFound();
}

function leaveField(event) {
  if (event.key !== "Escape") return;
  if (event.target === byId("search")) event.target.value = "";
  search();
  byId("text").focus({ preventScroll: true });
}

// --- Start ----------------------------------------------------------------------------------------------------------

function start() {
  view.drawHelp(ACTIONS, keys, categories, shortcuts);
  view.drawGuide(categories);
  standing(settings);
  formsWork();
  listen(keys, shortcuts, { act: (name) => actions[name](), choose });
  byId("search").addEventListener("input", search);
  byId("search").addEventListener("keydown", searchKeys);
  byId("comment").addEventListener("keydown", leaveField);
  byId("look-again").addEventListener("click", advance);
  for (const list of [byId("categories"), byId("candidates")]) {
    list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-category]");
      if (row) choose(Number(row.dataset.category));
    });
  }
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => actions[button.dataset.do]());
  }
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(poll, POLL_SECONDS * 1000);
  document.addEventListener("visibilitychange", poll);
  arrive();
  outbox.flush();
  advance();
}

start();
