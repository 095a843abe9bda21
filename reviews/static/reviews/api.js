// Talking with the server.

export class Refused extends Error {
  constructor(status, data) {
    super(data.message || "The server could not answer.");
    this.status = status;
    this.code = data.code || "unreachable";
    this.other = data.other || null;
    this.mine = data.mine || null;
  }
  // Without a session, or with another one than the page began with: Django refuses that in HTML, without a code.
  get isSignedOut() {
    return this.code === "signed_out" || (this.status === 403 && this.code === "unreachable");
  }
  // The server may have done it all the same: perhaps only its answer was lost.
  get isUncertain() {
    return this.status === 0 || this.status >= 500;
  }
  // Asking again later can help: the network, a busy server, a session that ended.
  get isTemporary() {
    return this.isUncertain || [401, 403, 408, 429].includes(this.status);
  }
}

const token = () => document.querySelector("#desk [name=csrfmiddlewaretoken]").value;

// With keepalive it goes on when the page is left.
export function post(url, data, { keepalive = true } = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token() };
  return ask(url, { method: "POST", headers, body: JSON.stringify(data), keepalive });
}

export const get = (url, signal) => ask(url, { signal });

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch {
    throw new Refused(0, { message: "The server cannot be reached." });
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, answer || { message: refusal(response.status) });
  if (answer === null) throw new Refused(500, {});
  return answer;
}

function refusal(status) {
  return status === 403 ? "Your session has changed. Reload the page." : `The server answered ${status}.`;
}

// A page that is left can only send a form.
export function farewell(url, data) {
  const form = new FormData();
  form.append("csrfmiddlewaretoken", token());
  form.append("data", JSON.stringify(data));
  navigator.sendBeacon(url, form);
}

// One at a time and in order; urgent work goes before what waits.
export function inOrder() {
  const urgent = [];
  const usual = [];
  let isBusy = false;

  async function goOn() {
    if (isBusy) return;
    isBusy = true;
    for (let next; (next = urgent.shift() ?? usual.shift()); ) await next();
    isBusy = false;
  }

  return (work, { isUrgent = false } = {}) =>
    new Promise((resolve, reject) => {
      (isUrgent ? urgent : usual).push(() => work().then(resolve, reject));
      goOn();
    });
}
