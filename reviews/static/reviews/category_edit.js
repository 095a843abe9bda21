// A category: one more example, and a colour chosen by eye.

const more = document.getElementById("more-examples");
more.hidden = false;
more.addEventListener("click", () => {
  const fields = [...document.querySelectorAll('#examples [name="examples"]')];
  const next = fields.at(-1).cloneNode();
  next.value = "";
  next.setAttribute("aria-label", `Example ${fields.length + 1}`);
  fields.at(-1).after(next);
  next.focus();
});

const color = document.querySelector("[data-color]");
const picker = document.createElement("input");
picker.type = "color";
picker.className = "projects-picker";
picker.setAttribute("aria-label", "Choose the colour");
const show = () => { if (color.checkValidity() && color.value) picker.value = color.value; };
picker.addEventListener("input", () => { color.value = picker.value; });
color.addEventListener("input", show);
const pair = document.createElement("div");
pair.className = "projects-color";
color.before(pair);
pair.append(color, picker);
show();
