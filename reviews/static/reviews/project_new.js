// A new project: fills in a set of categories at once. Without this the server does it, and what is written stays as well.

const sets = JSON.parse(document.getElementById("category-sets").textContent);
const own = (text, name) => text.trim() && !Object.values(sets).some((set) => set[name] === text.trim());

document.getElementById("sets").addEventListener("click", (event) => {
  const button = event.target.closest("[name=set]");
  if (!button) return;
  event.preventDefault();
  const { categories, instructions } = sets[button.value];
  const [lines, guide] = ["id_categories", "id_instructions"].map((id) => document.getElementById(id));
  lines.value = own(lines.value, "categories") ? joined(lines.value, categories) : categories;
  if (!own(guide.value, "instructions")) guide.value = instructions;
  lines.focus();
});

// The lines of a set after those that were typed.
function joined(typed, chosen) {
  const lines = typed.trim().split("\n");
  return [...lines, ...chosen.split("\n").filter((line) => !lines.includes(line))].join("\n");
}
