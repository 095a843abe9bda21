// The order of categories: by dragging, or by the buttons, which then need no new page. The server has the last word.

const order = JSON.parse(document.getElementById("category-order").textContent);
const list = document.getElementById("categories");
const trouble = document.getElementById("order-trouble");
const said = document.getElementById("order-said");
const rows = () => [...list.children];

let saving = Promise.resolve();

function moved(row) {
  const all = rows();
  all.forEach((one, place) => {
    one.querySelector('[value="up"]').disabled = place === 0;
    one.querySelector('[value="down"]').disabled = place === all.length - 1;
    one.classList.toggle("is-moved", one === row);
  });
  said.textContent = `${row.dataset.name} is number ${all.indexOf(row) + 1} of ${all.length}.`;
  saving = saving.then(() => save(all.map((one) => Number(one.dataset.id))));
}

async function save(categories) {
  const token = list.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = JSON.stringify({ categories, revision: order.revision });
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const answer = await fetch(order.url, { method: "POST", headers, body }).catch(() => null);
  const found = answer ? await answer.json().catch(() => ({})) : {};
  if (answer?.ok && found.revision) {
    order.revision = found.revision;
    trouble.hidden = true;
  } else {
    trouble.textContent = found.message || "The order was not saved. Load this page again.";
    trouble.hidden = false;
  }
}

function byButton(event) {
  const button = event.submitter;
  if (!button?.matches('[name="to"]')) return;
  event.preventDefault();
  const row = button.closest(".projects-row");
  if (button.value === "up") row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  moved(row);
  (button.disabled ? row.querySelector('[name="to"]:not(:disabled)') : button)?.focus();
}

function drag(event) {
  const grip = event.target.closest(".projects-grip");
  if (!grip || event.button) return;
  event.preventDefault();
  const row = grip.closest(".projects-row");
  const before = row.previousElementSibling;
  row.classList.add("is-dragged");
  const follow = ({ clientY }) => {
    const other = rows().find((one) => one !== row && isAt(one, clientY));
    if (other) (row.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? other.after(row) : other.before(row));
  };
  const end = () => {
    for (const kind of ["pointerup", "pointercancel"]) removeEventListener(kind, end);
    removeEventListener("pointermove", follow);
    row.classList.remove("is-dragged");
    if (row.previousElementSibling !== before) moved(row);
  };
  // At the window: a row that is put elsewhere loses a pointer that it has captured.
  addEventListener("pointermove", follow);
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, end);
}

function isAt(row, y) {
  const { top, bottom } = row.getBoundingClientRect();
  const quarter = (bottom - top) / 4;
  return y > top + quarter && y < bottom - quarter;
}

if (list) {
  list.addEventListener("submit", byButton);
  list.addEventListener("pointerdown", drag);
  for (const grip of list.querySelectorAll(".projects-grip")) grip.hidden = false;
}
