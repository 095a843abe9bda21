"""People who are signed in, and the review API as its tests ask it."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from labeling.models import Text

Ask = Callable[..., Any]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def asking(client: Client, **headers: str) -> Ask:
    def ask(verb: str, body: dict[str, Any] | None = None, **more: str) -> Any:
        if verb == "pending":
            return client.get("/api/reviews/pending", {"project": "News", **(body or {})}, headers=headers | more)
        url = f"/api/reviews/{verb}"
        return client.post(url, body or {}, content_type="application/json", headers=headers | more)

    return ask


def body_of(verb: str, text: Text) -> dict[str, Any]:
    label, category = {"label_id": text.current_label_id}, {"category": "Business"}
    return {
        "pending": {},
        "approve": label,
        "reject": label | category,
        "modify": label | category,
        "decide": {"text_id": text.pk} | category,
        "skip": {"text_id": text.pk},
        "flag": {"text_id": text.pk, "comment": "Unreadable."},
        "undo": {},
        "release": {},
        "extend": {"text_ids": [text.pk]},
    }[verb]
