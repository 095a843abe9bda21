"""Every address of the API, by everybody who should not get in. New addresses are tried by themselves."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client
from django.urls import resolve
from rest_framework.request import Request

from labeling import api_keys
from labeling.models import ApiKey, Category, Label, LabelingRun, Project, Text
from labeling.models.api_key import Scope
from labeling_site.documentation import whole_document
from reviews.models import Review, Reviewer
from tests.labeling_site.everything import MARK, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = whole_document()["paths"][self.path][self.method]
        return found

    def view(self) -> Any:
        match = resolve(re.sub(r"{\w+}", "1", self.path))
        request = HttpRequest()
        request.method = self.method.upper()
        view = match.func.cls(**match.func.initkwargs)
        view.setup(request)
        view.action = match.func.actions.get(self.method)
        view.request = Request(request)
        return view

    def scopes(self) -> set[str]:
        return {str(permission.scope) for permission in self.view().get_permissions()}

    def address(self, cast: Cast) -> str:
        if "{" not in self.path:
            return self.path
        model = self.view().queryset.model
        assert model in cast, f"There is no row of {model.__name__} in the cast of tests/labeling_site/test_access.py."
        address = self.path.replace("{id}", str(cast[model].pk)).replace("{member}", str(cast[Reviewer].pk))
        assert "{" not in address, f"{self.path} has more than an id: say here what stands for it."
        return address

    def body(self, cast: Cast) -> dict[str, Any]:
        """The documented example, about the rows of the cast."""
        content = self.said.get("requestBody", {}).get("content", {}).get("application/json", {})
        examples = [one["value"] for one in content.get("examples", {}).values() if isinstance(one.get("value"), dict)]
        ours = {
            "project": cast[Project].name,
            "label_id": cast[Label].pk,
            "text_id": cast[Text].pk,
            "text_ids": [cast[Text].pk],
            "review_id": cast[Review].pk,
            "category": cast[Category].name,
        }
        body = examples[0] if examples else {}
        return body | {name: value for name, value in ours.items() if name in body}

    def send(self, client: Client, cast: Cast) -> Any:
        address = self.address(cast)
        if self.method == "get":
            return client.get(address)
        return client.generic(self.method.upper(), address, json.dumps(self.body(cast)), "application/json")


def operations() -> list[Operation]:
    paths = whole_document()["paths"].items()
    return [Operation(method, path) for path, found in paths for method in METHODS if method in found]


EVERY = pytest.mark.parametrize("operation", operations(), ids=str)


def by_key(user: User, *scopes: str, projects: tuple[Project, ...] = ()) -> Client:
    key = api_keys.create(user, name="program", scopes=scopes or Scope.values, projects=projects)
    return Client(headers={"Authorization": f"Bearer {key}"})


@EVERY
def test_neither_nobody_nor_a_stranger_gets_in(operation: Operation, cast: Cast, stranger: User) -> None:
    for headers in ({}, {"Authorization": "Bearer 0123"}):
        assert operation.send(Client(headers=headers), cast).status_code == 401
    answer = operation.send(by_key(stranger), cast)
    assert answer.status_code in (403, 404)
    assert MARK not in answer.content.decode()


@EVERY
def test_a_key_does_what_its_scope_allows_and_nothing_else(operation: Operation, cast: Cast, boss: User) -> None:
    [needed] = operation.scopes()
    for scope in set(Scope.values) - {needed}:
        answer = operation.send(by_key(boss, scope), cast)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert "scope" in answer.json()["detail"]
    answer = operation.send(by_key(boss, needed), cast)
    assert answer.status_code not in (401, 403), answer.content
    assert answer.status_code < 500


@EVERY
def test_a_key_that_is_bound_to_another_project_finds_nothing_of_this_one(
    operation: Operation, cast: Cast, boss: User
) -> None:
    mail = Project.objects.create(name="Mail")
    boss.reviewer.projects.add(mail)
    answer = operation.send(by_key(boss, projects=(mail,)), cast)
    names_it = "{" in operation.path or operation.body(cast).keys() & {"project", "label_id", "text_id", "review_id"}
    assert not names_it or answer.status_code == 404, answer.content
    if answer.status_code != 404:  # which may repeat the name that was sent
        assert MARK not in answer.content.decode()


@EVERY
def test_a_member_of_another_project_finds_nothing_of_this_one(operation: Operation, cast: Cast) -> None:
    mail = Project.objects.create(name="Mail")
    outsider = User.objects.create_user("outsider", is_staff=True)
    managing = ("change_project", "change_reviewer")  # these open every project
    outsider.user_permissions.set(Permission.objects.exclude(codename__in=managing))
    Reviewer.objects.create(user=outsider).projects.add(mail)
    answer = operation.send(by_key(outsider), cast)
    names_it = "{" in operation.path or operation.body(cast).keys() & {"project", "label_id", "text_id", "review_id"}
    assert not names_it or answer.status_code in (403, 404), answer.content
    if answer.status_code not in (403, 404):
        assert MARK not in answer.content.decode()


def test_a_key_that_is_bound_cannot_be_loosed_by_deleting_its_project(boss: User, cast: Cast) -> None:
    mail = Project.objects.create(name="Mail")
    program = by_key(boss, "read", projects=(mail,))
    mail.delete()
    assert ApiKey.objects.get(name="program").is_bound
    assert program.get("/api/runs").json()["results"] == []
    assert LabelingRun.objects.exists()
