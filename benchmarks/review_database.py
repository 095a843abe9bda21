"""What benchmarks/review.py does inside the database, each step in a process of its own that prints one JSON line.

DATABASE_URL=... python benchmarks/review_database.py fill TEXTS DECIDED | check | trail
"""

import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labeling_site.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count, OuterRef, Subquery  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from labeling import annotations, bulk  # noqa: E402
from labeling.choices import LabelOrigin, TextStatus  # noqa: E402
from labeling.learning import explain  # noqa: E402
from labeling.models import Category, Label, LabelingRun, Project, Text  # noqa: E402
from labeling.normalizing import content_hash as text_hash  # noqa: E402
from reviews import audit_trail, reviewers  # noqa: E402
from reviews.hashing import content_hash  # noqa: E402
from reviews.models import Action, Assignment, QueueReason, Review, Reviewer, Seal  # noqa: E402

REVIEWERS = 8
CATEGORIES = 12
AUDIT_EVERY = 20  # 5 % of the texts are of the blind audit
CORRECTED_EVERY = 5  # 20 % of the decisions made before give another category than the model did
DECIDED_A_DAY = 8_000  # by all reviewers together, so that the history has the length of a real one
BATCH = 5_000
WORDS = (
    "parcel order late again please refund card account invoice broken tent because the that with when I my was not "
    "delivery waiting street Monday number twice charged return shop answer nobody phone screen battery website login"
)


def fill(texts: str, decided: str) -> dict[str, Any]:
    """A project with texts that wait for review and texts decided before; returns how each reviewer signs in."""
    call_command("migrate", verbosity=0)
    project = Project.objects.create(name="Benchmark", instructions="Choose what the message is about.")
    for position in range(CATEGORIES):
        name = f"Category number {position}"
        Category.objects.create(project=project, name=name, description=f"{name}: a sentence.", position=position)
    sessions = [add_reviewer(project, number) for number in range(REVIEWERS)]
    decide(project, int(decided))
    for size in batches(int(texts)):
        add_texts(project, size)
    analyze()
    return {"project": project.pk, "sessions": sessions}


