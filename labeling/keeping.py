"""Answers for somebody who waits, kept if wanted: the text and its label as a run would have written them."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from labeling import annotations, importing, priorities, rescoring, runs
from labeling.annotations import Maker, Prediction
from labeling.answering import Answerer
from labeling.choices import LABELABLE, TextStatus
from labeling.drafts import Draft
from labeling.models import Category, Project, Text
from labeling.providers.base import ProviderError

DECIDED = "A person has decided this text: that stays, and this answer is not stored."
SAME = "The text has this label already."


@dataclass(frozen=True)
class Kept:
    """What became of a text that was answered. `label_id`: the label that says so, if it is stored."""

    text_id: int
    status: str
    label_id: int | None
    note: str = ""


class Locked(NamedTuple):
    """A text as it is, and stays until the transaction ends."""

    pk: int
    content_hash: str
    status: str
    reviewed_at: datetime | None
    current_label_id: int | None


@dataclass(frozen=True)
class Answered:
    """What a project's model said of a text, and what became of that, if anything. `seconds`: of the whole request."""

    project: Project
    categories: Sequence[Category]
    maker: Maker
    draft: Draft
    said: Prediction
    seconds: float
    kept: Kept | None = None


def answer(
    project: Project,
    drafts: Sequence[Draft],
    *,
    provider: str = "",
    store: bool = True,
    remember: bool = False,
    to_review: bool = False,
) -> list[Answered | ProviderError]:
    """What the model says of each text, or why it could not.

    With `store` texts and labels are written; else with `remember` only what the model made of the words, so that it
    says the same when it is asked again. Raises Archived, NoActiveCategories, Busy, NoLongerActive (one of the answers
    cannot be stored), or ProviderError as `Answerer.label` does: of several texts whose errors may pass each has its
    own, even when all failed.
    """
    runs.refuse_archived(project)
    begun = time.perf_counter()
    answerer = Answerer(project, provider=provider)
    share = project.audit_share if store else 0.0
    said = answerer.label([draft.content for draft in drafts], audit_share=share)
    pairs = [(draft, one) for draft, one in zip(drafts, said, strict=True) if isinstance(one, Prediction)]
    kept = keep(answerer, pairs, to_review=to_review) if store and pairs else {}
    if remember and not store:
        answerer.keep()
    seconds = time.perf_counter() - begun
    return [
        Answered(project, answerer.categories, answerer.maker, draft, one, seconds, kept.get(draft.content_hash))
        if isinstance(one, Prediction)
        else one
        for draft, one in zip(drafts, said, strict=True)
    ]


@transaction.atomic
def keep(
    answerer: Answerer, answers: Sequence[tuple[Draft, Prediction]], *, to_review: bool = False
) -> dict[str, Kept]:
    """Store each text once and let its answer hold, by content hash. With `to_review` people see it first, however
    sure the model is.

    A text that a person decided keeps that decision. One that has this label already gets no other.
    """
    answerer.keep()
    texts, are_new = _lock(answerer.project, [draft for draft, _ in answers])
    maker = replace(answerer.maker, threshold=math.inf) if to_review else answerer.maker
    open_to_models = {text.pk for text in texts.values() if text.status in LABELABLE and text.reviewed_at is None}
    answered = [(texts[draft.content_hash], one) for draft, one in answers]
    said = {text.pk: _about(text, one, to_review) for text, one in answered}
    free = [one for pk, one in said.items() if pk in open_to_models]
    new, same = (free, []) if are_new else rescoring.split(free, maker.threshold)
    labels = annotations.record_answers(maker, new, are_new=are_new) if new else {}
    routes = {one.text_id: maker.route(one.confidence) for one in new}
    unchanged = {one.text_id for one in same}
    return {key: _kept(text, labels, routes, unchanged) for key, text in texts.items()}


def _lock(project: Project, drafts: Sequence[Draft]) -> tuple[dict[str, Locked], bool]:
    """The texts, by content hash, stored where they were not, and locked: of two equal requests one is first.

    And whether all of them were stored now.
    """
    added = importing.add(project, drafts)
    hashes = {draft.content_hash for draft in drafts}
    rows = Text.objects.select_for_update().filter(project_id=project.pk, content_hash__in=hashes).order_by("pk")
    texts = (Locked(*values) for values in rows.values_list(*Locked._fields))
    return {text.content_hash: text for text in texts}, added == len(hashes)


def _about(text: Locked, said: Prediction, to_review: bool) -> Prediction:
    return replace(said, text_id=text.pk, urgency=priorities.MOST if to_review else said.urgency)


def _kept(text: Locked, labels: Mapping[int, int], routes: Mapping[int, TextStatus], unchanged: set[int]) -> Kept:
    if text.pk in labels:
        return Kept(text.pk, routes[text.pk], labels[text.pk])
    if text.pk in unchanged:
        return Kept(text.pk, text.status, text.current_label_id, SAME)
    return Kept(text.pk, text.status, None, DECIDED)
