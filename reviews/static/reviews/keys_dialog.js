// The help: which key does what, and changing it.

import { byId, make } from "../labeling/elements.js";
import { Refused, post } from "./api.js";
import { keycap, say } from "./view.js";

export class KeysDialog {
  constructor({ keymap, url, onChanged }) {
    Object.assign(this, { keymap, url, onChanged });
    byId("change-keys").addEventListener("click", () => this.#change());
    byId("keys-cancel").addEventListener("click", () => this.#show());
    byId("keys-defaults").addEventListener("click", () => this.#save(this.#defaults()));
    byId("keys-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(this.#typed());
    });
    byId("keys-form").addEventListener("input", ({ target }) => (this.#check(), target.select()));
    byId("help").addEventListener("close", () => this.#show());
    this.draw();
  }

  open() {
    byId("help").showModal();
  }

  draw() {
    const { defaults, ofActions, ofCategories, categories } = this.keymap;
    const actions = Object.entries(defaults).map(([name, [, says]]) => [ofActions[name], says]);
    const rows = [...actions, ...categories.map((one) => [ofCategories.get(one.id), one.name])];
    const shown = rows.filter(([key]) => key);
    byId("help-keys").replaceChildren(
      ...shown.flatMap(([key, says]) => [make("dt", {}, keycap(key)), make("dd", { text: says, dir: "auto" })]),
    );
    for (const hint of document.querySelectorAll("[data-key]")) {
      hint.textContent = (ofActions[hint.dataset.key] ?? "").toUpperCase();
      hint.hidden = !ofActions[hint.dataset.key];
    }
  }

  #show() {
    byId("keys-form").hidden = true;
    byId("keys-shown").hidden = false;
  }

  #change() {
    byId("keys-fields").replaceChildren(...Object.keys(this.keymap.defaults).flatMap((name) => this.#field(name)));
    byId("keys-form").hidden = false;
    byId("keys-shown").hidden = true;
    this.#check();
    byId("keys-fields").querySelector("input").focus();
  }

  #field(name) {
    const id = `key-of-${name}`;
    const field = make("input", { id, name, maxlength: 1, required: "", autocomplete: "off", autocapitalize: "off" });
    field.className = "page-input";
    field.value = this.keymap.ofActions[name] ?? "";
    field.setAttribute("aria-describedby", "keys-problem");
    field.addEventListener("focus", () => field.select());
    return [make("label", { for: id, text: this.keymap.defaults[name][1] }), field];
  }

  #fields() {
    return [...byId("keys-fields").querySelectorAll("input")];
  }

  #typed() {
    return Object.fromEntries(this.#fields().map((field) => [field.name, field.value.toLowerCase()]));
  }

  #defaults() {
    return Object.fromEntries(Object.entries(this.keymap.defaults).map(([name, [key]]) => [name, key]));
  }

  // Said while typing; the server has the last word.
  #check() {
    const typed = this.#typed();
    const problems = this.#fields().map((field) => [field, problem(field.name, typed, this.keymap)]);
    for (const [field, words] of problems) field.setAttribute("aria-invalid", String(Boolean(words)));
    this.#complain([...new Set(problems.map(([, words]) => words).filter(Boolean))].join(" "));
  }

  #complain(words) {
    byId("keys-problem").textContent = words;
    byId("keys-save").disabled = Boolean(words);
  }

  async #save(keys) {
    try {
      const answer = await post(this.url, { keys });
      this.keymap.change(answer.keys);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      byId("keys-problem").textContent = error.message;
      return;
    }
    this.onChanged();
    this.#show();
    byId("help-title").focus();
    say("Your keys are saved.");
  }
}

function problem(name, typed, { defaults, categories }) {
  const key = typed[name];
  const says = (action) => `“${defaults[action][1]}”`;
  if (!key.trim()) return `Choose a key for ${says(name)}.`;
  const shared = Object.keys(typed).filter((other) => typed[other] === key);
  if (shared.length > 1) return `${key.toUpperCase()} is given to ${shared.map(says).join(" and ")}.`;
  if (key === defaults[name][0]) return "";
  if (/\p{Nd}/u.test(key)) return `${key} cannot be the key of ${says(name)}: digits choose categories.`;
  const category = categories.find((one) => one.shortcut.toLowerCase() === key);
  return category ? `${key.toUpperCase()} cannot be the key of ${says(name)}: it chooses ${category.name}.` : "";
}
