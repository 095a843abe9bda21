// The list of categories and its search. The last entry is for a text that none of them fits.

import { byId } from "../labeling/elements.js";
import { drawCategories } from "./view.js";

export class Search {
  constructor({ categories, keymap, suggestedId, choose, propose, leave }) {
    Object.assign(this, { categories, keymap, suggestedId, choose, propose, leave });
    this.found = categories; // what the search left
    this.chosen = -1; // which entry is marked; the one behind the categories proposes another
    byId("search").addEventListener("input", () => this.#look(true));
    byId("search").addEventListener("keydown", (event) => this.#press(event));
    byId("categories").addEventListener("click", (event) => this.#click(event));
  }

  get #words() {
    return byId("search").value.trim();
  }

  focus() {
    byId("search").focus();
    byId("search").scrollIntoView({ block: "nearest" });
  }

  clear() {
    byId("search").value = "";
    this.#look(false);
  }

  draw() {
    const isEmpty = this.#words && !this.found.length;
    const last = isEmpty ? `Propose “${this.#words}” as a new category` : "None of these …";
    drawCategories(this.found, { keymap: this.keymap, chosen: this.chosen, suggestedId: this.suggestedId(), last });
  }

  #look(isTyped) {
    const words = this.#words.toLowerCase();
    const starts = (one) => Number(!one.name.toLowerCase().startsWith(words));
    this.found = words ? this.categories.filter((one) => one.name.toLowerCase().includes(words)) : this.categories;
    if (words) this.found = [...this.found].sort((one, two) => starts(one) - starts(two));
    this.chosen = isTyped && words ? 0 : -1;
    this.draw();
  }

  #press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const entries = this.found.length + 1;
    if (step) this.chosen = (Math.max(this.chosen, step > 0 ? -1 : 0) + step + entries) % entries;
    else if (event.key === "Enter" && this.chosen >= 0) this.#take(this.found[this.chosen]?.id);
    else if (event.key === "Escape") this.leave();
    else return;
    event.preventDefault();
    if (step) this.draw();
  }

  #click(event) {
    const row = event.target.closest("[role=option]");
    if (row) this.#take(row.dataset.category && Number(row.dataset.category));
  }

  #take(categoryId) {
    if (categoryId) this.choose(categoryId);
    else this.propose(this.#words);
  }
}
