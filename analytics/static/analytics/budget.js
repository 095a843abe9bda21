// The error budget: the slider, and the numbers anew every few seconds. The page works without; data goes in as text only.

import { byId, make } from "../labeling/elements.js";
import { poll, replace } from "../labeling/poll.js";

const settings = JSON.parse(byId("budget-settings").textContent);
const range = byId("budget-range");
let rows = settings.outlook.rows;

const cell = (name, text, className = "record-number") => make("td", { text, className, "data-name": name });

function drawRow(row, index) {
  const head = make("th", { text: row.percent, scope: "row" });
  const cells = [
    cell("Texts for people", row.texts),
    cell("In nine of ten audits", row.interval || "-"),
    cell("Time", row.time || "-"),
    cell("What would change that", row.note, "budget-wrap"),
  ];
  const shown = make("tr", {}, head, ...cells);
  if (Number(range.value) === index) shown.dataset.chosen = "";
  return shown;
}

// What the chosen budget costs, in large.
function drawChosen() {
  const row = rows[Number(range.value)];
  byId("chosen").textContent = row.percent;
  range.setAttribute("aria-valuetext", `${row.percent}: ${row.texts} texts for people`);
  write("cost-texts", row.texts);
  write("cost-unit", row.share && `texts for people to decide, ${row.share} of all`);
  write("cost-more", [row.interval && `${row.interval} in nine of ten audits.`, inTime(row)].filter(Boolean).join(" "));
  write("cost-note", row.note);
  byId("cost-note").hidden = !row.note;
}

const inTime = (row) => row.time && `This takes ${row.time}${row.time_interval ? ` (${row.time_interval})` : ""} at the measured pace.`;

// It is read aloud when it changes, so it changes only when the words do.
function write(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function drawCosts() {
  replace(byId("costs"), rows.map(drawRow));
  drawChosen();
}

function todo(one) {
  const row = make("li", { text: one.words });
  if (one.link) row.append(" ", make("a", { text: one.link_text, href: one.link, className: "record-link" }));
  return row;
}

function draw(outlook) {
  if (Boolean(outlook.rows.length) !== Boolean(rows.length)) location.reload(); // the first texts were labeled
  rows = outlook.rows;
  const nothing = { words: "Nothing stands in the way of a look at the audit." };
  replace(byId("missing"), (outlook.missing.length ? outlook.missing : [nothing]).map(todo));
  if (byId("undecided")) write("undecided", outlook.undecided_words);
  write("human", outlook.human.words);
  write("human-meaning", outlook.human.meaning);
  if (!rows.length) return;
  write("pace", outlook.pace);
  write("look-number", String(outlook.look));
  drawCosts();
}

if (rows.length) {
  byId("slider").hidden = false;
  range.addEventListener("input", drawCosts);
  range.addEventListener("change", () => (byId("budget").selectedIndex = Number(range.value)));
  drawCosts();
}
byId("live").hidden = false;
poll(settings, draw);
