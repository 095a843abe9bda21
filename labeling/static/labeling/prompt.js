// The form of a prompt: shows what models would be told, while somebody writes. Data goes in as text only.

const PAUSE = 400;

function start() {
  const preview = document.getElementById("prompt-preview");
  const form = document.getElementById(preview?.dataset.form ?? "promptversion_form");
  if (!preview || !form) return;
  let timer, latest = 0, shown = "";
  const show = async (isNext) => {
    const mine = ++latest;
    const body = new FormData(form);
    body.set("text_id", shown);
    if (isNext === true) body.set("is_next", "on");
    const answer = await fetch(preview.dataset.url, { method: "POST", body }).catch(() => null);
    const said = answer ? await answer.json().catch(() => ({ error: "No preview: sign in again." })) : { error: "No preview: the server does not answer." };
    if (mine !== latest) return;
    shown = said.text_id ?? shown;
    draw(said);
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(show, PAUSE); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  const another = document.getElementById("prompt-preview-another");
  if (another) {
    another.hidden = false;
    another.addEventListener("click", () => show(true));
  }
  show();
}

function draw(said) {
  document.getElementById("prompt-preview-error").textContent = said.error || "";
  const list = document.getElementById("prompt-preview-messages");
  list.replaceChildren(...(said.messages || []).flatMap(({ role, content }) => [line("dt", role), line("dd", content)]));
  document.getElementById("prompt-hypothesis-error").textContent = said.hypothesis_error || "";
  const more = said.more_hypotheses ? [`… and ${said.more_hypotheses} more`] : [];
  const sentences = [...(said.hypotheses || []), ...more].map((sentence) => line("li", sentence));
  document.getElementById("prompt-hypotheses").replaceChildren(...sentences);
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  element.dir = "auto";
  return element;
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
