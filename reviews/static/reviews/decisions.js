// What the person decides, takes back, and what the server says to it.

import { byId } from "../labeling/elements.js";
import { Refused, post } from "./api.js";
import { isDialogOpen, isWriting } from "./keys.js";
import { Outbox } from "./outbox.js";
import * as view from "./view.js";

const { info, say, showMessage, showRefusal } = view;

export class Decisions {
  constructor({ settings, queue }) {
    Object.assign(this, { settings, queue, urls: settings.urls });
    this.outbox = new Outbox({
      storage: settings.storage,
      url: this.urls.decide,
      queue,
      wanted: (decision) => this.texts.wanted(decision.text_id),
      onSaved: (answer, { text }) => this.#saved(answer, text),
      onRefused: (error, item) => this.#refused(error, item),
      onWaiting: (error, count) => this.#waiting(error, count),
    });
  }

  // --- Deciding -----------------------------------------------------------------------------------------------------

  decide(action, more = {}) {
    if (!this.texts.isSeen) return this.tooEarly();
    const text = this.texts.current;
    const decision = {
      text_id: text.id,
      action,
      label_id: text.label && !text.is_blind ? text.label.id : null,
      comment: byId("comment").value.trim(),
      seconds_spent: Math.round((performance.now() - this.texts.seenAt) / 100) / 10,
      idempotency_key: randomKey(),
      ...more,
    };
    view.hideMessage("info");
    this.outbox.add({ decision, text, at: Date.now() });
    this.texts.next();
    say(`Done: ${action}. ${this.texts.current ? "Next text." : ""}`);
  }

  approve() {
    const text = this.texts.current;
    if (!text) this.tooEarly();
    else if (text.label) this.decide("approve");
    else info(`${text.is_blind ? "The model's answer is hidden here" : "No model could label this text"}: choose a category.`);
  }

  choose(categoryId) {
    const label = this.texts.current?.label;
    if (!label) this.decide("decide", { category_id: categoryId });
    else if (label.category_id === categoryId) this.decide("approve");
    else this.decide("reject", { category_id: categoryId });
  }

  skip() {
    this.decide("skip", { label_id: null });
  }

  // For a manager; with the name of a category when none of the project's fits.
  flag(comment, proposedCategory = "") {
    this.decide("flag", { label_id: null, comment, proposed_category: proposedCategory });
  }

  // The key came before the text: it is not kept for a text that nobody has seen.
  tooEarly() {
    if (byId("desk").dataset.state !== "loading") return;
    byId("too-early").hidden = false;
    say("The next text is not here yet. Keys work as soon as you see it.");
  }

  // --- Taking back --------------------------------------------------------------------------------------------------

  async undo(reviewId = null) {
    const unsent = reviewId === null ? this.outbox.takeBack() : null;
    if (unsent) return this.#takenBack(unsent);
    try {
      const last = reviewId === null ? this.outbox.items.at(-1) : null;
      if (last) last.isUnwanted = true;
      await this.outbox.flush();
      // It was meant for the decision that was on its way: if that is not written, none before it is taken back.
      if (last && !last.reviewId) return;
      const answer = await this.queue(() => post(this.urls.undo, { review_id: last?.reviewId ?? reviewId }));
      this.standing(answer);
      if (!answer.text) return info("Undone. The text is on another desk now.");
      this.#giveBack(answer.text.id, answer.comment);
      this.#bring(answer.text, "Undone.");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      showMessage(withOther(error));
    }
  }

  #takenBack({ text, decision }) {
    this.#giveBack(text.id, decision.comment);
    this.#bring(text, "Taken back: it was not sent yet.");
  }

  // What was written about a text comes back with it; what was written since goes before.
  #giveBack(textId, comment) {
    const { shown, drafts } = this.texts;
    if (shown?.id === textId) byId("comment").value ||= comment;
    else drafts.set(textId, drafts.get(textId) || comment);
  }

  // Letters that are still being typed would be commands for the text that comes, and a dialog is about the one that is
  // here: it waits while somebody writes or has a dialog open.
  #bring(text, done) {
    const { texts } = this;
    const waits = texts.current !== null && (isDialogOpen() || isWriting(byId("desk")));
    if (texts.shown) texts.drafts.set(texts.shown.id, byId("comment").value);
    if (waits) texts.bringNext(text);
    else texts.bring(text);
    const isHere = texts.current.id === text.id;
    tell(`${done} The text ${isHere ? "is here again" : "comes next"}.`.trim());
  }

  standing({ progress, decisions }) {
    view.drawProgress(progress);
    view.drawDecisions(decisions, (reviewId) => this.undo(reviewId));
  }

  // --- What the server says -----------------------------------------------------------------------------------------

  // An earlier decision on the text that was refused needs no answer any more.
  #saved(answer, text) {
    view.hideRefusal(text.id);
    this.standing(answer);
    this.texts.take(answer.text);
    this.#noLongerWaiting();
  }

  #noLongerWaiting() {
    if (!this.outbox.items.length) view.hideMessage("waiting");
  }

  // The server said no for good: the decision is not written, and the person must know and can go back. Where the own
  // decision of another window is in the way, the text would only be refused again: that one is taken back first.
  #refused(error, { text, decision }) {
    this.#giveBack(text.id, decision.comment);
    this.texts.advance();
    this.#noLongerWaiting();
    const words = `Your decision was not saved. ${withOther(error)}`;
    const undone = ["Undo that decision", () => this.undo(error.mine)];
    showRefusal(text, words, [error.mine ? undone : ["Back to this text", () => this.#back(text)]]);
  }

  // A newer label may have come: the text is asked for again if it still lies on this desk. Another one that the server
  // gives instead is not shown: it may be one that the filters hide.
  async #back(text) {
    const isIt = (other) => other?.id === text.id;
    const besides = [...this.texts.ids.filter((id) => id !== text.id), ...this.outbox.textIds];
    const answer = await this.queue(() => post(this.urls.next, { besides, filters: {} })).catch(() => ({}));
    if (this.outbox.textIds.includes(text.id)) return tell("You have decided this text again.");
    this.#bring([answer.text, ...this.texts.items, text].find(isIt), "");
  }

  #waiting(error, count) {
    const kept = count === 1 ? "1 decision is" : `${count} decisions are`;
    const isUnwanted = this.outbox.items.at(-1).isUnwanted;
    const unwanted = isUnwanted ? " The last may be saved already: undo it again when the server answers." : "";
    const words = `${error.message} ${kept} kept in this browser and sent again without a click.${unwanted}`;
    const signIn = ["Sign in", () => open(this.settings.login, "_blank", "noopener")];
    showMessage(words, [...(error.isSignedOut ? [signIn] : []), ["Try now", () => this.outbox.flush()]], "waiting");
  }
}

export function said(other) {
  return other.category ? `${other.action}: ${other.category}` : other.action;
}

function tell(words) {
  say(words);
  info(words);
}

function withOther(error) {
  const other = error.other;
  if (!other) return error.message;
  return `${error.message} (${other.reviewer}, ${said(other)}, ${new Date(other.when).toLocaleTimeString()})`;
}

// crypto.randomUUID needs HTTPS; this does not.
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
