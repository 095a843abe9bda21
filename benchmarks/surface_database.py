"""A large project made within the database itself, in a minute or two: what pages and lists are measured on.

    DATABASE_URL=... python benchmarks/surface_database.py [--texts N] [--reviews N]

Migrates an empty SQLite or PostgreSQL database and fills it: one project of 12 categories, N texts (default 1,000,000)
that a run labeled, every nineteenth of the blind audit, N reviews (default 200,000) by eight reviewers over sixty days,
a fifth of which corrected the machine; every fiftieth is a second person's on the same text. Rows are as the program
writes them, except that the content hashes of reviews are empty: the audit trail does not verify. The manager signs in
as "manager". The last line printed is one JSON object with what is there and the manager's session.

On PostgreSQL the user must be a superuser: foreign keys are not checked while a million rows are inserted.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from analytics import keeping  # noqa: E402
from labeling.models import Category, Label, LabelingRun, Project, RunChunk, Text  # noqa: E402
from reviews.models import Review, Reviewer  # noqa: E402

REVIEWERS, CATEGORIES = 8, 12
AUDIT_EVERY, CORRECTED_EVERY, TWICE_EVERY = 19, 5, 50
ADDED_DAYS, REVIEWED_DAYS = 90, 60
TEXTS_IN_A_CHUNK = 10_000
SENTENCE = "please refund the parcel that arrived late again because the account was charged twice and nobody answers "
IS_POSTGRESQL = connection.vendor == "postgresql"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--reviews", type=int, default=200_000)
    wanted = parser.parse_args()
    begin = time.perf_counter()
    call_command("migrate", verbosity=0)
    if Text.objects.exists():
        parser.error("The database has texts already. Name an empty one in DATABASE_URL.")
    filled = fill(wanted.texts, wanted.reviews)
    print(json.dumps({**filled, "seconds": round(time.perf_counter() - begin, 1)}))


def fill(texts: int, reviews: int) -> dict[str, Any]:
    project, run = add_project(texts)
    twice = reviews // TWICE_EVERY
    with unchecked():
        add_texts(project, texts, decided=reviews - twice)
        add_labels(project, run, texts, decided=reviews - twice)
        add_reviews(project, decided=reviews - twice, twice=twice)
    settle()
    keeping.refresh(project)  # as the worker does within a minute
    manager = Client()
    manager.force_login(User.objects.get(username="manager"))
    return {
        "project": project.pk,
        "texts": Text.objects.count(),
        "labels": Label.objects.count(),
        "reviews": Review.objects.count(),
        "session": manager.cookies["sessionid"].value,
    }


def add_project(texts: int) -> tuple[Project, LabelingRun]:
    project = Project.objects.create(name="Surface", instructions="Choose what the message is about.")
    for position in range(CATEGORIES):
        Category.objects.create(project=project, name=f"Category number {position}", position=position)
    User.objects.create_superuser("manager")
    for number in range(REVIEWERS):
        user = User.objects.create_user(f"reviewer-{number}", is_staff=True)
        user.groups.add(Group.objects.get(name="Reviewers"))
        Reviewer.objects.create(user=user).projects.add(project)
    now = timezone.now()
    run = LabelingRun.objects.create(
        project=project,
        provider="local",
        model_name="a-model",
        status="succeeded",
        phase="finish",
        last_text_id=texts,
        total=texts,
        threshold=project.threshold,
        audit_share=0.05,
        started_at=now,
        finished_at=now,
    )
    RunChunk.objects.bulk_create(
        RunChunk(
            run=run,
            phase="label",
            after=after,
            last=after + TEXTS_IN_A_CHUNK,
            reached=after + TEXTS_IN_A_CHUNK,
            state="done",
            heartbeat_at=now,
            texts=TEXTS_IN_A_CHUNK,
            seconds=0.75,
        )
        for after in range(0, texts, TEXTS_IN_A_CHUNK)
    )
    return project, run


# --- Rows, as expressions of their number i ---------------------------------------------------------------------------

SPREAD = "((i * 2654435761) % 4294967296)"  # knows nothing of the order
CONFIDENCE = "(1 - 0.7 * ((i * 40503) % 65536) / 65536.0 * ((i * 40503) % 65536) / 65536.0)"


def add_texts(project: Project, texts: int, *, decided: int) -> None:
    is_open = f"CASE WHEN {CONFIDENCE} >= {project.threshold} THEN 'accepted' ELSE 'needs_review' END"
    corrected = (
        f"CASE WHEN i <= {decided} AND i % {CORRECTED_EVERY} = 0 THEN {texts} + i / {CORRECTED_EVERY} ELSE i END"
    )
    words = f"substr('{SENTENCE * 3}', {whole('1 + (i * 7) % 97')}, {whole('60 + (i * 31) % 180')})"
    insert(
        Text,
        texts,
        {
            "id": "i",
            "project": project.pk,
            "content": f"'Message ' || i || ': ' || {words}",
            "content_hash": hexadecimal(SPREAD, 8) + " || " + hexadecimal("i", 24),
            "source": "CASE i % 4 WHEN 0 THEN 'mail.csv' WHEN 1 THEN 'chat.csv' WHEN 2 THEN 'forms.csv' ELSE 'api' END",
            "status": f"CASE WHEN i <= {decided} THEN 'reviewed' ELSE {is_open} END",
            "current_label": corrected,
            "priority": f"1 - {CONFIDENCE}",
            "is_audit": true_where(f"i % {AUDIT_EVERY} = 0"),
            "reviewed_by": f"CASE WHEN i <= {decided} THEN {user_of('i')} END",
            "reviewed_at": f"CASE WHEN i <= {decided} THEN {moment(REVIEWED_DAYS, decided)} END",
            "created_at": moment(ADDED_DAYS, texts),
        },
    )


def add_labels(project: Project, run: LabelingRun, texts: int, *, decided: int) -> None:
    first = project.categories.order_by("pk").values_list("pk", flat=True)[0]
    machine = {
        "id": "i",
        "text": "i",
        "version": "1",
        "category": f"{first} + {SPREAD} % {CATEGORIES}",
        "origin": "'model'",
        "confidence": CONFIDENCE,
        "raw_score": CONFIDENCE,
        "margin": f"{CONFIDENCE} / 2",
        "explanation": '\'The words "refund" and "parcel" speak for it.\'',
        "run": run.pk,
        "provider": "'local'",
        "model_name": "'a-model'",
        "created_at": moment(ADDED_DAYS, texts),
    }
    insert(Label, texts, machine)
    text = f"(i * {CORRECTED_EVERY})"
    person = {
        "id": f"{texts} + i",
        "text": text,
        "version": "2",
        "category": f"{first} + ({SPREAD.replace('i', text, 1)} + 1) % {CATEGORIES}",
        "origin": "'human'",
        "annotator": user_of(text),
        "created_at": moment(REVIEWED_DAYS, decided // CORRECTED_EVERY),
    }
    insert(Label, decided // CORRECTED_EVERY, person)


def add_reviews(project: Project, *, decided: int, twice: int) -> None:
    columns = review_columns(project, text="i", decided=decided)
    insert(Review, decided, {"id": "i", **columns})
    again = review_columns(project, text=f"(i * {TWICE_EVERY - 1})", decided=twice)
    again |= {"id": f"{decided} + i", "reviewer": reviewer_of("(i + 1)"), "slot": "1"}
    insert(Review, twice, again)


def review_columns(project: Project, *, text: str, decided: int) -> dict[str, Any]:
    first = project.categories.order_by("pk").values_list("pk", flat=True)[0]
    said = f"{first} + {SPREAD.replace('i', text, 1)} % {CATEGORIES}"
    corrected = f"{first} + ({SPREAD.replace('i', text, 1)} + 1) % {CATEGORIES}"
    is_audit, is_corrected = f"{text} % {AUDIT_EVERY} = 0", f"{text} % {CORRECTED_EVERY} = 0"
    return {
        "text": text,
        "reviewer": reviewer_of("i"),
        "action": f"CASE WHEN {is_audit} THEN 'decide' WHEN {is_corrected} THEN 'reject' ELSE 'approve' END",
        "label": text,
        "category_before": said,
        "category_after": f"CASE WHEN {is_corrected} THEN {corrected} ELSE {said} END",
        "confidence_before": CONFIDENCE.replace("(i ", f"({text} "),
        "status_before": "'needs_review'",
        "is_blind": true_where(is_audit),
        "queue_reason": f"CASE WHEN {is_audit} THEN 'audit' ELSE 'uncertain' END",
        "seconds_spent": "1.5 + (i * 7919 % 300) / 20.0",
        "content_hash": "''",
        "created_at": moment(REVIEWED_DAYS, decided),
    }


def user_of(number: str) -> str:
    first = Reviewer.objects.order_by("pk").values_list("user", flat=True)[0]
    return f"{first} + {number} % {REVIEWERS}"


def reviewer_of(number: str) -> str:
    first = Reviewer.objects.order_by("pk").values_list("pk", flat=True)[0]
    return f"{first} + {number} % {REVIEWERS}"


# --- SQL of both databases --------------------------------------------------------------------------------------------


def insert(model: type[models.Model], count: int, expressions: dict[str, Any]) -> None:
    """So many rows, i from 1; columns without an expression have the model's default."""
    fields = [field for field in model._meta.concrete_fields if field.name != "id" or "id" in expressions]
    values = [str(expressions[field.name]) if field.name in expressions else "%s" for field in fields]
    defaults = [prepared(field) for field in fields if field.name not in expressions]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    written = ", ".join(value if value == "%s" else value.replace("%", "%%") for value in values)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({columns}) {numbers(count, written)}", defaults)


