// The dialogs that end in a decision: modify, flag, and none of these.

import { byId } from "../labeling/elements.js";

const value = (id) => byId(id).value.trim();

export class DecisionDialogs {
  constructor(decisions) {
    this.decisions = decisions;
    this.#onOk("modify", () => {
      const confidence = Number(value("modify-confidence")) / 100;
      // A category that was retired is not in the list: without another one the text keeps it.
      decisions.decide("modify", { category_id: Number(value("modify-category")) || null, confidence });
    });
    this.#onOk("flag", () => decisions.flag(value("flag-reason")));
    this.#onOk("propose", () => decisions.flag(value("propose-comment"), value("propose-name")));
    byId("propose-name").addEventListener("input", requireName);
  }

  modify() {
    const label = this.decisions.texts.current?.label;
    if (!label) return;
    this.#open("modify", "modify-confidence");
    byId("modify-category").value = label.category_id;
  }

  // What is written already goes on here: it is one comment, no longer than the server takes.
  flag() {
    this.#open("flag", "flag-reason");
    byId("flag-reason").value = value("comment");
  }

  propose(name = "") {
    this.#open("propose", name ? "propose-comment" : "propose-name");
    byId("propose-name").value = name;
    byId("propose-comment").value = value("comment");
    requireName();
  }

  #open(id, field) {
    if (!this.decisions.texts.isSeen) return this.decisions.tooEarly();
    byId(`${id}-form`).reset();
    byId(id).showModal();
    byId(field).focus();
  }

  // When it is sent, not when the dialog has closed, which is a task later: a key pressed between would decide first.
  #onOk(id, work) {
    byId(`${id}-form`).addEventListener("submit", (event) => {
      if (event.submitter?.value === "cancel") return;
      event.preventDefault();
      byId(id).close();
      work();
    });
  }
}

// White space alone is no name.
function requireName() {
  const problem = value("propose-name") ? "" : "Name the category that is missing.";
  byId("propose-name").setCustomValidity(problem);
}
