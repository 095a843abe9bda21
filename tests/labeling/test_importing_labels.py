"""Labels that come with texts: whose word they are, and which categories they mean."""

from typing import Any

import pytest

from labeling import categories, importing, merging
from labeling.choices import LabelOrigin, TextStatus
from labeling.models import Label, Project
from tests.labeling.imports import import_csv


def test_a_label_is_a_persons_word_that_holds_now(project: Project) -> None:
    import_csv(project, "text,topic\ngoal,SPORTS\nrain,\n", label_column="topic")
    text = project.texts.get(content="goal")
    label = text.labels.get()
    assert (label.category.name, label.origin, label.version) == ("Sports", LabelOrigin.HUMAN, 1)
    assert (label.annotator, label.confidence, label.source) == (None, None, "texts.csv")
    assert (text.current_label, text.status) == (label, TextStatus.REVIEWED)
    assert project.texts.get(content="rain").status == TextStatus.UNLABELED


def test_an_unknown_label_says_how_to_add_the_category(project: Project) -> None:
    record = import_csv(project, "text,topic\ngoal,Chess\n", label_column="topic")
    assert record.rejections == [
        {"line": 2, "reason": "the project has no category 'Chess': add it, or use --create-categories"}
    ]
    assert not project.texts.exists()


@pytest.mark.parametrize("create", [False, True])
def test_a_retired_category_gets_no_new_labels(project: Project, create: bool) -> None:
    project.categories.filter(name="Sports").update(is_active=False)
    record = import_csv(project, "text,topic\ngoal,Sports\n", label_column="topic", create_categories=create)
    assert "category 'Sports' is retired: make it active again" in record.rejections[0]["reason"]


@pytest.mark.parametrize("create", [False, True])
def test_the_name_of_a_merged_category_means_the_other_one(project: Project, create: bool) -> None:
    merging.start(project.categories.get(name="Sports"), project.categories.get(name="Weather"))
    import_csv(project, "text,topic\ngoal,Sports\n", label_column="topic", create_categories=create)
    assert project.texts.get().current_label.category.name == "Weather"


def test_missing_categories_are_created_on_request(project: Project) -> None:
    import_csv(project, "text,topic\na,Chess\nb,chess\nc,Go\n", label_column="topic", create_categories=True)
    assert list(project.categories.values_list("name", flat=True)) == ["Sports", "Business", "Weather", "Chess", "Go"]
    assert list(Label.objects.order_by("id").values_list("category__name", flat=True)) == ["Chess", "Chess", "Go"]


@pytest.mark.parametrize("create", [False, True])
def test_white_space_in_a_label_makes_no_other_category(project: Project, create: bool) -> None:
    project.categories.create(name="Very positive")
    content = 'text,topic\na,Very  positive\nb,"very\npositive"\n'
    import_csv(project, content, label_column="topic", create_categories=create)
    assert project.categories.count() == 4
    assert set(Label.objects.values_list("category__name", flat=True)) == {"Very positive"}
    assert Label.objects.count() == 2


def test_a_category_of_a_label_has_its_name_in_the_plain_form(project: Project) -> None:
    import_csv(project, "text,topic\na,Very  positive\nb,Very positive\n", label_column="topic", create_categories=True)
    categories.edit(project.categories.get(name="Very positive"), {"description": "Praise."})
    assert Label.objects.filter(category__name="Very positive").count() == 2


def test_of_two_categories_that_differ_in_white_space_a_label_means_the_first(project: Project) -> None:
    for name in ("Very positive", "Very  positive"):  # as imports once made them
        project.categories.create(name=name, position=4)
    import_csv(project, "text,topic\na,Very positive\nb,Very  positive\n", label_column="topic")
    assert list(Label.objects.values_list("category__name", flat=True)) == ["Very positive"] * 2


def test_a_label_column_with_thousands_of_values_is_refused(project: Project) -> None:
    rows = [{"text": f"text {number}", "key": str(number)} for number in range(1500)]
    with pytest.raises(importing.ImportFailed, match="Check --label-column"):
        importing.import_rows(project, rows, label_column="key", create_categories=True)
    assert project.categories.count() == 3


def test_a_text_that_was_there_keeps_its_label(project: Project) -> None:
    import_csv(project, "text,topic\ngoal,Sports\n", label_column="topic")
    record = import_csv(project, "text,topic\ngoal,Weather\n", label_column="topic")
    assert record.duplicate == 1
    assert project.texts.get().current_label.category.name == "Sports"


def test_the_first_label_of_a_text_in_a_file_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH_ROWS", 2)
    import_csv(project, "text,topic\ngoal,Sports\na,\ngoal,Weather\na,Weather\n", label_column="topic")
    assert [label.category.name for label in Label.objects.all()] == ["Sports"]


def test_many_labels_cost_few_queries(
    project: Project, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": f"text {number}", "topic": "Sports"} for number in range(3000)]
    with django_assert_max_num_queries(20):
        importing.import_rows(project, rows, label_column="topic")
    assert project.texts.filter(status=TextStatus.REVIEWED).count() == 3000