def prepared(field: models.Field) -> Any:
    return field.get_db_prep_save(field.get_default(), connection)


def numbers(count: int, written: str) -> str:
    if IS_POSTGRESQL:
        return f"SELECT {written} FROM generate_series(1::bigint, {count}) AS numbers(i)"
    series = f"WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count})"
    return f"{series} SELECT {written} FROM numbers"


def moment(days: int, count: int) -> str:
    """Times over the last days, in the order of i."""
    seconds = f"(i * {days * 86_400} / {max(count, 1)} - {days * 86_400})"
    if IS_POSTGRESQL:
        return f"now() + {seconds} * interval '1 second'"
    return f"datetime('now', {seconds} || ' seconds')"


def hexadecimal(number: str, digits: int) -> str:
    return f"lpad(to_hex({number}), {digits}, '0')" if IS_POSTGRESQL else f"printf('%0{digits}x', {number})"


def whole(number: str) -> str:
    return f"CAST({number} AS integer)"


def true_where(condition: str) -> str:
    return f"({condition})" if IS_POSTGRESQL else f"CASE WHEN {condition} THEN 1 ELSE 0 END"


class unchecked:  # noqa: N801  a context, used once
    """Foreign keys are right here, and checking a million takes longer than writing them."""

    def __enter__(self) -> None:
        self._execute("SET session_replication_role = replica" if IS_POSTGRESQL else "PRAGMA foreign_keys = OFF")

    def __exit__(self, *error: object) -> None:
        self._execute("SET session_replication_role = origin" if IS_POSTGRESQL else "PRAGMA foreign_keys = ON")

    def _execute(self, sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)


def settle() -> None:
    """Sequences after the last row, and what planners and readers need, as autovacuum sees to it within a minute."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [Text, Label, Review]):
            cursor.execute(sql)
        cursor.execute("VACUUM ANALYZE" if IS_POSTGRESQL else "ANALYZE")


if __name__ == "__main__":
    main()
