"""The pages of projects, categories, members and prompts: who may see them, and what their forms do."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ
from pytest_django import DjangoAssertNumQueries

from labeling import categories, merging, projects, runs
from labeling.category_sets import BY_KEY
from labeling.choices import RunStatus
from labeling.models import Category, CategoryMerge, LabelingRun, Project, PromptVersion, Text
from reviews.models import Reviewer
from tests.browser import EVIL

pytestmark = pytest.mark.django_db

PAGES = ["overview", "edit", "categories", "new_category", "members", "prompt"]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_mia(mia: User) -> Client:
    return signed_in(mia)


@pytest.fixture
def sports(project: Project) -> Category:
    return project.categories.get(name="Sports")


def address(page: str, *args: int) -> str:
    return reverse(f"projects:{page}", args=args)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def settings_of(client: Client, project: Project) -> dict[str, Any]:
    """The form of the settings as the page shows it."""
    form = client.get(address("edit", project.pk)).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in shown.items()}


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_manager_opens_every_page_with_few_queries(
    as_mia: Client, project: Project, page: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    as_mia.get(address("overview", project.pk))
    with django_assert_max_num_queries(15):
        assert as_mia.get(address(page, project.pk)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_opens_none(client: Client, stranger: User, project: Project, page: str) -> None:
    assert client.get(address(page, project.pk)).status_code == 302
    client.force_login(stranger)
    assert client.get(address(page, project.pk)).status_code == 403


def test_a_reviewer_reads_what_the_project_is_about_and_changes_nothing(
    anna: Reviewer, project: Project, sports: Category
) -> None:
    client = signed_in(anna.user)
    page = text_of(client.get(address("overview", project.pk)))
    assert "Sports" in page and "Settings" not in page and "Error budget" not in page
    for name in PAGES[1:]:
        assert client.get(address(name, project.pk)).status_code == 403, name
    for name in ("retire", "bring_back", "merge", "move"):
        assert client.post(address(name, project.pk, sports.pk)).status_code == 403, name
    for name in ("archive", "reorder", "label_anew", "prompt_preview"):
        assert client.post(address(name, project.pk)).status_code == 403, name
    assert client.get(address("new")).status_code == 403


def test_a_reviewer_sees_the_projects_of_theirs_only(anna: Reviewer, project: Project) -> None:
    Project.objects.create(name="Secret")
    client = signed_in(anna.user)
    page = text_of(client.get(address("list")))
    assert "News" in page and "Secret" not in page
    assert client.get(address("overview", Project.objects.get(name="Secret").pk)).status_code == 404


def test_a_change_is_made_by_post_only(as_mia: Client, project: Project, sports: Category) -> None:
    for name in ("archive", "reorder", "label_anew", "prompt_preview"):
        assert as_mia.get(address(name, project.pk)).status_code == 405, name
    for name in ("retire", "bring_back", "move"):
        assert as_mia.get(address(name, project.pk, sports.pk)).status_code == 405, name


# --- Projects ---------------------------------------------------------------------------------------------------------


def test_the_list_takes_few_queries(
    as_mia: Client, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Project.objects.bulk_create(Project(name=f"Project {n}") for n in range(40))
    as_mia.get(address("list"))
    with django_assert_max_num_queries(15):
        page = text_of(as_mia.get(address("list")))
    assert "Page 1 of 2" in page


def test_a_project_is_made_with_categories_one_a_line(as_mia: Client) -> None:
    lines = "Spam: nobody asked for it\n\n  Ham  \nBills\tmoney: and invoices"
    answer = as_mia.post(address("new"), {"name": "Mail", "categories": lines}, follow=True)
    made = Project.objects.get(name="Mail")
    shown = [(category.name, category.description) for category in made.shown_categories()]
    assert shown == [("Spam", "nobody asked for it"), ("Ham", ""), ("Bills", "money: and invoices")]
    assert "Import texts next" in text_of(answer)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"name": "news"}, "There is a project &#x27;news&#x27; already"),
        ({"name": "Mail", "categories": "Spam\nspam"}, "Categories 1 and 2 are both named"),
        ({"name": "Mail", "categories": ": nothing"}, "Category 1 has no name"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_stays(
    as_mia: Client, project: Project, sent: dict[str, str], message: str
) -> None:
    answer = as_mia.post(address("new"), {"instructions": "Read twice.", **sent})
    assert answer.status_code == 422
    assert message in text_of(answer) and "Read twice." in text_of(answer)
    assert not Project.objects.filter(name="Mail").exists()


def test_a_set_of_categories_fills_in_the_form(as_mia: Client) -> None:
    page = text_of(as_mia.get(f"{address('new')}?set=sentiment"))
    assert "Positive: The writer is pleased" in page
    assert as_mia.get(f"{address('new')}?set=nonsense").status_code == 200


def test_a_set_chosen_while_writing_keeps_what_was_written(as_mia: Client) -> None:
    page = text_of(as_mia.post(address("new"), {"name": "Mail", "instructions": "Read twice.", "set": "sentiment"}))
    assert "Positive: The writer is pleased" in page and "Mail" in page and "Read twice." in page
    assert not Project.objects.filter(name="Mail").exists()


SENTIMENT, SPAM = (BY_KEY[key].as_lines() for key in ("sentiment", "spam"))


@pytest.mark.parametrize(
    ("typed", "filled"),
    [
        (" \n", SPAM),
        (SENTIMENT, SPAM),
        ("Bills\nLetters: from people\n", f"Bills\nLetters: from people\n{SPAM}"),
        (f"{SENTIMENT}\nMixed", f"{SENTIMENT}\nMixed\n{SPAM}"),
        (f"Bills\n{SPAM}", f"Bills\n{SPAM}"),
    ],
)
def test_a_set_takes_the_place_of_another_and_comes_after_lines_of_ones_own(
    as_mia: Client, typed: str, filled: str
) -> None:
    sent = {"name": "Mail", "categories": typed.replace("\n", "\r\n"), "set": "spam"}
    answer = as_mia.post(address("new"), sent)
    assert answer.context["form"]["categories"].value() == filled


def test_a_set_that_is_not_known_leaves_all_that_was_typed(as_mia: Client) -> None:
    answer = as_mia.post(address("new"), {"name": "Mail", "categories": "Bills", "set": "nonsense"})
    assert answer.context["form"]["categories"].value() == "Bills"


def test_settings_are_saved(as_mia: Client, project: Project) -> None:
    sent = settings_of(as_mia, project) | {"threshold": "0.91", "spending_cap": "12.5", "name": "Daily"}
    answer = as_mia.post(address("edit", project.pk), sent, follow=True)
    assert "Saved." in text_of(answer)
    project.refresh_from_db()
    assert (project.name, project.threshold, project.spending_cap) == ("Daily", 0.91, 12.5)


def test_who_saves_second_sees_what_holds_now_and_loses_nothing(as_mia: Client, project: Project) -> None:
    sent = settings_of(as_mia, project) | {"instructions": "Read twice."}
    projects.edit(project, {"threshold": 0.75})
    answer = as_mia.post(address("edit", project.pk), sent)
    page = text_of(answer)
    assert answer.status_code == 422
    assert "Somebody has changed project News meanwhile" in page
    assert 'is now: <span dir="auto">0.75</span>' in page and "Read twice." in page
    again = {name: answer.context["form"][name].value() or "" for name in answer.context["form"].fields}
    as_mia.post(address("edit", project.pk), again)
    assert Project.objects.get(pk=project.pk).instructions == "Read twice."


def test_wrong_settings_are_named(as_mia: Client, project: Project) -> None:
    sent = settings_of(as_mia, project) | {"label_when": "daily", "threshold": "3"}
    answer = as_mia.post(address("edit", project.pk), sent)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) >= {"threshold"}


def test_what_is_wrong_is_read_out_with_its_field_and_its_help(as_mia: Client, project: Project) -> None:
    wrong = {"threshold": "3", "label_when": "daily", "name": ""}
    edited = as_mia.post(address("edit", project.pk), settings_of(as_mia, project) | wrong)
    assert said_with(edited, "id_threshold") == ["id_threshold_helptext", "id_threshold_error"]
    assert said_with(edited, "id_name") == ["id_name_error"]
    colour, examples = (
        as_mia.post(address("new_category", project.pk), category_form(**wrong))
        for wrong in ({"color": "red"}, {"examples": ["One more"] * 51})
    )
    assert said_with(colour, "id_color") == ["id_color_helptext", "id_color_error"]
    assert said_with(examples, "examples") == ["id_examples_helptext", "id_examples_error"]
    assert said_with(as_mia.get(address("new")), "id_categories") == ["id_categories_helptext"]


def said_with(answer: Any, field: str) -> list[str]:
    """What a screen reader says with the field of this id. Each of it is on the page, once."""
    page = text_of(answer)
    (tag,) = re.findall(rf'<[a-z]+ [^>]*id="{field}"[^>]*>', page)
    (described,) = re.findall(r'aria-describedby="([^"]*)"', tag)
    assert all(page.count(f'id="{one}"') == 1 for one in described.split())
    return list(described.split())


def test_a_project_is_put_away_and_taken_up_again(as_mia: Client, project: Project) -> None:
    assert "is put away" in text_of(as_mia.post(address("archive", project.pk), {"is_archived": "true"}, follow=True))
    assert "News" not in text_of(as_mia.get(address("list")))
    assert "News" in text_of(as_mia.get(f"{address('list')}?archived"))
    as_mia.post(address("archive", project.pk), {"is_archived": "false"})
    assert Project.objects.get(pk=project.pk).is_archived is False


def test_a_project_whose_model_is_no_longer_set_up_is_put_away(as_mia: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="oracle")
    assert "is put away" in text_of(as_mia.post(address("archive", project.pk), {"is_archived": "true"}, follow=True))


def test_the_settings_keep_a_model_that_is_no_longer_set_up(as_mia: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(provider="oracle")
    form = as_mia.get(address("edit", project.pk)).context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    as_mia.post(address("edit", project.pk), {**sent, "instructions": "Read twice."})
    project.refresh_from_db()
    assert (project.provider, project.instructions) == ("oracle", "Read twice.")


def test_markup_in_names_stays_text(as_mia: Client, project: Project, sports: Category) -> None:
    projects.edit(project, {"name": EVIL[:100], "instructions": EVIL})
    categories.edit(sports, {"name": EVIL, "description": EVIL, "examples": [EVIL]})
    for page in PAGES:
        content = text_of(as_mia.get(address(page, project.pk)))
        assert "<script>document.title" not in content and "<img" not in content, page


def test_all_ways_from_a_project_lead_somewhere(as_mia: Client, project: Project) -> None:
    links = as_mia.get(address("overview", project.pk)).context["links"]
    assert len(links) >= 9
    assert {title: as_mia.get(link).status_code for title, link in links} == {title: 200 for title, _ in links}


# --- Categories -------------------------------------------------------------------------------------------------------


def category_form(**changes: Any) -> dict[str, Any]:
    return {"name": "Tennis", "description": "", "color": "", "shortcut": "", "parent": "", "examples": [], **changes}


def test_a_category_is_added_with_examples_of_several_lines(as_mia: Client, project: Project, sports: Category) -> None:
    sent = category_form(examples=["One\r\nand more", " ", "Two"], parent=sports.pk, shortcut="t", color="#00ff00")
    as_mia.post(address("new_category", project.pk), sent)
    made = Category.objects.get(name="Tennis")
    assert (made.examples, made.parent, made.shortcut, made.color) == (["One\nand more", "Two"], sports, "t", "#00ff00")


def test_a_category_is_edited_and_the_second_of_two_is_told(as_mia: Client, project: Project, sports: Category) -> None:
    page = address("category", project.pk, sports.pk)
    revision = as_mia.get(page).context["form"]["revision"].value()
    as_mia.post(page, category_form(name="Football", revision=revision))
    late = as_mia.post(page, category_form(name="Soccer", revision=revision))
    assert late.status_code == 422
    assert "Somebody has changed category Football meanwhile" in text_of(late)
    assert Category.objects.get(pk=sports.pk).name == "Football"
    as_mia.post(page, category_form(name="Soccer", revision=late.context["form"]["revision"].value()))
    assert Category.objects.get(pk=sports.pk).name == "Soccer"


def test_a_wrong_category_is_named(as_mia: Client, project: Project, sports: Category) -> None:
    answer = as_mia.post(address("new_category", project.pk), category_form(name="sports"))
    assert "This project has a category &#x27;Sports&#x27; already" in text_of(answer)


def test_categories_move_without_a_script_and_by_one(as_mia: Client, project: Project, sports: Category) -> None:
    answer = as_mia.post(address("move", project.pk, sports.pk), {"to": "down"})
    assert answer.url.endswith(f"#category-{sports.pk}")
    business, first, weather = (category.pk for category in project.shown_categories())
    assert first == sports.pk
    order = as_mia.get(address("categories", project.pk)).context["order"]
    sent = {"categories": [weather, business, sports.pk], "revision": order["revision"]}
    assert as_mia.post(order["url"], sent, content_type="application/json").status_code == 200
    assert [category.pk for category in project.shown_categories()] == sent["categories"]
    late = as_mia.post(order["url"], sent, content_type="application/json")
    assert late.status_code == 409 and "Load this page again" in late.json()["message"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"categories": ["x"], "revision": "1"}', '{"categories": 3}'])
def test_an_order_that_cannot_be_read_is_refused(as_mia: Client, project: Project, body: str) -> None:
    answer = as_mia.post(address("reorder", project.pk), body, content_type="application/json")
    assert answer.status_code == 400


def test_a_category_is_retired_and_brought_back(as_mia: Client, project: Project, sports: Category) -> None:
    assert "is retired" in text_of(as_mia.post(address("retire", project.pk, sports.pk), follow=True))
    assert "can be given again" in text_of(as_mia.post(address("bring_back", project.pk, sports.pk), follow=True))


def test_a_merge_is_shown_before_it_is_made(
    as_mia: Client, project: Project, sports: Category, add_labeled: Callable[..., list[Text]]
) -> None:
    add_labeled(0.6, 0.7)
    LabelingRun.objects.update(status=RunStatus.SUCCEEDED)
    business = project.categories.get(name="Business")
    page = address("merge", project.pk, sports.pk)
    shown = text_of(as_mia.get(page, {"into": business.pk}))
    assert "2 texts hold" in shown and "Match number" in shown and "which 0 texts hold" in shown
    assert not CategoryMerge.objects.exists()
    answer = as_mia.post(page, {"into": business.pk}, follow=True)
    assert "Sports is part of Business now. 2 texts have followed." in text_of(answer)
    assert "Merged into Business" in text_of(answer)


def test_a_merge_into_nothing_or_into_itself_is_not_made(as_mia: Client, project: Project, sports: Category) -> None:
    for into in ("", sports.pk, 2**62, "x"):
        answer = as_mia.post(address("merge", project.pk, sports.pk), {"into": into})
        assert answer.status_code == 200, into
    assert not CategoryMerge.objects.exists()


def test_a_merge_that_goes_on_is_told_of(as_mia: Client, project: Project, sports: Category) -> None:
    merging.start(sports, project.categories.get(name="Business"))
    page = text_of(as_mia.get(address("categories", project.pk)))
    assert "Sports becomes part of Business" in page and "No background worker is running" in page


def test_a_category_says_below_which_it_stands_even_a_retired_one(
    as_mia: Client, project: Project, sports: Category
) -> None:
    project.categories.filter(name="Weather").update(parent=sports)
    Category.objects.filter(pk=sports.pk).update(is_active=False)
    assert "below Sports" in text_of(as_mia.get(address("categories", project.pk)))


def test_a_run_is_followed_on_its_page(as_mia: Client, project: Project, add_texts: Callable[..., list[Text]]) -> None:
    add_texts(project, "one")
    run = runs.start(project)
    page = text_of(as_mia.get(address("overview", project.pk)))
    assert f'href="{reverse("runs:run", args=[run.pk])}"' in page


def test_a_project_is_listed_with_its_texts_by_the_names_of_their_statuses(
    as_mia: Client, project: Project, add_texts: Callable[..., list[Text]]
) -> None:
    add_texts(project, "one")
    page = text_of(as_mia.get(reverse("projects:list")))
    assert 'data-name="Needs review">0<' in page and "Waiting for" not in page


def test_other_categories_than_those_of_the_last_run_are_told_of(
    as_mia: Client, project: Project, sports: Category, add_texts: Any
) -> None:
    add_texts(project, "A match.")
    run = runs.start(project)
    LabelingRun.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
    assert "Label everything again" not in text_of(as_mia.get(address("categories", project.pk)))
    categories.edit(sports, {"name": "Football"})
    assert "Label everything again" in text_of(as_mia.get(address("categories", project.pk)))
    as_mia.post(address("label_anew", project.pk))
    assert OrmQ.objects.get().func() == "labeling.tasks.label_anew"


# --- Members ----------------------------------------------------------------------------------------------------------


def test_somebody_is_added_and_removed(as_mia: Client, project: Project, stranger: User) -> None:
    page = address("members", project.pk)
    as_mia.post(page, {"user": "stranger", "role": "reviewer"})
    member = Reviewer.objects.get(user=stranger)
    assert member.projects.get() == project
    as_mia.post(address("remove_member", project.pk, member.pk))
    assert not member.projects.exists()


def test_a_new_person_gets_a_link_that_is_shown_once(as_mia: Client, project: Project) -> None:
    page = address("members", project.pk)
    sent = {"user": "maria", "role": "reviewer", "is_new": "on", "email": "maria@example.org"}
    answer = text_of(as_mia.post(page, sent))
    assert "http://testserver/welcome/" in answer
    assert "/welcome/" not in text_of(as_mia.get(page))
    maria = User.objects.get(username="maria")
    assert (maria.email, maria.has_usable_password()) == ("maria@example.org", False)
    assert "/welcome/" in text_of(as_mia.post(address("member_link", project.pk, maria.reviewer.pk)))


def test_nobody_gets_a_link_to_an_account_that_is_in_use(as_mia: Client, project: Project, anna: Reviewer) -> None:
    anna.user.set_password("correct horse")
    anna.user.save()
    answer = text_of(as_mia.post(address("member_link", project.pk, anna.pk), follow=True))
    assert "has a password already" in answer and "/welcome/" not in answer


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"user": "nobody"}, "There is no such user"),
        ({"user": "anna", "is_new": "on"}, "There is a user &#x27;anna&#x27; already"),
        ({"user": ""}, "This field is required"),
    ],
)
def test_who_cannot_be_added_is_told(
    as_mia: Client, project: Project, anna: Reviewer, sent: dict[str, str], message: str
) -> None:
    answer = as_mia.post(address("members", project.pk), {"role": "reviewer", **sent})
    assert answer.status_code == 422 and message in text_of(answer)


# --- Prompt -----------------------------------------------------------------------------------------------------------


def prompt_form(**changes: str) -> dict[str, str]:
    return {"template": "", "hypothesis": "", "examples": "0", **changes}


def test_a_prompt_is_saved_as_a_new_version(as_mia: Client, project: Project) -> None:
    page = address("prompt", project.pk)
    as_mia.post(page, prompt_form(template="Sort: {text}"))
    as_mia.post(page, prompt_form(template="Sort this: {text}", hypothesis="It is {}."))
    assert [one.version for one in PromptVersion.objects.filter(project=project)] == [2, 1]
    assert "It is Sports." in text_of(as_mia.get(page))
    assert as_mia.get(f"{page}?version=1").context["form"]["template"].value() == "Sort: {text}"


def test_the_preview_needs_no_script_and_saves_nothing(as_mia: Client, project: Project, add_texts: Any) -> None:
    add_texts(project, "The striker scored.")
    page = text_of(as_mia.post(address("prompt", project.pk), prompt_form(template="Look: {text}", preview="on")))
    assert "Look: &lt;text&gt;" in page and "The striker scored." in page
    assert not PromptVersion.objects.exists()


def test_the_preview_shows_hypotheses_and_other_texts(as_mia: Client, project: Project, add_texts: Any) -> None:
    add_texts(project, "One.", "Two.")
    page = address("prompt_preview", project.pk)
    first = as_mia.post(page, prompt_form(hypothesis="It tells of {}.")).json()
    assert first["hypotheses"] == ["It tells of Sports.", "It tells of Business.", "It tells of Weather."]
    second = as_mia.post(page, prompt_form(text_id=first["text_id"], is_next="on")).json()
    same = as_mia.post(page, prompt_form(text_id=second["text_id"])).json()
    third = as_mia.post(page, prompt_form(text_id=second["text_id"], is_next="on")).json()
    assert first["text_id"] != second["text_id"] == same["text_id"]
    assert third["text_id"] == first["text_id"]
    assert json.dumps(second["messages"]) != json.dumps(first["messages"])


def test_a_wrong_hypothesis_is_named_beside_a_right_template(as_mia: Client, project: Project) -> None:
    said = as_mia.post(address("prompt_preview", project.pk), prompt_form(hypothesis="About it.")).json()
    assert "Put {} in its place" in said["hypothesis_error"] and said["messages"] and not said["error"]
