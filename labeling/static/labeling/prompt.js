// The form of a prompt: shows what a chat model would be told, while somebody writes. Data goes in as text only.

const PAUSE = 400;

function start() {
  const preview = document.getElementById("prompt-preview");
  const form = document.getElementById("promptversion_form");
  if (!preview || !form) return;
  let timer, latest = 0;
  const show = async () => {
    const mine = ++latest;
    const answer = await fetch(preview.dataset.url, { method: "POST", body: new FormData(form) }).catch(() => null);
    const said = answer ? await answer.json().catch(() => ({ error: "No preview: sign in again." })) : { error: "No preview: the server does not answer." };
    if (mine === latest) draw(said);
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(show, PAUSE); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  show();
}

function draw(said) {
  document.getElementById("prompt-preview-error").textContent = said.error || "";
  const list = document.getElementById("prompt-preview-messages");
  list.replaceChildren(...(said.messages || []).flatMap(({ role, content }) => [line("dt", role), line("dd", content)]));
}

function line(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  element.dir = "auto";
  return element;
}

document.addEventListener("DOMContentLoaded", start);
