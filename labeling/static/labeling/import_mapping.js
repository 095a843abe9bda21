// Looks again as soon as a column is chosen. The page works without: there is a button.

const byId = (id) => document.getElementById(id);
const form = byId("mapping");
const asServed = form.cloneNode(true);
let latest = 0;

const chosen = (of) => String(new URLSearchParams(new FormData(of)));

async function look() {
  const turn = ++latest;
  byId("preview").setAttribute("aria-busy", "true");
  if (byId("import")) byId("import").disabled = true; // what is imported is what is shown
  const url = `${form.action}?${chosen(form)}`;
  const response = await fetch(url, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (turn !== latest) return;
  const isAnotherTable = page.querySelectorAll("#text_column option").length !== form.querySelectorAll("#text_column option").length;
  if (!response.ok || response.redirected || isAnotherTable) location.assign(url);
  else byId("preview").replaceWith(document.adoptNode(page.getElementById("preview")));
}

// The server takes the texts' own column for nothing else. A role that its name had suggested is shown as it is then.
function freeTextColumn() {
  const text = byId("text_column")?.value;
  for (const role of form.querySelectorAll(".import-roles select:not(#text_column)")) if (text && role.value === text) role.value = "";
}

byId("look").hidden = true;
const lookNow = () => (freeTextColumn(), look().catch(() => form.submit()));
form.addEventListener("change", lookNow);
// A column may be chosen before this script has come, or be filled in by a browser that goes back.
asServed.reset();
window.addEventListener("pageshow", () => { if (chosen(form) !== chosen(asServed)) lookNow(); });
