// A new project: fills in a set of categories at once. Without this the server does it, and what is written stays as well.

const sets = JSON.parse(document.getElementById("category-sets").textContent);

document.getElementById("sets").addEventListener("click", (event) => {
  const button = event.target.closest("[name=set]");
  if (!button) return;
  event.preventDefault();
  const { categories, instructions } = sets[button.value];
  const [lines, guide] = ["id_categories", "id_instructions"].map((id) => document.getElementById(id));
  lines.value = categories;
  if (!guide.value.trim() || Object.values(sets).some((set) => set.instructions === guide.value.trim())) guide.value = instructions;
  lines.focus();
});
