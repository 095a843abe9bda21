"""Texts that fit no category, and the category that is made of them."""

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from labeling import annotations, categories, discovering, execution, relearning, runs
from labeling.models import Category, LabelingRun, Project, Text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]

WORDS = ["sports goal match", "business stock bank", "weather rain wind"]
NEW = ["parcel delivery late", "parcel delivery lost", "parcel late delivery"]


def decide(user: User, texts: list[Text], category: Category | None = None) -> None:
    for text in texts:
        held = category or text.project.categories.get(name=text.content.split()[0].capitalize())
        label = annotations.record_human_label(text, held, annotator=user)
        annotations.hold(text, label_id=label.pk, reviewed_by=user)


@pytest.fixture
def shop(project: Project, add_texts, manager: User) -> Project:
    """180 texts of three categories, 60 of them decided, and 20 about parcels."""
    Project.objects.filter(pk=project.pk).update(provider="keyword")
    project.refresh_from_db()
    add_texts(project, *(f"{WORDS[n % 3]} number{n}" for n in range(180)))
    add_texts(project, *(f"{NEW[n % 3]} number{n}" for n in range(20)))
    execution.execute(runs.start(project))
    decide(manager, list(project.texts.order_by("pk")[:60]))
    return project


def parcels(project: Project) -> list[int]:
    return list(project.texts.filter(content__startswith="parcel").order_by("pk").values_list("pk", flat=True))


# --- Finding ----------------------------------------------------------------------------------------------------------


def test_a_group_has_its_size_its_words_and_its_typical_texts(shop: Project) -> None:
    found = discovering.find(shop)
    assert {text.text_id for group in found.groups for text in group.texts} <= set(parcels(shop))
    assert (found.looked_at, found.waiting, found.note) == (140, 140, "")
    assert sum(group.count for group in found.groups) == 20
    group = found.groups[0]
    assert set(group.words) == {"parcel", "delivery", "late"}
    assert (group.estimate, len(group.texts)) == (group.count, discovering.SHOWN)


def test_of_a_large_project_a_sample_is_looked_at_and_the_size_is_estimated(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovering, "SAMPLE", 150)
    found = discovering.find(shop)
    assert found.looked_at < 140 == found.waiting
    assert found.groups[0].estimate == round(found.groups[0].count / found.looked_at * 140)


def test_texts_of_the_audit_and_gold_are_never_looked_at(shop: Project) -> None:
    blind = parcels(shop)
    Text.objects.filter(pk__in=blind[:10]).update(is_audit=True)
    Text.objects.filter(pk__in=blind[10:]).update(is_gold=True)
    found = discovering.find(shop)
    assert found.looked_at == 120
    assert not any(text.text_id in blind for group in found.groups for text in group.texts)


def test_a_project_without_labels_has_nothing_to_compare_by(project: Project) -> None:
    assert discovering.find(project).note == discovering.NOT_LABELED


def test_with_few_decisions_it_asks_for_more(shop: Project) -> None:
    Text.objects.filter(pk__in=shop.texts.order_by("pk").values("pk")[29:60]).update(status="accepted")
    assert discovering.find(shop).note.startswith("Decide 30 texts first")


def test_without_new_texts_there_is_no_group(shop: Project) -> None:
    Text.objects.filter(pk__in=parcels(shop)).update(status="flagged")
    found = discovering.find(shop)
    assert (found.groups, found.note) == ((), discovering.NO_GROUP)


def test_everything_decided_leaves_nothing_to_look_at(shop: Project) -> None:
    shop.texts.exclude(status="reviewed").update(status="flagged")
    assert discovering.find(shop).note == discovering.NOTHING_OPEN


# --- Creating ---------------------------------------------------------------------------------------------------------


def test_the_texts_become_its_examples_shortened_and_a_few(shop: Project, add_texts) -> None:
    [long] = add_texts(shop, "parcel\n" * 200)
    made = discovering.create_category(shop, name=" Parcels ", description="All", text_ids=[*parcels(shop)[-8:]])
    assert (made.name, made.description, made.position, len(made.examples)) == ("Parcels", "All", 3, 5)
    again = discovering.create_category(shop, name="Long", text_ids=[long.pk])
    assert len(again.examples[0]) == discovering.EXAMPLE and "\n" not in again.examples[0]


def test_texts_decided_blind_and_of_other_projects_are_no_examples(shop: Project, add_texts) -> None:
    Text.objects.filter(pk__in=parcels(shop)[:2]).update(is_audit=True)
    [foreign] = add_texts(Project.objects.create(name="Other"), "a parcel of somebody else")
    made = discovering.create_category(shop, name="Parcels", text_ids=[*parcels(shop)[:3], foreign.pk])
    assert made.examples == ["parcel late delivery number2"]


def test_the_worker_learns_it_and_labels_everything_again(shop: Project) -> None:
    ids = [text.text_id for text in discovering.find(shop).groups[0].texts[:3]]
    made = discovering.create_category(shop, name="Parcel delivery", text_ids=ids)
    assert [task.func() for task in OrmQ.objects.all()].count("labeling.tasks.label_anew") == 1
    relearning.label_anew(shop)
    execution.execute(LabelingRun.objects.latest("pk"))
    held = set(Text.objects.filter(pk__in=parcels(shop)).values_list("current_label__category_id", flat=True))
    assert held == {made.pk}
    assert discovering.find(shop).groups == ()


def test_texts_of_a_category_that_nobody_has_decided_are_left_out(shop: Project) -> None:
    made = categories.add(shop, "Parcel delivery")
    assert discovering.find(shop).note == discovering.NOT_LABELED
    execution.execute(runs.start(shop, relabel=True))
    assert shop.texts.filter(current_label__category=made).count() == 20
    assert (discovering.find(shop).looked_at, discovering.find(shop).groups) == (120, ())


def test_a_run_that_is_on_goes_first(shop: Project) -> None:
    run = runs.start(shop, relabel=True)
    with pytest.raises(runs.RunInProgress, match=f"Run {run.pk} is labeling"):
        discovering.create_category(shop, name="Parcels")
    assert shop.categories.count() == 3


def test_a_name_that_the_project_has_is_refused(shop: Project) -> None:
    with pytest.raises(categories.WrongCategory):
        discovering.create_category(shop, name="sports")
    assert not OrmQ.objects.exists()
