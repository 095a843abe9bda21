"""Whether the API does what its OpenAPI document says, tried with requests that nobody thought of.

API_CASES=5000 tries harder than once for every change: API_CASES=5000 pytest tests/labeling_site/test_contract.py
"""

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from labeling import api_keys, idempotency
from labeling.models import Project
from labeling.models.api_key import Scope
from labeling_site.documentation import whole_document
from labeling_site.wsgi import application
from tests.labeling_site.everything import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

CASES = int(os.environ.get("API_CASES", "400"))

# Fields whose values can be well formed and wrong: what is right depends on the rows there are, or on the clock.
KNOWN_BY_ROWS = {
    "category",
    "columns",
    "expires_at",
    "file",
    "into",
    "label_at",
    "name",
    "parent",
    "provider",
    "reviewer",
    "run",
    "source",
    "user",
}

# What JSON Schema has no word for: the last two are about two parameters of an address together, the one before about
# two objects of a list.
UNSAID = (
    "Null characters are not allowed.",
    "This field may not be blank.",
    "The text is empty.",  # of what counts as white space
    "are both named",
    "This day is before the first one.",
    "Choose one of the two.",
)


@schemathesis.serializer("application/x-ndjson")
def _as_line(_context: Any, row: Any) -> bytes:
    return json.dumps(row).encode()


schema = schemathesis.openapi.from_dict(whole_document())
schema.app = application
operations = sum(1 for _ in schema.get_all_operations())


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Requests stay in the transaction of their test, as those of Django's own test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def headers(boss: User, cast: Cast) -> dict[str, str]:
    Project.objects.update(provider="keyword")
    key = api_keys.create(boss, name="program", scopes=Scope.values)
    return {"Authorization": f"Bearer {key}"}


def refused_although_valid(context: Any, response: Any, case: Any) -> None:
    """A value may be well formed and yet wrong: there is no such category, or the moment has passed."""
    if response.status_code == 400:
        problem = response.json()
        is_known = problem["code"] != "invalid" or set(problem.get("errors", {})) <= KNOWN_BY_ROWS
        if is_known or any(words in str(problem) for words in UNSAID):
            return
    positive_data_acceptance(context, response, case)


def accepted_although_wrong(context: Any, response: Any, case: Any) -> None:
    """Texts come by the thousand: a wrong one is refused by itself, in the answer about all of them."""
    is_about_rows = case.operation.label in ("POST /api/texts", "POST /api/label/batch")
    if is_about_rows and response.status_code in (200, 201):
        answer = response.json()
        if answer.get("errors") or answer.get("failed"):
            return
    negative_data_rejection(context, response, case)


def _name_a_project(case: Any, cast: Cast) -> None:
    """In half of the bodies that name one: a project that exists, or no request of theirs would come through."""
    named = case.body.get("project") if isinstance(case.body, dict) else None
    if isinstance(named, str) and len(named) % 2 == 0:
        case.body["project"] = cast[Project].name


@schema.parametrize()
@settings(
    max_examples=max(1, CASES // operations),
    deadline=None,
    derandomize=CASES == 400,
    suppress_health_check=list(HealthCheck),
)
def test_an_operation_keeps_its_word(case: Any, headers: dict[str, str], cast: Cast) -> None:
    """Half of the ids are those of rows that exist, where the request is not meant to be wrong."""
    for name, value in (case.path_parameters or {}).items() if case.meta.generation.mode.is_positive else ():
        if isinstance(value, int | str) and str(value).isdecimal() and int(value) % 2 == 0:
            rows = [row for kind, row in cast.items() if f"/{kind._meta.verbose_name_plural}/" in case.operation.path]
            case.path_parameters[name] = type(value)(rows[0].pk if rows else 1)
    if case.meta.generation.mode.is_positive:
        _name_a_project(case, cast)
    if "Idempotency-Key" in (case.headers or {}) and idempotency.KEY.fullmatch(case.headers["Idempotency-Key"]):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex  # the same for another request is refused
    case.call_and_validate(
        headers=headers,
        excluded_checks=[negative_data_rejection, positive_data_acceptance],
        additional_checks=[accepted_although_wrong, refused_although_valid],
    )
