// Talking with the server, and the outbox: a decision stays in it, and in the browser's storage, until acknowledged.

const RETRY_SECONDS = [1, 2, 5, 10, 30];

export class Refused extends Error {
  constructor(status, data) {
    super(data.message || "The server could not answer.");
    this.status = status;
    this.code = data.code || "unreachable";
    this.other = data.other || null;
  }
  // Asking again later can help: the network, a busy server, a session that ended.
  get isTemporary() {
    return this.status === 0 || this.status >= 500 || [401, 403, 408, 429].includes(this.status);
  }
}

const token = () => document.querySelector("#desk [name=csrfmiddlewaretoken]").value;

export async function post(url, data) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: JSON.stringify(data),
      credentials: "same-origin",
      keepalive: true,
    });
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

// One at a time and in order, so that "next" is asked after the decision before it is written.
export function inOrder() {
  let last = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

export class Outbox {
  constructor({ storage, url, queue, onSaved, onRefused, onWaiting }) {
    Object.assign(this, { storage, url, queue, onSaved, onRefused, onWaiting });
    this.items = this.#stored();
    this.tries = 0;
    this.sending = null;
    addEventListener("online", () => this.flush());
  }

  get textIds() {
    return this.items.map((item) => item.decision.text_id);
  }

  add(item) {
    this.items.push(item);
    this.#keep(item, true);
    this.flush();
  }

  // Takes the last decision out again, if it is not on its way.
  takeBack() {
    const last = this.items.at(-1);
    if (!last || last === this.sending) return null;
    this.items.pop();
    this.#keep(last, false);
    return last;
  }

  flush() {
    clearTimeout(this.timer);
    return this.queue(() => this.#sendAll());
  }

  async #sendAll() {
    while (this.items.length) {
      const item = (this.sending = this.items[0]);
      try {
        const answer = await post(this.url, item.decision);
        this.#done(item);
        this.onSaved(answer, item);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.isTemporary) return this.#later(error);
        this.#done(item);
        this.onRefused(error, item);
      } finally {
        this.sending = null;
      }
    }
  }

  #done(item) {
    this.tries = 0;
    this.items = this.items.filter((other) => other !== item);
    this.#keep(item, false);
  }

  #later(error) {
    const seconds = RETRY_SECONDS[Math.min(this.tries++, RETRY_SECONDS.length - 1)];
    this.timer = setTimeout(() => this.flush(), seconds * 1000);
    this.onWaiting(error, this.items.length);
  }

  // One entry for each decision, so that two open tabs do not write over each other's.
  #stored() {
    try {
      const names = Object.keys(localStorage).filter((name) => name.startsWith(`${this.storage}:`));
      return names.map((name) => JSON.parse(localStorage.getItem(name))).sort((one, two) => one.at - two.at);
    } catch {
      return [];
    }
  }

  // A full or forbidden storage must not stop the work: the decisions are still in memory.
  #keep(item, keeps) {
    const name = `${this.storage}:${item.decision.idempotency_key}`;
    try {
      if (keeps) localStorage.setItem(name, JSON.stringify(item));
      else localStorage.removeItem(name);
    } catch {
      console.warn("Decisions cannot be kept in this browser's storage.");
    }
  }
}
