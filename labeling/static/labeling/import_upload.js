// Sends the file and says how much of it is sent. The form works without; data goes in as text only.

import { sendAsFile } from "./long_paste.js";

const byId = (id) => document.getElementById(id);
const form = byId("upload");

function complain(messages) {
  byId("trouble").replaceChildren(...messages.map((words) => Object.assign(document.createElement("p"), { textContent: words })));
  byId("trouble").hidden = false;
  byId("sending").hidden = true;
  byId("send").disabled = false;
}

function show(sent, total) {
  const percent = total ? Math.floor((100 * sent) / total) : 0;
  byId("sent").value = percent;
  const words = sent < total ? `${percent} % sent` : "Sent. Looking at it …";
  if (byId("sent-words").textContent !== words) byId("sent-words").textContent = words;
}

function send(data) {
  const request = new XMLHttpRequest();
  request.open("POST", location.pathname);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => show(event.loaded, event.total));
  request.addEventListener("load", () => {
    if (request.status === 200 && request.response?.url) location.assign(request.response.url);
    else complain(request.response?.errors ?? ["The server refused it. Reload the page, sign in again if it asks, and try once more."]);
  });
  request.addEventListener("error", () => complain(["The connection broke while the file was sent. Try again."]));
  request.send(data);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = byId("file").files[0];
  if (file && file.size > Number(form.dataset.limit)) return complain([form.dataset.tooLarge]);
  byId("trouble").hidden = true;
  byId("sending").hidden = false;
  byId("send").disabled = true;
  send(new FormData(form));
});

sendAsFile(form, "pasted");
addEventListener("pageshow", () => (byId("send").disabled = false)); // back from the preview
