"""The pages of what waits for a manager."""

import html
import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling import certification, discovering, drifting, suspects
from labeling.models import LabelingRun, Project, Text
from reviews import manager_views
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, Review, Reviewer

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def flagged(project: Project, anna: Reviewer, add_labeled) -> Text:
    [text] = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.FLAG, comment=f"odd {EVIL}", proposed_category="Politics"))
    return Text.objects.get(pk=text.pk)


@pytest.fixture
def decided(anna: Reviewer, add_labeled) -> Text:
    [text] = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.APPROVE, text.current_label_id))
    return Text.objects.get(pk=text.pk)


@pytest.fixture
def suspect(decided: Text, monkeypatch: pytest.MonkeyPatch) -> Text:
    found = SimpleNamespace(rows=[SimpleNamespace(text_id=decided.pk)], note="")
    monkeypatch.setattr(suspects, "possible_mistakes", lambda project, *, limit: found)
    return decided


@pytest.fixture
def boss(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def address(project: Project, rest: str) -> str:
    return f"/admin/review/{project.pk}/{rest}"


def category(project: Project, name: str) -> int:
    return project.categories.get(name=name).pk


def body(page: str) -> str:
    return re.sub(r"\s+", " ", page[page.index('<div class="record">') :])


def test_the_page_shows_what_people_said(boss: Client, project: Project, flagged: Text) -> None:
    page = body(boss.get(address(project, "cases/")).content.decode())
    assert flagged.content in page and "anna" in page and "Politics" in page and "odd" in page
    assert "Sports" in page


def test_what_people_wrote_stays_text(boss: Client, project: Project, flagged: Text) -> None:
    Text.objects.filter(pk=flagged.pk).update(content=EVIL)
    assert EVIL not in boss.get(address(project, "cases/")).content.decode()


def test_the_label_of_a_blind_text_is_hidden_from_the_manager(
    boss: Client, project: Project, anna: Reviewer, add_labeled
) -> None:
    project.categories.filter(name="Sports").update(is_active=False)
    [text] = add_labeled(0.4, audit=True)
    record(anna, text.pk, Decision(Action.FLAG, comment="odd"))
    assert "Sports" not in body(boss.get(address(project, "cases/")).content.decode())


def test_the_manager_decides(boss: Client, project: Project, flagged: Text) -> None:
    sent = {"category": category(project, "Weather"), "comment": "clear"}
    answer = boss.post(address(project, f"cases/{flagged.pk}/decide/"), sent, follow=True)
    assert f"Text {flagged.pk} is Weather." in answer.content.decode()
    assert Text.objects.get(pk=flagged.pk).current_label.category.name == "Weather"
    assert Review.objects.get(action="adjudicate").comment == "clear"


# --- Pages of cases ---------------------------------------------------------------------------------------------------


@pytest.fixture
def three(anna: Reviewer, add_labeled, monkeypatch: pytest.MonkeyPatch) -> list[Text]:
    """Flagged texts, two on a page."""
    monkeypatch.setattr(manager_views, "CASES", 2)
    texts: list[Text] = add_labeled(0.4, 0.4, 0.4)
    for text in texts:
        record(anna, text.pk, Decision(Action.FLAG, comment="odd"))
    return texts


def test_the_last_page_of_cases_leads_to_no_other(boss: Client, project: Project, three: list[Text]) -> None:
    first = body(boss.get(address(project, "cases/")).content.decode())
    assert f"?after={three[1].pk}" in first and "First page" not in first
    last = body(boss.get(address(project, "cases/"), {"after": three[1].pk}).content.decode())
    assert three[2].content in last and "First page" in last and "Next page" not in last
    boss.post(address(project, f"cases/{three[2].pk}/return/"))
    assert "Next page" not in body(boss.get(address(project, "cases/")).content.decode())


def test_who_decides_a_case_stays_on_its_page(boss: Client, project: Project, three: list[Text]) -> None:
    page = f"{address(project, 'cases/')}?after={three[0].pk}"
    assert f'<input type="hidden" name="after" value="{three[0].pk}">' in boss.get(page).content.decode()
    sent = {"category": category(project, "Weather"), "after": three[0].pk}
    assert boss.post(address(project, f"cases/{three[1].pk}/decide/"), sent)["Location"] == page
    answer = boss.post(address(project, f"cases/{three[2].pk}/return/"), {"after": three[0].pk}, follow=True)
    shown = body(answer.content.decode())
    assert "Nothing is left on this page" in shown and "Nothing waits for you" not in shown
    assert f'href="{address(project, "cases/")}">First page' in shown


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 5000])
def test_a_place_that_is_none_is_the_beginning(boss: Client, project: Project, three: list[Text], after: str) -> None:
    page = boss.get(address(project, "cases/"), {"after": after}).content.decode()
    assert three[0].content in page and "First page" not in page
    sent = {"category": category(project, "Weather"), "after": after}
    answer = boss.post(address(project, f"cases/{three[0].pk}/decide/"), sent)
    assert answer["Location"] == address(project, "cases/")


