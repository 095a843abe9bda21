// The list and its preview by keyboard: j and k move, x selects, a approves, Enter confirms.
// Without this script the list works by its forms alone.

const form = document.getElementById("list");
const boxes = form ? [...form.querySelectorAll('[name="checked"]')] : [];
const all = document.getElementById("select-all");
let last = null; // the box that was clicked before, where a range begins

function showCount() {
  const count = boxes.filter((box) => box.checked).length;
  document.getElementById("selected").textContent = count;
  all.checked = count === boxes.length;
  all.indeterminate = count > 0 && !all.checked;
  const isNothing = form.elements.scope.value === "checked" && count === 0;
  for (const id of ["approve", "relabel"]) document.getElementById(id).disabled = isNothing;
}

function selectRange(from, to, isChecked) {
  const places = [boxes.indexOf(from), boxes.indexOf(to)].sort((a, b) => a - b);
  for (const box of boxes.slice(places[0], places[1] + 1)) box.checked = isChecked;
}

function choose(scope) {
  form.querySelector(`[name="scope"][value="${scope}"]`).checked = true;
}

function move(step) {
  const place = boxes.indexOf(document.activeElement.closest(".list-row")?.querySelector('[name="checked"]'));
  const next = place < 0 ? (step > 0 ? 0 : boxes.length - 1) : place + step;
  boxes[Math.min(Math.max(next, 0), boxes.length - 1)].focus();
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  x: () => document.activeElement.closest(".list-row")?.querySelector('[name="checked"]').click(),
  a: () => document.getElementById("approve").click(),
};

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  if (event.target.closest('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]')) return;
  const act = actions[event.key.toLowerCase()];
  // A key held down may move on and on, but not decide.
  if (!act || (event.repeat && !"jk".includes(event.key.toLowerCase()))) return;
  event.preventDefault();
  act();
}

if (form) {
  form.addEventListener("click", (event) => {
    if (!boxes.includes(event.target)) return;
    if (event.shiftKey && last) selectRange(last, event.target, event.target.checked);
    last = event.target;
    choose("checked");
    showCount();
  });
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    choose("checked");
    showCount();
  });
  form.addEventListener("change", showCount);
  document.addEventListener("keydown", onKey);
  // A browser that goes back fills in the boxes as they were.
  window.addEventListener("pageshow", showCount);
  document.getElementById("select").hidden = false;
  document.getElementById("scope-page").hidden = true; // the box that selects all does the same
  showCount();
}
