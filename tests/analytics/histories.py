"""Histories as work makes them, by chance but the same each time: runs, reviews, undoing, adjudication."""

import random
from collections.abc import Sequence

from django.contrib.auth.models import User

from labeling import annotations
from labeling.annotations import Prediction
from labeling.choices import TextStatus
from labeling.models import Category, LabelingRun, Project, RunChunk, Text
from labeling.normalizing import content_hash
from reviews import adjudication, decisions, undoing
from reviews.decisions import Decision
from reviews.models import Action, Review, Reviewer
from reviews.refusals import Conflict, NothingToUndo, WrongDecision

SOURCES = ("mail", "chat", "")
STEPS = ("decide", "decide", "decide", "decide", "skip", "flag", "undo", "adjudicate")


def add_texts(project: Project, count: int) -> list[Text]:
    first = Text.objects.count()
    contents = [f"Message number {first + place}" for place in range(count)]
    Text.objects.bulk_create(
        Text(project=project, content=one, content_hash=content_hash(one), source=SOURCES[place % len(SOURCES)])
        for place, one in enumerate(contents)
    )
    return list(project.texts.order_by("-pk")[:count])[::-1]


def label(project: Project, texts: Sequence[Text], chance: random.Random) -> LabelingRun:
    """A run over these texts as they stand; those that people decided it leaves alone."""
    run = LabelingRun.objects.create(
        project=project,
        provider=chance.choice(["local", "paid"]),
        model_name="a-model",
        threshold=project.threshold,
        audit_share=project.audit_share,
        status="succeeded",
    )
    RunChunk.objects.create(
        run=run,
        phase="label",
        after=0,
        last=max(text.pk for text in texts),
        reached=0,
        state="done",
        heartbeat_at=run.created_at,
        texts=len(texts),
        seconds=chance.uniform(1, 9),
        prompt_tokens=chance.randrange(5_000),
        completion_tokens=chance.randrange(900),
        cost=chance.randrange(300) / 100,
    )
    keys = [category.pk for category in project.active_categories()]
    annotations.record_predictions(run, [_prediction(text, keys, chance) for text in texts])
    return run


def _prediction(text: Text, keys: Sequence[int], chance: random.Random) -> Prediction:
    sure = 1 - 0.7 * chance.random() ** 2
    return Prediction(
        text_id=text.pk,
        category_id=keys[text.pk % len(keys)] if chance.random() < sure else chance.choice(keys),
        confidence=sure,
        raw_score=sure,
        margin=sure / 2,
        scores=[],
        explanation="",
        evidence=[],
        is_truncated=False,
        is_audit=chance.random() < 0.3,
    )


def go_on(project: Project, people: Sequence[Reviewer], manager: User, chance: random.Random, *, steps: int) -> None:
    """So many things that people do, one after the other, whatever the program lets them do."""
    for _ in range(steps):
        text = chance.choice(list(project.texts.select_related("current_label")))
        try:
            _step(chance.choice(STEPS), text, chance.choice(people), manager, chance)
        except (Conflict, WrongDecision, NothingToUndo):
            continue  # as people are told that somebody was first


def _step(what: str, text: Text, reviewer: Reviewer, manager: User, chance: random.Random) -> None:
    if what == "undo":
        undoing.undo(reviewer)
    elif what == "adjudicate":
        if text.status == TextStatus.FLAGGED:
            adjudication.adjudicate(manager, text.pk, category_id=_right(text, chance).pk)
    elif what in ("skip", "flag"):
        decisions.record(reviewer, text.pk, Decision(Action(what), label_id=_label_of(text)))
    else:
        decisions.record(reviewer, text.pk, _decision(text, chance))


def _decision(text: Text, chance: random.Random) -> Decision:
    seconds = round(chance.uniform(1, 20), 2) if chance.random() < 0.9 else None
    category = _right(text, chance)
    if text.is_audit or text.is_gold:
        return Decision(Action.DECIDE, category_id=category.pk, seconds_spent=seconds)
    shown = text.current_label
    if shown is not None and shown.category_id == category.pk:
        return Decision(Action.APPROVE, label_id=shown.pk, seconds_spent=seconds)
    action = chance.choice([Action.REJECT, Action.MODIFY])
    return Decision(action, label_id=_label_of(text), category_id=category.pk, seconds_spent=seconds)


def _right(text: Text, chance: random.Random) -> Category:
    """What is right about the text, as people find out nearly always."""
    categories = text.project.active_categories()
    return categories[text.pk % len(categories)] if chance.random() < 0.9 else chance.choice(categories)


def _label_of(text: Text) -> int | None:
    return text.current_label_id


def reviews_of(project: Project) -> int:
    return Review.objects.filter(text__project=project).count()