# --- Verbs ------------------------------------------------------------------------------------------------------------


def test_without_a_category_nothing_is_decided(boss: Client, project: Project, flagged: Text) -> None:
    boss.post(address(project, f"cases/{flagged.pk}/decide/"), {"category": ""})
    assert Text.objects.get(pk=flagged.pk).status == "flagged"


def test_sent_twice_it_is_decided_once(boss: Client, project: Project, flagged: Text) -> None:
    for _ in range(2):
        boss.post(address(project, f"cases/{flagged.pk}/decide/"), {"category": category(project, "Weather")})
    assert Review.objects.filter(action="adjudicate").count() == 1


def test_the_manager_sends_a_text_back(boss: Client, project: Project, flagged: Text) -> None:
    boss.post(address(project, f"cases/{flagged.pk}/return/"), {"comment": "it is fine"})
    assert Text.objects.get(pk=flagged.pk).status == "needs_review"


def test_a_flagged_text_that_no_model_could_label_can_be_sent_back(
    boss: Client, project: Project, anna: Reviewer, add_texts: Callable[..., list[Text]]
) -> None:
    [text] = add_texts(project, "Out of reach")
    Text.objects.update(status="failed")
    record(anna, text.pk, Decision(Action.FLAG, comment="a picture"))
    assert "Back to the queue" in body(boss.get(address(project, "cases/")).content.decode())
    boss.post(address(project, f"cases/{text.pk}/return/"))
    assert Text.objects.get().status == "failed"


def test_a_decided_text_whose_flag_is_dismissed_stays_decided(
    boss: Client, project: Project, ben: Reviewer, decided: Text
) -> None:
    Assignment.objects.create(text=decided, reviewer=ben, slot=1, reason="gold")
    record(ben, decided.pk, Decision(Action.FLAG, comment="two answers are right"))
    answer = boss.post(address(project, f"cases/{decided.pk}/return/"), follow=True)
    assert f"Text {decided.pk} stays decided as it was." in answer.content.decode()


def test_the_manager_adds_a_proposed_category(boss: Client, project: Project, flagged: Text) -> None:
    answer = boss.post(address(project, "proposals/accept/"), {"name": "Politics"}, follow=True)
    assert "Politics is a category now, and 1 text has it" in answer.content.decode()


def test_a_text_of_another_project_is_not_found(boss: Client, project: Project, flagged: Text) -> None:
    other = Project.objects.create(name="Other")
    sent = {"category": category(project, "Weather")}
    assert boss.post(address(other, f"cases/{flagged.pk}/return/"), sent).status_code == 404


def test_a_second_look_is_blind(boss: Client, project: Project, suspect: Text) -> None:
    page = body(boss.get(address(project, "second-look/")).content.decode())
    assert suspect.content in page and "1 left" in page
    assert page.count("Sports") == page.count("Weather") == 1
    assert "anna" not in page


def test_another_answer_goes_to_the_cases(boss: Client, project: Project, suspect: Text) -> None:
    sent = {"category": category(project, "Weather")}
    answer = boss.post(address(project, f"second-look/{suspect.pk}/"), sent, follow=True)
    assert "You say Weather, it was Sports" in answer.content.decode()
    assert "Nothing to look at again" in answer.content.decode()


def test_the_same_answer_confirms(boss: Client, project: Project, suspect: Text) -> None:
    sent = {"category": category(project, "Sports")}
    answer = boss.post(address(project, f"second-look/{suspect.pk}/"), sent, follow=True)
    assert "You confirm Sports." in answer.content.decode()


# --- New categories ---------------------------------------------------------------------------------------------------


@pytest.fixture
def group(decided: Text, monkeypatch: pytest.MonkeyPatch) -> discovering.Group:
    texts = (discovering.CentralText(decided.pk, f"where is my parcel {EVIL}"),)
    found = discovering.Group(count=12, estimate=240, words=("parcel", EVIL), texts=texts)
    monkeypatch.setattr(discovering, "find", lambda project: discovering.Found((found,), 100, 2000, 0.2, ""))
    return found


def test_groups_are_shown_with_their_size_words_and_texts(
    boss: Client, project: Project, group: discovering.Group
) -> None:
    page = body(boss.get(address(project, "new-categories/")).content.decode())
    assert "Group 1: about 240 texts" in page and "12 of the sample" in page
    assert "where is my parcel" in page and f'value="Parcel {html.escape(EVIL)}"' in page
    assert "20 % of them" in page
    assert EVIL not in page


