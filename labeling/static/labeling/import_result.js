// How far the import is, asked every second while somebody looks. The page works without; data goes in as text only.

import { byId } from "./elements.js";
import { poll } from "./poll.js";

const NUMBERS = ["added", "duplicate", "empty", "rejected"];

function write(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function draw(progress) {
  if (!progress.is_unfinished) return location.reload(); // with what came of it
  write("status", progress.status_name);
  write("note", progress.note);
  for (const name of NUMBERS) write(name, progress[name].toLocaleString("en"));
  if (progress.percent === null) byId("bar").removeAttribute("value");
  else byId("bar").value = progress.percent;
}

byId("live").hidden = false;
poll(JSON.parse(byId("import-settings").textContent), draw);
