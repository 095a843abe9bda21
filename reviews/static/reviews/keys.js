// Which key does what. Nothing here knows the page's texts.

const FREE_KEYS = "123456789bcdefghijklmnopqrstuvwxyzaäöüß";
const FIELDS = "input, textarea, select, [contenteditable]";
const PRESSED_BY_ENTER = "button, a, summary";

export class Keymap {
  // defaults: action -> [key, what it does]; own: what this person changed.
  constructor(defaults, own, categories) {
    this.defaults = defaults;
    this.categories = categories;
    this.change(own);
  }

  // From now on, without a reload.
  change(own) {
    this.ofActions = actionKeys(this.defaults, own);
    this.ofCategories = categoryKeys(this.categories, this.ofActions);
    this.byKey = new Map();
    for (const [id, key] of this.ofCategories) this.byKey.set(key, { categoryId: id });
    for (const [action, key] of Object.entries(this.ofActions)) this.byKey.set(key, { action });
  }
}

// action -> key; the person's own keys first, and an action whose key another took has none.
function actionKeys(defaults, own) {
  const keys = {};
  for (const name of Object.keys(defaults)) if (own[name]) keys[name] = own[name];
  for (const [name, [key]] of Object.entries(defaults)) {
    if (!keys[name] && !Object.values(keys).includes(key)) keys[name] = key;
  }
  return keys;
}

// category id -> key: the category's own shortcut, then digits, then letters that no action uses.
function categoryKeys(categories, actions) {
  const used = new Set(Object.values(actions));
  const keys = new Map();
  const give = (category, key) => {
    used.add(key);
    keys.set(category.id, key);
  };
  for (const category of categories) {
    const wanted = category.shortcut.toLowerCase();
    if (wanted.trim() && !used.has(wanted)) give(category, wanted);
  }
  for (const category of categories.filter((one) => !keys.has(one.id))) {
    const key = [...FREE_KEYS].find((one) => !used.has(one));
    if (key) give(category, key);
  }
  return keys;
}

// Somebody writes in a field in there: keys are letters now.
export function isWriting(parent) {
  return parent.contains(document.activeElement?.closest(FIELDS) ?? null);
}

export const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

// Calls act(action) or choose(categoryId) for a key pressed outside of fields and dialogs.
export function listen(keymap, { act, choose }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest(FIELDS) || isDialogOpen()) return;
    const isEnter = event.key === "Enter" && !event.target.closest(PRESSED_BY_ENTER);
    const meant = isEnter ? { action: "approve" } : keymap.byKey.get(event.key.toLowerCase());
    // A key held down repeats: it must not decide text after text.
    if (!meant || event.repeat) return;
    event.preventDefault();
    if (meant.action) act(meant.action);
    else choose(meant.categoryId);
  });
}
