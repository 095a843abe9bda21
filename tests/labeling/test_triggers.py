import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.state import ModelState, ProjectState

from labeling import triggers
from labeling.append_only import AppendOnlyModel
from labeling.choices import LabelOrigin
from labeling.models import Label, Project

pytestmark = pytest.mark.django_db

FACTS = [model._meta.db_table for model in apps.get_models() if issubclass(model, AppendOnlyModel)]


@pytest.fixture
def label(project: Project, add_texts) -> Label:
    (text,) = add_texts(project, "A match")
    return Label.objects.create(text=text, version=1, category=project.categories.first(), origin=LabelOrigin.HUMAN)


def execute(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_facts_are_what_we_think() -> None:
    assert {"labels", "classifiers", "reviews", "review_seals"} <= set(FACTS)


@pytest.mark.parametrize("table", FACTS)
def test_every_table_of_facts_has_its_triggers_after_all_migrations(table: str) -> None:
    assert triggers.are_installed(connection, table)


@pytest.mark.parametrize("sql", ["UPDATE labels SET confidence = 1", "DELETE FROM labels"])
def test_the_database_refuses_to_change_a_fact(label: Label, sql: str) -> None:
    with pytest.raises(IntegrityError, match="labels: rows are facts"):
        execute(sql)
    assert Label.objects.get() == label


@pytest.mark.django_db(transaction=True)  # SQLite's schema editor cannot start inside one
def test_the_rule_can_be_lifted_and_set_again(label: Label) -> None:
    state = ProjectState()
    for model in apps.get_models():
        state.add_model(ModelState.from_model(model))
    operation = triggers.AppendOnly("label")
    with connection.schema_editor() as editor:
        operation.database_backwards("labeling", editor, state, state)
        execute("UPDATE labels SET source = 'changed'")
        operation.database_forwards("labeling", editor, state, state)
        operation.database_forwards("labeling", editor, state, state)
    assert triggers.are_installed(connection, "labels")
    assert Label.objects.get().source == "changed"


@pytest.mark.django_db(transaction=True)
def test_tests_with_transactions_can_empty_the_tables(label: Label) -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert not Label.objects.exists()
    assert all(triggers.are_installed(connection, table) for table in FACTS)


@pytest.mark.django_db(transaction=True)
def test_after_a_flush_new_rows_do_not_take_the_keys_of_what_migrations_wrote() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert Project.objects.create(name="News") != Project.objects.get(name="Default")
