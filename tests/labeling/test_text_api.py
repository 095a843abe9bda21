"""The API of texts: what there is, and creating them by the thousand."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from labeling import annotations, api_keys, execution, runs, walking
from labeling.choices import TextStatus
from labeling.models import Category, LabelingRun, Project, Text
from labeling.models.api_key import Scope
from reviews.models import Reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers", "project")]


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


@pytest.fixture
def run(project: Project, add_texts: Any) -> LabelingRun:
    """Has labeled three texts."""
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, "more sports", "business news", "rain and weather")
    made = runs.start(project)
    execution.execute(made)
    return made


def found(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/api/texts?project=News&{query}")
    assert answer.status_code == 200, answer.json()
    return [row["text"] for row in answer.json()["results"]]


def pages(client: Client, address: str) -> Iterator[dict[str, Any]]:
    following: str | None = address
    while following:
        page = client.get(following).json()
        yield page
        following = page["next"]


def send(client: Client, rows: Any, *, project: str = "News", content_type: str = "application/json") -> Any:
    body = rows if isinstance(rows, str | bytes) else json.dumps(rows)
    return client.post(f"/api/texts?project={project}", body, content_type=content_type)


# --- Looking ----------------------------------------------------------------------------------------------------------


def test_texts_are_listed_newest_first_with_the_label_that_holds(api: Client, run: LabelingRun) -> None:
    rows = api.get("/api/texts").json()["results"]
    assert [row["text"] for row in rows] == ["rain and weather", "business news", "more sports"]
    assert (rows[0]["project"], rows[0]["label"]["category"], rows[0]["label"]["origin"]) == (
        "News",
        "Weather",
        "model",
    )
    assert rows[0]["label"]["is_calibrated"] is False


def test_one_text_is_shown_whole(api: Client, project: Project, add_texts: Any) -> None:
    [text] = add_texts(project, "long " * 1000)
    Text.objects.filter(pk=text.pk).update(metadata={"page": 7})
    shown = api.get(f"/api/texts/{text.pk}").json()
    assert (len(shown["text"]), shown["is_cut"], shown["metadata"], shown["label"]) == (4999, False, {"page": 7}, None)
    [row] = api.get("/api/texts").json()["results"]
    assert (len(row["text"]), row["is_cut"]) == (2000, True)


def test_whether_a_text_is_audited_is_not_told(api: Client, run: LabelingRun) -> None:
    Text.objects.update(is_audit=True, is_gold=True)
    text = Text.objects.first()
    assert text is not None
    for address in ("/api/texts", f"/api/texts/{text.pk}"):
        assert not {"is_audit", "is_gold"} & set(str(api.get(address).json()).replace("'", " ").split())


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("status=unlabeled", []),
        ("category=weather", ["rain and weather"]),
        ("origin=human", []),
        ("origin=model&q=NEWS", ["business news"]),
        ("max_confidence=0", []),
        ("min_confidence=0.1&category=Sports", ["more sports"]),
        ("source=mail", ["more sports"]),
        ("external_id=m-1", ["more sports"]),
        ("created_after=2999-01-01T00:00:00Z", []),
        ("created_before=2999-01-01T00:00:00Z&q=rain", ["rain and weather"]),
        ("reviewed_after=2000-01-01T00:00:00Z", []),
        ("run=999999", []),
    ],
)
def test_filters_leave_what_fits(api: Client, run: LabelingRun, query: str, texts: list[str]) -> None:
    Text.objects.filter(content="more sports").update(source="mail", external_id="m-1")
    assert found(api, query) == texts


def test_filters_of_a_run_a_reviewer_and_a_category_id(api: Client, run: LabelingRun, manager: User) -> None:
    text = Text.objects.get(content="more sports")
    label = annotations.record_human_label(text, Category.objects.get(name="Weather"), annotator=manager)
    annotations.hold(text, label_id=label.pk, reviewed_by=manager)
    assert found(api, "reviewer=manager") == found(api, f"reviewer={manager.pk}") == ["more sports"]
    assert len(found(api, f"run={run.pk}")) == 3
    assert found(api, f"run={run.pk}&status=reviewed") == ["more sports"]
    assert found(api, f"category={label.category_id}") == ["rain and weather", "more sports"]


@pytest.mark.parametrize("query", ["status=lost", "min_confidence=2", "run=x", "created_after=soon", "colour=red"])
def test_wrong_filters_are_refused_by_name(api: Client, query: str) -> None:
    answer = api.get(f"/api/texts?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["errors"]


def test_pages_follow_each_other_and_rows_that_come_meanwhile_move_none(
    api: Client, project: Project, add_texts: Any
) -> None:
    add_texts(project, *(f"text {n}" for n in range(7)))
    first = api.get("/api/texts?limit=3").json()
    add_texts(project, "new")
    rest = [row["text"] for page in pages(api, first["next"]) for row in page["results"]]
    assert [row["text"] for row in first["results"]] + rest == [f"text {n}" for n in reversed(range(7))]


@pytest.mark.parametrize("cursor", ["x", "cD14", "cD0xJTI3", "bz0xMDAwMDAwMDA="])
def test_a_cursor_that_was_made_up_finds_nothing(api: Client, cursor: str) -> None:
    assert api.get(f"/api/texts?cursor={cursor}").status_code in (200, 404)


def test_a_search_goes_on_page_after_page_until_all_rows_were_looked_at(
    api: Client, project: Project, add_texts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "STEPS", (2,))
    add_texts(project, "needle 1", *(f"hay {n}" for n in range(8)), "needle 2")
    looked = list(pages(api, "/api/texts?q=needle&limit=1"))
    assert [[row["text"] for row in page["results"]] for page in looked] == [["needle 2"], [], ["needle 1"]]


def test_the_list_costs_the_same_for_many_texts(
    api: Client, run: LabelingRun, project: Project, add_texts: Any, django_assert_max_num_queries: Any
) -> None:
    add_texts(project, *(f"text {n}" for n in range(60)))
    with django_assert_max_num_queries(10):
        assert len(found(api, "limit=60")) == 60
    with django_assert_max_num_queries(14):
        found(api, "q=rain&status=accepted&category=Weather")


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_who_decides_blind_does_not_see_what_the_model_said(client: Client, run: LabelingRun) -> None:
    user = User.objects.create_user("rosa", is_staff=True)
    user.groups.add(Group.objects.get(name="Reviewers"))
    Reviewer.objects.create(user=user).projects.add(run.project)
    client.force_login(user)
    text = Text.objects.first()
    assert text is not None
    for address in ("/api/texts", f"/api/texts/{text.pk}", "/api/labels", f"/api/labels/{text.current_label_id}"):
        assert client.get(address).status_code == 403
    assert send(client, ["sports"]).status_code == 403


def test_the_anonymous_and_strangers_get_nothing(client: Client, stranger: User) -> None:
    assert client.get("/api/texts").status_code == 401
    client.force_login(stranger)
    assert client.get("/api/texts").status_code == 403
    assert client.get("/api/labels").status_code == 403


def test_a_key_sees_only_the_projects_that_it_is_bound_to(client: Client, mia: User, run: LabelingRun) -> None:
    headers = {"Authorization": f"Bearer {api_keys.create(mia, name='program', scopes=[Scope.READ])}"}
    text = Text.objects.first()
    assert text is not None
    assert client.get(f"/api/texts/{text.pk}", headers=headers).status_code == 200
    bound = [Project.objects.get(name="Default")]
    key = api_keys.create(mia, name="bound", scopes=[Scope.READ], projects=bound)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get(f"/api/texts/{text.pk}", headers=headers).status_code == 404
    for address in ("/api/texts", f"/api/texts?run={run.pk}", "/api/labels", f"/api/labels?text={text.pk}"):
        assert client.get(address, headers=headers).json()["results"] == []
    assert client.get("/api/texts?project=News", headers=headers).status_code == 404


def test_a_key_that_reads_cannot_create(client: Client, mia: User, project: Project) -> None:
    key = api_keys.create(mia, name="program", scopes=[Scope.READ])
    answer = client.post(
        "/api/texts?project=News", "[]", content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 403


# --- Creating ---------------------------------------------------------------------------------------------------------


def test_an_array_of_texts_is_created(api: Client, project: Project) -> None:
    answer = send(api, [{"text": " More sports ", "source": "mail", "metadata": {"a": 1}, "b": 2}, "Rain."])
    assert (answer.status_code, answer.json()["added"], answer.json()["rejected"]) == (201, 2, 0)
    text = Text.objects.get(content="More sports")
    assert (text.project, text.source, text.metadata, text.status) == (project, "mail", {"a": 1, "b": 2}, "unlabeled")


def test_a_stream_of_lines_is_created_with_an_error_for_each_bad_one(api: Client) -> None:
    lines = [
        '{"text": "Rain."}', "{nonsense", "", '{"text": ""}', '{"source": "x"}', '[1]', '{"text": "Shares fell."}',
        '{"text": "x", "source": "' + "s" * 201 + '"}', '{"text": "y", "metadata": {"source": 1}}',
    ]  # fmt: skip
    answer = send(api, "\n".join(lines), content_type="application/x-ndjson").json()
    reasons = {error["line"]: error["reason"] for error in answer["errors"]}
    assert (answer["added"], answer["rejected"], sorted(reasons)) == (2, 7, [2, 3, 4, 5, 6, 8, 9])
    assert "is not JSON" in reasons[2]
    assert "has no 'text'" in reasons[5]
    assert "at most 200 characters" in reasons[8]
    assert "rename it" in reasons[9]


def test_a_number_is_kept_as_text_and_null_is_not_known(api: Client) -> None:
    row = {"text": 1984, "external_id": 4711, "source": None, "language": None, "metadata": None}
    assert send(api, [row]).json()["added"] == 1
    text = Text.objects.get()
    assert (text.content, text.external_id, text.source, text.language) == ("1984", "4711", "", "")
    assert text.metadata == {}


def test_a_text_that_is_there_is_no_second_one(api: Client) -> None:
    send(api, ["Rain."])
    assert send(api, ["Rain.", "Rain. ", "Snow."]).json()["duplicates"] == 2
    assert Text.objects.count() == 2


def test_a_known_external_id_updates_source_and_metadata(api: Client) -> None:
    send(api, [{"text": "Rain.", "external_id": "m-1", "source": "mail", "a": 1, "b": 1}])
    answer = send(api, [{"text": "Rain.", "external_id": "m-1", "language": "en", "b": 2}]).json()
    text = Text.objects.get()
    assert (answer["updated"], answer["added"]) == (1, 0)
    assert (text.source, text.language, text.metadata) == ("mail", "en", {"a": 1, "b": 2})
    assert send(api, [{"text": "Rain.", "external_id": "m-1", "b": 2}]).json()["unchanged"] == 1


def test_words_never_change_under_labels_and_reviews(api: Client) -> None:
    send(api, [{"text": "Rain.", "external_id": "m-1"}])
    answer = send(api, [{"text": "Snow.", "external_id": "m-1"}, {"text": "Hail.", "external_id": "m-2"}]).json()
    text = Text.objects.get(external_id="m-1")
    assert (text.content, answer["added"], answer["rejected"]) == ("Rain.", 1, 1)
    assert f"text {text.pk} has the external id 'm-1' and other words" in answer["errors"][0]["reason"]


def test_an_external_id_may_come_twice_in_one_request(api: Client) -> None:
    rows = [{"text": "Rain.", "external_id": "m-1", "a": 1}, {"text": "Rain.", "external_id": "m-1", "b": 2}]
    answer = send(api, [*rows, {"text": "Snow.", "external_id": "m-1"}]).json()
    assert (answer["added"], answer["updated"], answer["rejected"]) == (1, 1, 1)
    assert Text.objects.get().metadata == {"a": 1, "b": 2}


def test_an_array_that_breaks_off_keeps_what_came_before(api: Client) -> None:
    answer = send(api, '[{"text": "Rain."}, {"text": "Sn')
    assert (answer.status_code, answer.json()["code"], answer.json()["before"]["added"]) == (400, "unreadable_body", 1)
    assert Text.objects.get().content == "Rain."


@pytest.mark.parametrize(
    ("body", "next_step"),
    [
        (b'{"text": "Rain."}', "or use Content-Type: application/x-ndjson for one a line."),
        (b'[{"text": "An old caf\xe9."}]', "in row 1: lexical error: invalid bytes in UTF8 string."),
        (b'\n[{"text": "Rain."}]', "Use Content-Type: application/json."),
        (b'\n{"text": "An old caf\xe9."}', "Save it as UTF-8: files of older"),
    ],
)
def test_a_body_that_cannot_be_read_says_what_to_send(api: Client, body: bytes, next_step: str) -> None:
    media_type = "application/x-ndjson" if body.startswith(b"\n") else "application/json"
    answer = api.post("/api/texts?project=News", body, content_type=media_type).json()
    assert next_step in answer["detail"]
    assert "--" not in answer["detail"]


@pytest.mark.parametrize("number", ["18446744073709551615", "-9223372036854775809", "1e999"])
def test_a_number_that_is_too_large_is_told_to_be_sent_as_a_string(api: Client, number: str) -> None:
    answer = send(api, f'[{{"text": "Rain."}}, {{"text": "Snow.", "external_id": {number}}}]').json()
    assert (answer["code"], answer["before"]["added"]) == ("unreadable_body", 1)
    assert answer["detail"] == "The body, row 2 holds a number that is too large: send it as a string."


def test_a_name_that_stands_in_the_metadata_and_beside_it_is_refused_as_being_there_twice(api: Client) -> None:
    answer = send(api, [{"text": "Rain.", "foo": 1, "metadata": {"foo": 2}}]).json()
    assert answer["errors"][0]["reason"] == "'foo' stands there twice, in its metadata and beside it: leave one out"


@pytest.mark.parametrize("body", ["", "{}", '{"text": "Rain."}', "nonsense", "\x00\x01\x02"])
def test_a_body_that_is_no_array_is_refused(api: Client, body: str) -> None:
    answer = send(api, body)
    assert answer.status_code == 400
    assert not Text.objects.exists()


def send_chunked(client: Client, body: bytes, **headers: str) -> Any:
    """As a server that takes the chunks apart hands it on: without a length, and with an end."""
    environ: dict[str, Any] = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    environ |= {"CONTENT_TYPE": "application/x-ndjson", "HTTP_TRANSFER_ENCODING": "chunked"}
    return client.post("/api/texts?project=News", headers=headers, **environ)


def test_a_body_without_its_length_is_created(api: Client) -> None:
    assert send_chunked(api, b'{"text": "Rain."}\n{"text": "Snow."}').json()["added"] == 2


def test_a_body_without_its_length_is_answered_again_by_its_key(api: Client) -> None:
    first, second = (send_chunked(api, b'{"text": "Rain."}', **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, second.status_code, second.content) == (201, 201, first.content)
    assert second["Idempotency-Replayed"] == "true"


def test_another_body_without_its_length_is_refused_with_the_key(api: Client) -> None:
    send_chunked(api, b'{"text": "Rain."}', **{"Idempotency-Key": "k1"})
    answer = send_chunked(api, b'{"text": "Snow."}', **{"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_other_kinds_of_bodies_are_refused(api: Client) -> None:
    assert send(api, "text\nRain.", content_type="text/csv").status_code == 415


def test_creating_costs_the_same_queries_for_many_texts(api: Client, django_assert_max_num_queries: Any) -> None:
    rows = [{"text": f"text {n}", "external_id": f"m-{n}"} for n in range(300)]
    with django_assert_max_num_queries(14):
        assert send(api, rows).json()["added"] == 300
    with django_assert_max_num_queries(14):
        assert send(api, [row | {"source": "mail"} for row in rows]).json()["updated"] == 300


# --- Labels -----------------------------------------------------------------------------------------------------------


def test_the_history_of_a_text_is_its_labels(api: Client, run: LabelingRun, manager: User) -> None:
    text = Text.objects.get(content="more sports")
    annotations.record_human_label(text, Category.objects.get(name="Weather"), annotator=manager)
    rows = api.get(f"/api/labels?text={text.pk}").json()["results"]
    assert [(row["version"], row["category"], row["origin"]) for row in rows] == [
        (2, "Weather", "human"), (1, "Sports", "model"),
    ]  # fmt: skip
    assert (rows[0]["annotator"], rows[0]["confidence"], rows[1]["run_id"]) == ("manager", None, run.pk)
    assert api.get(f"/api/labels/{rows[1]['id']}").json()["evidence"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("origin=human", 0),
        ("category=Sports", 1),
        ("min_confidence=0.01", 3),
        ("annotator=mia", 0),
        ("project=News", 3),
    ],
)
def test_labels_are_filtered(api: Client, run: LabelingRun, query: str, count: int) -> None:
    assert len(api.get(f"/api/labels?{query}").json()["results"]) == count


def test_the_list_of_labels_costs_the_same_for_many(
    api: Client, run: LabelingRun, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(10):
        assert len(api.get("/api/labels").json()["results"]) == 3


def test_failed_texts_tell_why(api: Client, project: Project, add_texts: Any) -> None:
    [text] = add_texts(project, "nothing")
    Text.objects.filter(pk=text.pk).update(status=TextStatus.FAILED, error="It says nothing.")
    [row] = api.get("/api/texts?status=failed").json()["results"]
    assert row["error"] == "It says nothing."