def analyze() -> None:
    """As PostgreSQL's autovacuum does within a minute."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def add_reviewer(project: Project, number: int) -> str:
    user = reviewers.add_account(f"reviewer-{number}", password=reviewers.new_password())
    Reviewer.objects.create(user=user).projects.add(project)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client.cookies["sessionid"].value


def batches(count: int) -> Iterator[int]:
    yield from (min(BATCH, count - start) for start in range(0, count, BATCH))


# --- Texts that a model labeled ---------------------------------------------------------------------------------------


def add_texts(project: Project, count: int) -> list[int]:
    """Texts of 15 to 60 words that a model labeled, unsure, as it writes it; returns their keys."""
    last = Text.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    contents = [made_up_text(number) for number in range(last, last + count)]
    rows = ((content, text_hash(content)) for content in contents)
    bulk.insert(Text, ("content", "content_hash"), rows, shared={"project": project.pk, "source": "messages.csv"})
    run, _ = LabelingRun.objects.get_or_create(
        project=project,
        defaults={"provider": "local", "model_name": "a-model", "threshold": 0.8, "audit_share": project.audit_share},
    )
    added = list(project.texts.filter(pk__gt=last).order_by("pk").values_list("pk", "content"))
    names = dict(project.categories.values_list("pk", "name"))
    annotations.record_predictions(run, [prediction(pk, content, names) for pk, content in added])
    return [pk for pk, _ in added]


def made_up_text(number: int) -> str:
    source = random.Random(number)
    return f"Message {number}: {' '.join(source.choices(WORDS.split(), k=source.randint(15, 60)))}."


def prediction(pk: int, content: str, names: dict[int, str]) -> annotations.Prediction:
    """Twelve scores, five words of evidence and a sentence, like those of a model; the best score is below 0.7."""
    source = random.Random(pk)
    ranked = list(zip(source.sample(sorted(names), len(names)), shares(source, len(names)), strict=True))
    evidence = [explain.Evidence(*place, 0.2) for place in source.sample(places(content), 5)]
    best = [(names[key], score) for key, score in ranked[:2]]
    return annotations.Prediction(
        text_id=pk,
        category_id=ranked[0][0],
        confidence=ranked[0][1],
        raw_score=ranked[0][1] * 8,
        margin=ranked[0][1] - ranked[1][1],
        scores=[(key, round(score, 6)) for key, score in ranked],
        explanation=explain.sentence(best, explain.phrases(content, evidence)),
        evidence=[(word.start, word.end, word.weight) for word in evidence],
        is_truncated=False,
        is_audit=pk % AUDIT_EVERY == 0,
    )


def shares(source: random.Random, count: int) -> list[float]:
    """Numbers that fall and add up to one, the first between 0.3 and 0.7."""
    first = 0.3 + 0.4 * source.random()
    rest = sorted((source.random() for _ in range(count - 1)), reverse=True)
    return [first, *(number * (1 - first) / sum(rest) for number in rest)]


def places(content: str) -> list[tuple[int, int]]:
    """Where the words stand."""
    ends = [at for at, character in enumerate(content) if character == " "]
    return [(start + 1, end) for start, end in pairwise(ends)]


# --- Texts that were decided before -----------------------------------------------------------------------------------


def decide(project: Project, count: int) -> None:
    """Add texts that the reviewers decided in turns, the last one just now, in rows as the desk writes them."""
    people = list(Reviewer.objects.order_by("pk"))
    begin = timezone.now() - timedelta(days=count / DECIDED_A_DAY)
    for start, size in enumerate(batches(count)):
        texts = list(
            Text.objects.filter(pk__in=add_texts(project, size)).select_related("current_label").order_by("pk")
        )
        times = [begin + timedelta(days=(start * BATCH + n) / DECIDED_A_DAY) for n in range(size)]
        write_decisions(texts, [people[n % REVIEWERS] for n in range(size)], times)
        if start in (0, 10):  # else PostgreSQL reads whole tables for each text, ever larger ones
            analyze()


def write_decisions(texts: Sequence[Text], people: Sequence[Reviewer], times: Sequence[datetime]) -> None:
    made = [one_decision(*row) for row in zip(texts, people, times, corrections(texts, people), strict=True)]
    names = [field.name for field in Review._meta.concrete_fields if field.name != "id"]
    columns = [field.attname for field in Review._meta.concrete_fields if field.name != "id"]
    bulk.insert(Review, names, ([getattr(review, column) for column in columns] for review in made))
    newest = Label.objects.filter(text=OuterRef("pk")).order_by("-version").values("pk")[:1]
    decider = Review.objects.filter(text=OuterRef("pk")).values("reviewer__user")[:1]
    Text.objects.filter(pk__in=[text.pk for text in texts]).update(
        status=TextStatus.REVIEWED, current_label_id=Subquery(newest), reviewed_by_id=Subquery(decider)
    )


def corrections(texts: Sequence[Text], people: Sequence[Reviewer]) -> list[Label | None]:
    """The people's labels of every fifth text: the category after the model's."""
    wrong = [(text, person) for text, person in zip(texts, people, strict=True) if text.pk % CORRECTED_EVERY == 0]
    keys = list(Category.objects.order_by("pk").values_list("pk", flat=True))
    rows = [(text.pk, following(keys, label_of(text).category_id), one.user_id) for text, one in wrong]
    bulk.insert(Label, ("text", "category", "annotator"), rows, shared={"version": 2, "origin": LabelOrigin.HUMAN})
    made = {label.text_id: label for label in Label.objects.filter(text__in=texts, version=2)}
    return [made.get(text.pk) for text in texts]


def label_of(text: Text) -> Label:
    assert text.current_label is not None
    return text.current_label


def following(keys: Sequence[int], key: int) -> int:
    return keys[(keys.index(key) + 1) % len(keys)]


def one_decision(text: Text, reviewer: Reviewer, when: datetime, new_label: Label | None) -> Review:
    shown = label_of(text)
    asked = Action.REJECT if new_label else Action.APPROVE
    review = Review(
        text=text,
        reviewer=reviewer,
        action=Action.DECIDE if text.is_audit else asked,
        label=shown,
        new_label=new_label,
        category_before_id=shown.category_id,
        category_after_id=(new_label or shown).category_id,
        confidence_before=shown.confidence,
        status_before=text.status,
        is_blind=text.is_audit,
        queue_reason=QueueReason.AUDIT if text.is_audit else QueueReason.UNCERTAIN,
        selection_probability=0.05 if text.is_audit else None,
        seconds_spent=3.0,
        idempotency_key=f"{text.pk:032x}",
        created_at=when,
    )
    review.content_hash = content_hash(review)
    return review


# --- Checks -----------------------------------------------------------------------------------------------------------


def check() -> dict[str, Any]:
    """What the database says about the decisions."""
    decided = Review.objects.order_by().values("text").annotate(n=Count("pk"))
    return {
        "reviews": Review.objects.count(),
        "texts reviewed": Text.objects.filter(status=TextStatus.REVIEWED).count(),
        "texts decided twice": decided.filter(n__gt=1).count(),
        "claims": Assignment.objects.count(),
    }


def trail() -> dict[str, Any]:
    """Seal and verify all of it."""
    begin = time.perf_counter()
    audit_trail.seal()
    sealed = time.perf_counter()
    report = audit_trail.verify()
    ended = time.perf_counter()
    return {
        "problems": report.count,
        "sealed/s": Seal.objects.count() / (sealed - begin),
        "verified/s": report.checked / (ended - sealed),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    STEPS: dict[str, Callable[..., dict[str, Any]]] = {"fill": fill, "check": check, "trail": trail}
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
