// A run's page: asks how far it is every few seconds while somebody looks at it. Data goes in as text only.

import { byId } from "./elements.js";
import { poll } from "./poll.js";

const count = (value) => value.toLocaleString("en");

function ago(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function draw(run) {
  byId("run-status").textContent = run.status_name;
  byId("run-phase").textContent = run.is_finished ? "" : run.phase;
  byId("run-bar").value = run.percent;
  const line = [`${count(run.done)} of ${count(run.total)} texts`];
  if (run.rate) line.push(`${count(Math.round(run.rate))} texts/s`);
  if (run.seconds_left !== null && !run.is_finished) line.push(`${ago(run.seconds_left)} left`);
  if (run.processes) line.push(`${run.processes} ${run.processes === 1 ? "process" : "processes"}`);
  if (run.failed) line.push(`${count(run.failed)} failed`);
  if (run.tokens) line.push(`${count(run.tokens)} tokens`);
  if (run.cost) line.push(`cost ${run.cost.toFixed(2)}`);
  if (run.set_aside) line.push(`${run.set_aside} chunks set aside`);
  byId("run-line").textContent = line.join(", ");
  fill(byId("run-notes"), run.notes.map((note) => cell("li", note)));
  const rows = run.failures.map(([reason, texts]) => {
    const row = document.createElement("tr");
    row.append(cell("td", reason), cell("td", count(texts)));
    return row;
  });
  fill(byId("run-failures").tBodies[0], rows);
  byId("run-failures").hidden = !run.failed;
  if (byId("run-failed")) byId("run-failed").hidden = !run.failed;
  for (const form of document.querySelectorAll("#run [data-verb]")) form.hidden = !run.verbs.includes(form.dataset.verb);
  byId("run-updated").hidden = run.is_finished;
  if (byId("run-next")) byId("run-next").hidden = !run.is_finished; // the admin's pages of a run have none
  return run.is_finished;
}

function cell(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  element.dir = "auto";
  return element;
}

// Only what changed is drawn again, so that words being read aloud or selected stay.
function fill(parent, children) {
  const isSame = parent.children.length === children.length && children.every((child, at) => child.isEqualNode(parent.children[at]));
  if (!isSame) parent.replaceChildren(...children);
}

// The admin has this script on its other pages of runs as well.
if (byId("run")) {
  const isFinished = draw(JSON.parse(byId("run-progress").textContent));
  if (!isFinished) poll(JSON.parse(byId("run-live").textContent), draw);
}
