"""The cast of the tests, and providers whose answers are known."""

from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core import serializers
from django.core.cache import cache
from django.core.management.color import no_style
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseOperations
from django.db.models import signals
from django_q.models import Schedule
from pytest_django import DjangoDbBlocker

from labeling import answering, classifiers, providers, triggers
from labeling.models import Category, Project, Text
from labeling.normalizing import content_hash, normalize
from reviews.models import Reviewer

pytest_plugins = ["tests.browser"]


@pytest.fixture
def manager(db: None) -> User:
    return User.objects.create_superuser("manager")


@pytest.fixture
def mia(db: None) -> User:
    """Of the group of managers."""
    user = User.objects.create_user("mia", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    return user


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody with an account and no rights."""
    return User.objects.create_user("stranger")


@pytest.fixture
def project(db: None) -> Project:
    """News, with three categories."""
    made = Project.objects.create(name="News", audit_share=0.0)
    for position, name in enumerate(["Sports", "Business", "Weather"]):
        Category.objects.create(project=made, name=name, position=position)
    return made


@pytest.fixture
def weather(project: Project) -> Category:
    return project.categories.get(name="Weather")


@pytest.fixture
def add_reviewer(project: Project) -> Callable[[str], Reviewer]:
    def add(name: str) -> Reviewer:
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(Group.objects.get(name="Reviewers"))
        reviewer = Reviewer.objects.create(user=user)
        reviewer.projects.add(project)
        return reviewer

    return add


@pytest.fixture
def anna(add_reviewer: Callable[[str], Reviewer]) -> Reviewer:
    return add_reviewer("anna")


@pytest.fixture
def ben(add_reviewer: Callable[[str], Reviewer]) -> Reviewer:
    return add_reviewer("ben")


@pytest.fixture
def add_texts():  # type: ignore[no-untyped-def]
    """Inserts texts into a project, as an import would."""

    def add(project: Project, *contents: str) -> list[Text]:
        return [
            Text.objects.create(project=project, content=normalize(c), content_hash=content_hash(normalize(c)))
            for c in contents
        ]

    return add


@pytest.fixture
def fake_providers(settings: LazySettings) -> Iterator[None]:
    """Aliases of providers that need no model: `keyword` embeds, `scores` only answers, `talkative` says why,
    `obedient` follows prompts, `priced` takes tokens, and `broken` always fails."""
    settings.LABELING_PROVIDERS = {
        **settings.LABELING_PROVIDERS,
        "keyword": {"BACKEND": "tests.fakes.KeywordEncoder", "OPTIONS": {}},
        "scores": {"BACKEND": "tests.fakes.KeywordScores", "OPTIONS": {}},
        "obedient": {"BACKEND": "tests.fakes.Obedient", "OPTIONS": {}},
        "priced": {"BACKEND": "tests.fakes.Priced", "OPTIONS": {}},
        "talkative": {"BACKEND": "tests.fakes.Talkative", "OPTIONS": {}},
        "broken": {"BACKEND": "tests.fakes.Broken", "OPTIONS": {"permanent": True}},
        "flaky": {"BACKEND": "tests.fakes.Broken", "OPTIONS": {"permanent": False}},
    }
    settings.LABELING_ENCODER = "keyword"
    yield
    providers.forget_all()


@pytest.fixture(autouse=True)
def _no_limits(settings: LazySettings) -> None:
    """Tests ask faster than people, and count queries. Those of the limits set their own."""
    settings.API_RATE_PER_KEY = settings.API_RATE_PER_ADDRESS = 0


@pytest.fixture(autouse=True)
def _static_files_when_asked_for(settings: LazySettings) -> None:
    """Otherwise the first request of each client lists all of them, which takes longer than most requests."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _no_head_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads and models are kept by primary key, and tests use the same keys again."""
    classifiers.load_head.cache_clear()
    monkeypatch.setattr(answering, "LOOK_SECONDS", 0.0)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """On SQLite a file, as in real life: in memory all threads share one connection, and none can wait."""
    database = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        # The rest is as in production. Only the waiting for the disk is left out: no test pulls the plug.
        database["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_triggers() -> Iterator[None]:
    """Tests with transactions end in a flush, which on SQLite is a DELETE that the triggers refuse."""
    original = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, style: object, tables: list[str], **options: bool) -> list[str]:
        facts = [table for table in tables if triggers.are_installed(self.connection, table)]
        lifted = [sql for table in facts for sql in triggers.remove_sql("sqlite", table)]
        installed = [sql for table in facts for sql in triggers.install_sql("sqlite", table)]
        return [*lifted, *original(self, style, tables, **options), *installed]

    DatabaseOperations.sql_flush = sql_flush
    yield
    DatabaseOperations.sql_flush = original


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Tests with transactions end in a flush, and with it what migrations wrote: it is written again after each, since
    of two processes one takes over what the other has not come to, in any order."""
    models = (Project, Schedule, Group)
    with django_db_blocker.unblock():
        rows = [row for model in models for row in model.objects.order_by("pk")]
        written = serializers.serialize("json", rows, use_natural_foreign_keys=True)

    def write_again(**_: object) -> None:
        for row in serializers.deserialize("json", written):
            row.save()
        with connection.cursor() as cursor:  # the command "flush" counts from 1 again, where these rows now are
            for sql in connection.ops.sequence_reset_sql(no_style(), models):
                cursor.execute(sql)

    last = list(apps.get_app_configs())[-1]  # by then there are all permissions
    signals.post_migrate.connect(write_again, sender=last)
    yield
    signals.post_migrate.disconnect(write_again, sender=last)


@pytest.fixture(autouse=True)
def _nothing_remembered_of_another_test() -> None:
    """Answers are kept for a while by primary key, and tests use the same keys again."""
    cache.clear()
