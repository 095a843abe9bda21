"""Finds the rows that a request of the API names. All raise DRF's own errors."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from labeling.lookups import Row, by_name_or_id
from labeling.models import ApiKey, Category, Label, Project, Text
from reviews.access import NoReviewer
from reviews.models import Reviewer

MOST_NAMES = 30


def find_category(project: Project, reference: str | int) -> Category:
    """A category of the project. A number is always an id, although names may be numbers, such as 1 to 5 stars."""
    categories = project.categories.all()
    if isinstance(reference, int):
        found = categories.filter(pk=reference).first()
    else:
        found = by_name_or_id(categories, reference)
    if found is None:
        known = ", ".join(category.name for category in project.shown_categories()[:MOST_NAMES])
        raise ValidationError({"category": [f"There is no category '{reference}'. Categories: {known}."]})
    return found


def find_text(request: Request, wanted: Mapping[str, Any]) -> Text:
    """The text that a decision is about: by `text_id`, or by the `label_id` that was judged."""
    if "text_id" in wanted:
        texts = within_key(request, Text.objects.select_related("project"))
        if text := texts.filter(pk=wanted["text_id"]).first():
            return text
        raise NotFound(f"There is no text {wanted['text_id']}.")
    labels = within_key(request, Label.objects.select_related("text__project"), "text__project")
    if label := labels.filter(pk=wanted["label_id"]).first():
        return label.text
    raise NotFound(f"There is no label {wanted['label_id']}.")


def within_key(request: Request, rows: QuerySet[Row], path: str = "project") -> QuerySet[Row]:
    """The rows that the request's API key may touch, where it is bound to projects.

    Whether the user is a member of the project is asked afterwards, and answered with a reason.
    """
    key = request.auth
    return rows.filter(**{f"{path}__in": key.projects.all()}) if isinstance(key, ApiKey) and key.is_bound else rows


def on_desk(request: Request, reviewer: Reviewer, text_ids: list[int] | None) -> list[int] | None:
    """The texts that a request may take off the desk, or keep there; None for all."""
    key = request.auth
    if not (isinstance(key, ApiKey) and key.is_bound):
        return text_ids
    mine = within_key(request, reviewer.assignments.all(), "text__project").values_list("text_id", flat=True)
    return list(mine if text_ids is None else mine.filter(text_id__in=text_ids))


def profile_of(user: AbstractBaseUser | AnonymousUser) -> Reviewer:
    """The user's own profile, for what concerns the desk and no project."""
    if isinstance(user, User) and user.has_perm("reviews.add_review"):
        reviewer = Reviewer.objects.filter(user=user, is_active=True).first()
        if reviewer is not None:
            return reviewer
    raise NoReviewer("You are not a reviewer. Ask a manager to add you.")
