// The review desk: shows one text, fetches the next ahead, and sends decisions in the background. Here the parts meet.

import { byId } from "../labeling/elements.js";
import { inOrder } from "./api.js";
import { keepClaims } from "./claims.js";
import { Decisions } from "./decisions.js";
import { DecisionDialogs } from "./dialogs.js";
import { Keymap, listen } from "./keys.js";
import { KeysDialog } from "./keys_dialog.js";
import { Search } from "./search.js";
import { SimilarTexts } from "./similar.js";
import { Texts } from "./texts.js";
import * as view from "./view.js";

const settings = JSON.parse(byId("desk-settings").textContent);
const { categories, storage, urls } = settings;
const queue = inOrder();
const keymap = new Keymap(settings.actions, settings.keys, categories);
const decisions = new Decisions({ settings, queue });
const texts = new Texts({
  url: urls.next,
  filters: settings.filters,
  queue,
  outbox: decisions.outbox,
  onShow: show,
  onSeen: seen,
  onLoading: () => view.showLoading(),
  onNone: showNone,
});
decisions.texts = texts;
const dialogs = new DecisionDialogs(decisions);
const search = new Search({
  categories,
  keymap,
  suggestedId: () => texts.current?.label?.category_id,
  choose: (categoryId) => decisions.choose(categoryId),
  propose: (name) => dialogs.propose(name),
  leave: leaveField,
});
const similar = new SimilarTexts(urls.similar);
const help = new KeysDialog({ keymap, url: urls.keys, onChanged: drawKeys });

const actions = {
  approve: () => decisions.approve(),
  reject() {
    if (!texts.isSeen) return decisions.tooEarly();
    view.say("Choose the right category.");
    search.focus();
  },
  propose: () => dialogs.propose(),
  modify: () => dialogs.modify(),
  skip: () => decisions.skip(),
  flag: () => dialogs.flag(),
  undo: () => decisions.undo(),
  comment: () => byId("comment").focus(),
  search: () => search.focus(),
  unfold: () => view.fold(false),
  guidelines: () => byId("guidelines").showModal(),
  filter: () => byId("filter").showModal(),
  help: () => help.open(),
};

function show(text, draft) {
  view.drawText(text, draft, categories, keymap);
  search.clear();
  similar.clear(text);
  view.showState("text");
  delete byId("desk").dataset.seen;
  byId("text").focus({ preventScroll: true });
  scrollTo(0, 0);
}

// The count of what waits comes every few seconds while there is a text; here it would be the one from before the last.
function showNone(title, hint, left) {
  view.showEmpty(title, hint);
  view.drawProgress(left);
}

function seen(text) {
  byId("desk").dataset.seen = text.id;
  similar.askSoon(text);
}

// From a field back to the text, where keys decide.
function leaveField() {
  search.clear();
  byId("text").focus({ preventScroll: true });
}

function drawKeys() {
  help.draw();
  search.draw();
  if (texts.current) view.drawSuggestion(texts.current.label, categories, keymap);
}

function start() {
  view.drawGuide(categories);
  decisions.standing(settings);
  listen(keymap, { act: (name) => actions[name](), choose: (categoryId) => decisions.choose(categoryId) });
  byId("comment").addEventListener("keydown", (event) => event.key === "Escape" && leaveField());
  byId("look-again").addEventListener("click", () => texts.advance());
  byId("candidates").addEventListener("click", (event) => {
    const row = event.target.closest("[data-category]");
    if (row) decisions.choose(Number(row.dataset.category));
  });
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => actions[button.dataset.do]());
  }
  keepClaims({ texts, urls, queue, storage });
  decisions.outbox.flush();
  texts.advance();
}

start();
