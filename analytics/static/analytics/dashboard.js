// The start page: its numbers anew every few seconds, and what is proven of each project, which comes after the page.

import { byId, make } from "../labeling/elements.js";
import { poll, replace } from "../labeling/poll.js";

const settings = JSON.parse(byId("dashboard-settings").textContent);
const PROOFS_AGAIN = 60_000;
const cardOf = (id) => document.querySelector(`[data-project="${id}"]`);
const shown = () => document.querySelectorAll("[data-project]").length;

function draw(answer) {
  if (answer.projects.length !== shown() || answer.projects.some(isOther)) location.reload();
  else answer.projects.forEach(drawProject);
}

// A new project, its first texts, another step, or a run that makes the button of the step wait: parts come and go.
function isOther(one) {
  const card = cardOf(one.id);
  if (!card || card.dataset.step !== one.step) return true;
  if (Boolean(card.querySelector(".dashboard-bar")) !== Boolean(one.total)) return true;
  const button = card.querySelector(".dashboard-steps button");
  return button !== null && button.disabled !== Boolean(one.run);
}

function drawProject(one) {
  const card = cardOf(one.id);
  const bar = card.querySelector(".dashboard-bar");
  if (!bar) return;
  bar.setAttribute("aria-label", one.words);
  one.parts.forEach((part) => drawPart(card, part));
  card.querySelector("[data-waiting]").textContent = one.waiting;
  drawRun(card.querySelector(".dashboard-run"), one.run);
}

function drawPart(card, part) {
  const rect = card.querySelector(`rect[data-status="${part.status}"]`);
  rect.setAttribute("x", part.start);
  rect.setAttribute("width", part.width);
  const row = card.querySelector(`li[data-status="${part.status}"]`);
  row.hidden = !part.texts;
  row.querySelector("strong").textContent = part.texts.toLocaleString("en");
}

function drawRun(box, run) {
  box.hidden = !run;
  if (!run) return;
  box.querySelector("progress").value = run.percent;
  box.querySelector("a").textContent = run.words;
  box.querySelector("a").href = run.url;
}

// One after the other: each may take the server a second.
async function drawProofs() {
  for (const [id, url] of Object.entries(settings.proofs)) {
    const box = cardOf(id)?.querySelector("[data-proof]");
    if (!box || document.visibilityState !== "visible") continue;
    try {
      const response = await fetch(url, { credentials: "same-origin" });
      if (response.ok) drawProof(box, await response.json());
    } catch {
      // the numbers beside it say that the server is gone
    }
  }
  setTimeout(drawProofs, PROOFS_AGAIN);
}

function drawProof(box, proof) {
  const soft = proof.missing.map((text) => make("p", { text, className: "dashboard-soft" }));
  const warnings = proof.warnings.map((text) => make("p", { text, className: "dashboard-warning" }));
  const proven = make("p", proof.is_proven ? { text: proof.proven, className: "dashboard-proven" } : { text: proof.proven });
  replace(box, [proven, ...(proof.left ? [make("p", { text: proof.left })] : []), ...soft, ...warnings]);
}

byId("live").hidden = false;
poll(settings, draw);
drawProofs();
