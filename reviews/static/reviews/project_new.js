// A new project: fills in a set of categories without losing what is written already.

const sets = JSON.parse(document.getElementById("category-sets").textContent);

document.getElementById("sets").addEventListener("click", (event) => {
  const link = event.target.closest("[data-set]");
  if (!link) return;
  event.preventDefault();
  const { categories, instructions } = sets[link.dataset.set];
  const [lines, guide] = ["id_categories", "id_instructions"].map((id) => document.getElementById(id));
  lines.value = categories;
  if (!guide.value.trim() || Object.values(sets).some((set) => set.instructions === guide.value.trim())) guide.value = instructions;
  lines.focus();
});
