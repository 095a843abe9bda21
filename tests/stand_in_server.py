"""A real HTTP server on 127.0.0.1 that speaks OpenAI's, Ollama's and Hugging Face's wire formats, without a model.

It answers with the category whose name stands in the text, else the first. `script` takes one step for each question,
in order, and `refuses` names the fields that it knows nothing of; after that all is well.
"""

import json
import math
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

TEXT = re.compile(r'<text(?: number="(\d+)")?>\n(.*?)\n</text>', re.DOTALL)
LISTED = re.compile(r'^- (".*?[^\\]")(?=:| \(|$)', re.MULTILINE)
TAKEN = 0.8  # the probability of each token of an answer


@dataclass(frozen=True)
class Step:
    """What becomes of one question. `content` is what the model says instead, or is made from what it would say."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    content: str | Callable[[str], str] | None = None
    is_cut: bool = False
    seconds: float = 0.0
    is_reset: bool = False


def says(content: str | Callable[[str], str]) -> Step:
    return Step(content=content)


def is_cut_at(content: str) -> Step:
    return Step(content=content, is_cut=True)


def fails(status: int, message: str = "something went wrong", code: str = "", **headers: str) -> Step:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Step(status, named, json.dumps({"error": {"message": message, "type": code, "code": code}}))


def shows_html(status: int = 200) -> Step:
    page = "<html><head><style>p {}</style></head><body><h1>Bad gateway</h1></body></html>"
    return Step(status, {"content-type": "text/html"}, page)


def is_slow(seconds: float) -> Step:
    return Step(seconds=seconds)


def resets() -> Step:
    return Step(is_reset=True)


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: Json
    connection: tuple[str, int]


class StandIn:
    """Use it as a context manager. `questions` are the requests that a model would have to answer."""

    def __init__(self, port: int = 0) -> None:
        self.script: deque[Step] = deque()
        self.always: Step | None = None  # for each question, once the script is empty
        self.refuses: set[str] = set()
        self.key = ""
        self.models = ["stand-in"]
        self.version = "0.12.11"
        self.hf_gives_object = False
        self.seconds = 0.0  # for each question
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        stand_in = self

        class Handler(_Handler):
            server_side = stand_in

        self._http = _HttpServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    @property
    def questions(self) -> list[Request]:
        return [request for request in self.requests if request.body]

    def __enter__(self) -> "StandIn":
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def next_step(self) -> Step:
        with self._lock:
            return self.script.popleft() if self.script else self.always or Step(seconds=self.seconds)

    def count(self, change: int) -> None:
        with self._lock:
            self._at_once += change
            self.most_at_once = max(self.most_at_once, self._at_once)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def server_close(self) -> None:
        """Also what is open: a process that is killed answers nobody any more."""
        super().server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *request: object) -> None:
        """Clients that hang up are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each response waits 40 ms for the client's acknowledgement
    server_side: StandIn

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        self._note({})
        if self._is_stranger():
            return
        if self.path == "/api/version":
            self._send(200, {"version": self.server_side.version})
        elif self.path == "/api/tags":
            self._send(200, {"models": [{"name": name, "model": name} for name in self.server_side.models]})
        else:
            self._send(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._note(body)
        self.server_side.count(1)
        try:
            self._answer(body)
        finally:
            self.server_side.count(-1)

    def _answer(self, body: Json) -> None:
        if self._is_stranger():
            return
        step = self.server_side.next_step()
        time.sleep(step.seconds)
        if step.is_reset:
            self.close_connection = True
            self.connection.close()
        elif step.body is not None:
            self._write(step.status, step.body, step.headers)
        elif self.path == "/v1/chat/completions":
            self._openai(body, step)
        elif self.path == "/api/chat":
            self._ollama(body, step)
        elif "/models/" in self.path:
            self._hugging_face(body)
        else:
            self._send(404, {"error": {"message": f"Invalid URL (POST {self.path})"}})

    def _is_stranger(self) -> bool:
        key = self.server_side.key
        if not key or self.headers["authorization"] == f"Bearer {key}":
            return False
        self._send(401, {"error": {"message": f"Incorrect API key provided: {self.headers['authorization']}"}})
        return True

    def _openai(self, body: Json, step: Step) -> None:
        kind = body.get("response_format", {}).get("type", "")
        for name in self.server_side.refuses & ({*body} | {kind}):
            return self._send(400, {"error": {"message": f"Unsupported parameter: {name}", "param": name}})
        if body["model"] not in self.server_side.models:
            said = {"message": f"The model {body['model']} does not exist", "code": "model_not_found"}
            return self._send(404, {"error": said})
        schema = body["response_format"]["json_schema"]["schema"] if kind == "json_schema" else None
        content, tokens = _said(body, schema, step)
        choice = {
            "index": 0,
            "finish_reason": "length" if step.is_cut else "stop",
            "message": {"role": "assistant", "content": content},
            "logprobs": {"content": tokens} if body.get("logprobs") else None,
        }
        usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
        return self._send(200, {"object": "chat.completion", "choices": [choice], "usage": usage})

    def _ollama(self, body: Json, step: Step) -> None:
        version = tuple(int(part) for part in self.server_side.version.split("."))
        form = body.get("format", "")
        if f"{body['model']}" not in {name.removesuffix(":latest") for name in self.server_side.models}:
            return self._send(404, {"error": f"model '{body['model']}' not found"})
        if isinstance(form, dict) and (version < (0, 5) or "format" in self.server_side.refuses):
            said = "json: cannot unmarshal object into Go struct field ChatRequest.format of type string"
            return self._send(400, {"error": said})
        if form and "format" in self.server_side.refuses:
            return self._send(400, {"error": "format is not supported"})
        if isinstance(body.get("keep_alive"), str) and not re.search(r"[a-z]$", body["keep_alive"]):
            return self._send(400, {"error": f'time: missing unit in duration "{body["keep_alive"]}"'})
        content, tokens = _said(body, form if isinstance(form, dict) else None, step)
        answer = {
            "model": body["model"],
            "message": {"role": "assistant", "content": content},
            "done": True,
            "done_reason": "length" if step.is_cut else "stop",
            "prompt_eval_count": 10,
            "eval_count": 3,
        }
        if body.get("logprobs") and version >= (0, 12, 11):
            answer["logprobs"] = tokens
        return self._send(200, answer)

    def _hugging_face(self, body: Json) -> None:
        labels, text = body["parameters"]["candidate_labels"], body["inputs"]
        if not text:
            return self._send(400, {"error": "You must include at least one label and at least one sequence."})
        scores = {label: 0.9 if label.casefold() in text.casefold() else 0.1 for label in labels}
        if not body["parameters"].get("multi_label"):
            scores = {label: score / sum(scores.values()) for label, score in scores.items()}
        ranked = sorted(labels, key=lambda label: -scores[label])
        if self.server_side.hf_gives_object:
            return self._send(200, {"sequence": text, "labels": ranked, "scores": [scores[label] for label in ranked]})
        return self._send(200, [{"label": label, "score": scores[label]} for label in ranked])

    def _note(self, body: Json) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server_side.requests.append(Request(self.path, headers, body, self.client_address))

    def _send(self, status: int, answer: Any) -> None:
        self._write(status, json.dumps(answer), {})

    def _write(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | headers).items():
            self.send_header(name, value)
        content = body.encode()
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _said(body: Json, schema: Json | None, step: Step) -> tuple[str, list[Json]]:
    """What the model says, and its tokens."""
    asked = body["messages"][1]["content"]  # a second try repeats the question first
    shown = TEXT.findall(asked)
    properties = (schema or {}).get("properties", {})
    keys = properties.get("answers", {}).get("items", {}).get("properties", properties) or {"category": {}}
    names = keys["category"].get("enum") or [json.loads(name) for name in LISTED.findall(_told(body))]
    if "answers" in properties:
        answers = [_object(keys, _choice(names, text), int(number)) for number, text in shown]
        content = json.dumps({"answers": answers})
    else:
        content = json.dumps(_object(keys, _choice(names, shown[-1][1]), 1), ensure_ascii=False)
    if step.content is not None:
        content = step.content(content) if callable(step.content) else step.content
    return content, _tokens(content, names)


def _told(body: Json) -> str:
    return str(body["messages"][0]["content"])


def _choice(names: list[str], text: str) -> str:
    return next((name for name in names if name.casefold() in text.casefold()), names[0])


def _object(keys: Json, name: str, number: int) -> Json:
    values = {"category": name, "reason": f"It is {name}.", "confidence": 0.9, "number": number}
    return {key: values[key] for key in keys}


def _tokens(content: str, names: list[str]) -> list[Json]:
    """Pieces of three characters; at a name's first piece the other names' are the alternatives."""
    at = content.find('"category": "') + len('"category": "')
    pieces = re.findall(r".{1,3}", content[:at], re.DOTALL) + re.findall(r".{1,3}", content[at:], re.DOTALL)
    others = {json.dumps(name, ensure_ascii=False)[1:4] for name in names}
    found, offset = [], 0
    for piece in pieces:
        rivals = sorted(others - {piece}) if offset == at else []
        top = [_token(piece, TAKEN)] + [_token(rival, (1 - TAKEN) / 2 / len(rivals)) for rival in rivals]
        found.append(_token(piece, TAKEN) | {"top_logprobs": top})
        offset += len(piece)
    return found


def _token(text: str, probability: float) -> Json:
    return {"token": text, "logprob": math.log(probability), "bytes": list(text.encode())}
