// Reviewed texts like the one shown. Asked for when a person stays at a text, so that it never delays a decision.

import { byId, make, percent } from "../labeling/elements.js";
import { Refused, get } from "./api.js";

const REST_MILLISECONDS = 250; // who decides faster does not read them

export class SimilarTexts {
  constructor(url) {
    this.url = url;
    this.asking = null;
  }

  // The text changes: what belongs to the one before goes away at once.
  clear(text) {
    clearTimeout(this.timer);
    this.asking?.abort();
    byId("similar").hidden = text.is_blind;
    byId("similar-texts").replaceChildren();
    byId("similar-hint").textContent = text.is_blind ? "" : "Looking …";
  }

  askSoon(text) {
    if (!text.is_blind) this.timer = setTimeout(() => this.#ask(text), REST_MILLISECONDS);
  }

  async #ask(text) {
    const asking = (this.asking = new AbortController());
    let answer;
    try {
      answer = await get(`${this.url}${text.id}/`, asking.signal);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      answer = { texts: [], reason: error.message };
    }
    if (asking.signal.aborted) return;
    byId("similar-hint").textContent = answer.reason;
    byId("similar-texts").replaceChildren(...answer.texts.map(row));
  }
}

function row({ excerpt, category, similarity }) {
  const head = make("p", {}, make("strong", { text: category, dir: "auto" }), make("span", { text: percent(similarity) }));
  return make("li", {}, head, make("p", { text: excerpt, dir: "auto", className: "desk-excerpt" }));
}
