// Which key does what. Nothing here knows the page's texts.

export const ACTIONS = {
  approve: ["a", "Approve the suggested category"],
  reject: ["x", "Reject: search the right category"],
  modify: ["m", "Modify: category and confidence"],
  skip: ["s", "Skip"],
  flag: ["f", "Flag for a manager"],
  comment: ["c", "Write a comment"],
  undo: ["u", "Undo the last decision"],
  guidelines: ["g", "Guidelines"],
  search: ["/", "Search the categories"],
  unfold: ["e", "Show all of a long text"],
  help: ["?", "This help"],
};

const FREE_KEYS = "123456789bcdefghijklmnopqrstuvwxyzaäöüß";
const FIELDS = "input, textarea, select, [contenteditable]";
const PRESSED_BY_ENTER = "button, a, summary";

// action -> key; the person's own keys first, and an action whose key another took has none.
export function actionKeys(own) {
  const keys = {};
  for (const name of Object.keys(ACTIONS)) if (own[name]) keys[name] = own[name];
  for (const [name, [key]] of Object.entries(ACTIONS)) {
    if (!keys[name] && !Object.values(keys).includes(key)) keys[name] = key;
  }
  return keys;
}

// category id -> key: the category's own shortcut, then digits, then letters that no action uses.
export function categoryKeys(categories, actions) {
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

// Calls act(action) or choose(categoryId) for a key pressed outside of fields and dialogs.
export function listen(actions, categories, { act, choose }) {
  const byKey = new Map();
  for (const [id, key] of categories) byKey.set(key, () => choose(id));
  for (const [name, key] of Object.entries(actions)) byKey.set(key, () => act(name));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
    const isEnter = event.key === "Enter" && !event.target.closest(PRESSED_BY_ENTER);
    const work = isEnter ? () => act("approve") : byKey.get(event.key.toLowerCase());
    // A key held down repeats: it must not decide text after text.
    if (!work || event.repeat) return;
    event.preventDefault();
    work();
  });
}