def test_without_groups_the_page_says_why(boss: Client, project: Project) -> None:
    assert discovering.NOT_LABELED in boss.get(address(project, "new-categories/")).content.decode()


def test_that_a_certificate_would_end_is_said_before(
    boss: Client, project: Project, group: discovering.Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "A new category ends it" not in boss.get(address(project, "new-categories/")).content.decode()
    proven = SimpleNamespace(pk=7, sentence="At most 5 % are wrong.")
    monkeypatch.setattr(certification, "in_force", lambda project: proven)
    page = boss.get(address(project, "new-categories/")).content.decode()
    assert "Certificate 7 is in force: At most 5 % are wrong. A new category ends it." in page


def test_the_manager_creates_a_category(boss: Client, project: Project, decided: Text) -> None:
    LabelingRun.objects.update(status="succeeded")
    sent = {"name": "Parcels", "description": "Where a parcel is.", "examples": [decided.pk]}
    answer = boss.post(address(project, "new-categories/create/"), sent, follow=True)
    assert "Parcels is a category now. All texts are labeled again" in answer.content.decode()
    made = project.categories.get(name="Parcels")
    assert (made.description, made.examples) == ("Where a parcel is.", [decided.content])


def test_while_a_run_is_on_no_category_is_created(boss: Client, project: Project, decided: Text) -> None:
    run = LabelingRun.objects.get(status="queued")
    assert f"Run {run.pk} is labeling" in boss.get(address(project, "new-categories/")).content.decode()
    answer = boss.post(address(project, "new-categories/create/"), {"name": "Parcels"}, follow=True)
    assert "Wait until it is finished" in answer.content.decode()
    assert not project.categories.filter(name="Parcels").exists()


def test_a_category_of_that_name_or_without_one_is_refused(boss: Client, project: Project) -> None:
    for name in ("sports", " "):
        boss.post(address(project, "new-categories/create/"), {"name": name}, follow=True)
    assert project.categories.count() == 3


# --- Drift ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "cases/", "second-look/", "new-categories/"])
def test_managers_are_told_that_new_texts_differ(
    boss: Client, project: Project, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    where = f"/admin/review/{f'{project.pk}/{path}' if path else ''}"
    assert "differ" not in boss.get(where).content.decode()
    warning = drifting.DriftWarning(3, None, ("The new texts differ.",))
    monkeypatch.setattr(drifting, "warnings", lambda projects: {project.pk: warning})
    assert "ew texts differ" in boss.get(where).content.decode()


# --- Who may ----------------------------------------------------------------------------------------------------------

PAGES = ["cases/", "second-look/", "new-categories/"]
VERBS = [
    "cases/{text}/decide/",
    "cases/{text}/return/",
    "proposals/accept/",
    "second-look/{text}/",
    "new-categories/create/",
]


@pytest.fixture
def people(anna: Reviewer, stranger: User) -> Callable[[str], User]:
    staff = User.objects.create_user("clerk", is_staff=True)
    return {"stranger": stranger, "clerk": staff, "reviewer": anna.user}.__getitem__


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", ["stranger", "clerk", "reviewer"])
def test_the_pages_are_for_managers(client: Client, people, project: Project, who: str, path: str) -> None:
    client.force_login(people(who))
    assert client.get(address(project, path)).status_code == 403


@pytest.mark.parametrize("path", VERBS)
@pytest.mark.parametrize("who", ["stranger", "clerk", "reviewer"])
def test_the_verbs_are_for_managers(
    client: Client, people, project: Project, flagged: Text, who: str, path: str
) -> None:
    client.force_login(people(who))
    before = Review.objects.count()
    sent = {"category": category(project, "Weather"), "name": "Politics"}
    assert client.post(address(project, path.format(text=flagged.pk)), sent).status_code == 403
    assert Review.objects.count() == before
    assert project.categories.count() == 3


@pytest.mark.parametrize("path", [*PAGES, *VERBS])
def test_the_anonymous_are_sent_to_sign_in(client: Client, project: Project, flagged: Text, path: str) -> None:
    ask = client.get if path in PAGES else client.post
    answer = ask(address(project, path.format(text=flagged.pk)))
    assert answer.status_code == 302 and "/login/" in answer.url


@pytest.mark.parametrize("path", VERBS)
def test_nothing_changes_by_get(boss: Client, project: Project, flagged: Text, path: str) -> None:
    assert boss.get(address(project, path.format(text=flagged.pk))).status_code == 405
