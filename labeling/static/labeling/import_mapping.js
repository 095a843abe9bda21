// Looks again as soon as a column is chosen. The page works without: there is a button.

const byId = (id) => document.getElementById(id);
const form = byId("mapping");
let latest = 0;

async function look() {
  const turn = ++latest;
  byId("preview").setAttribute("aria-busy", "true");
  if (byId("import")) byId("import").disabled = true; // what is imported is what is shown
  const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
  const response = await fetch(url, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (turn !== latest) return;
  const isAnotherTable = page.querySelectorAll("#text_column option").length !== form.querySelectorAll("#text_column option").length;
  if (!response.ok || response.redirected || isAnotherTable) location.assign(url);
  else byId("preview").replaceWith(document.adoptNode(page.getElementById("preview")));
}

byId("look").hidden = true;
form.addEventListener("change", () => look().catch(() => form.submit()));
