"""A reviewer at the desk for benchmarks/review.py: the requests that the desk's page sends, in its order."""

import html
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

import httpx

AHEAD = 2  # texts on a desk: the one shown, and the next one, fetched ahead
CORRECTED_EVERY = 5


@dataclass
class Sent:
    """What one person's requests brought."""

    person: str
    wall: dict[str, list[float]] = field(default_factory=lambda: {"next": [], "decide": []})
    given: list[int] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


class Desk:
    """One person with the page open. Approves four of five labels and corrects the fifth; decides audits blind."""

    def __init__(self, address: str, session: str, project: int) -> None:
        self.http = httpx.Client(base_url=address, cookies={"sessionid": session}, timeout=60, trust_env=False)
        page = self.http.get(f"/admin/review/{project}/").raise_for_status().text
        token = found(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        settings = json.loads(found(r'<script id="desk-settings"[^>]*>(.*?)</script>', page))
        self.http.headers.update({"X-CSRFToken": html.unescape(token)})
        self.urls: dict[str, str] = settings["urls"]
        self.categories = [category["id"] for category in settings["categories"]]
        self.texts: list[dict[str, Any]] = []
        self.sent = Sent(session)

    def fill(self) -> None:
        while len(self.texts) < AHEAD and self.next():
            pass

    def next(self) -> bool:
        return self._take(self._post("next", self._wanted()))

    def decide(self, *, brings_next: bool = False) -> None:
        """`brings_next`: the answer has the next text, as the page asks for when it has one to spare."""
        text = self.texts.pop(0)
        wanted = {"next": self._wanted()} if brings_next else {}
        answer = self._post("decide", self._decision(text) | wanted)
        if "review" in answer:
            self.sent.decided.append(text["id"])
        self._take(answer)

    def _wanted(self) -> dict[str, Any]:
        return {"besides": [text["id"] for text in self.texts], "filters": {}}

    def _take(self, answer: dict[str, Any]) -> bool:
        if text := answer.get("text"):
            self.sent.given.append(text["id"])
            self.texts.append(text)
        elif "nothing" in answer:
            self.sent.errors[f"next: {answer['nothing']['message']}"] += 1
        return answer.get("text") is not None

    def _decision(self, text: dict[str, Any]) -> dict[str, Any]:
        label = text.get("label")
        decision = {
            "text_id": text["id"],
            "comment": "",
            "seconds_spent": 3.1,
            "idempotency_key": secrets.token_hex()[:32],
        }
        if label is None:
            category = self.categories[text["id"] % len(self.categories)]
            return decision | {"action": "decide", "label_id": None, "category_id": category}
        if text["id"] % CORRECTED_EVERY:
            return decision | {"action": "approve", "label_id": label["id"]}
        category = next(pk for pk in self.categories if pk != label["category_id"])
        return decision | {"action": "reject", "label_id": label["id"], "category_id": category}

    def _post(self, verb: str, data: dict[str, Any]) -> dict[str, Any]:
        begin = time.perf_counter()
        try:
            response = self.http.post(self.urls[verb], json=data)
        except httpx.HTTPError as error:
            self.sent.errors[f"{verb}: {type(error).__name__}"] += 1
            return {}
        self.sent.wall[verb].append(time.perf_counter() - begin)
        if response.status_code != 200:
            self.sent.errors[f"{verb}: {response.status_code} {response.text[:80]}"] += 1
            return {}
        return dict(response.json())


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page, re.DOTALL)
    if match is None:
        raise LookupError(f"The desk's page has no {pattern}.")
    return match[1]


def in_turn(
    desk: Desk, requests: int, processor: Callable[[], tuple[float, ...]]
) -> dict[str, list[tuple[float, ...]]]:
    """Decide and ask for the next one, again and again; what each request took of each processor clock."""
    desk.fill()
    used: dict[str, list[tuple[float, ...]]] = {"next": [], "decide": []}
    for _ in range(requests):
        for verb, request in (("decide", desk.decide), ("next", desk.next)):
            before = processor()
            request()
            time.sleep(0.002)  # the server ends its work after the answer has left
            used[verb].append(tuple(after - start for start, after in zip(before, processor(), strict=True)))
    return used


def without_pause(address: str, session: str, project: int, everybody_is_there: Barrier, seconds: float) -> Sent:
    """One of several people: from the moment that all have a text, for some seconds, as fast as answers come."""
    desk = Desk(address, session, project)
    desk.fill()
    everybody_is_there.wait(timeout=120)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and desk.texts:
        desk.decide(brings_next=True)
        desk.fill()
    return desk.sent
