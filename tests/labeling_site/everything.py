"""A project with a row of each kind that the API serves."""

from typing import Any

from django.contrib.auth.models import User

from labeling import api_keys, runs
from labeling.choices import ClassifierKind, LabelOrigin, TextStatus
from labeling.models import Certificate, Classifier, ExportRecord, ImportRecord, Label, Project, Text
from labeling.normalizing import content_hash
from reviews.models import Action, Assignment, Review, Reviewer

MARK = "Zanzibar"  # stands in all that is of the project

Cast = dict[type, Any]


def reviewing_boss(project: Project) -> User:
    """May do everything, and reviews."""
    user = User.objects.create_superuser("boss")
    reviewer = Reviewer.objects.create(user=user)
    reviewer.projects.set([project, Project.objects.get(name="Default")])
    return user


def everything(boss: User, project: Project) -> Cast:
    """The rows by their kind."""
    project.name = f"News of {MARK}"
    project.save()
    content = f"Rain over {MARK}."
    text = Text.objects.create(project=project, content=content, content_hash=content_hash(content))
    run = runs.start(project)
    runs.cancel(run)
    category = project.categories.get(name="Weather")
    label = Label.objects.create(
        text=text, version=1, category=category, origin=LabelOrigin.MODEL, confidence=0.6, explanation=MARK
    )
    Text.objects.filter(pk=text.pk).update(status=TextStatus.NEEDS_REVIEW, current_label=label)
    reviewer = boss.reviewer
    skipped = {"action": Action.SKIP, "status_before": TextStatus.NEEDS_REVIEW, "content_hash": "", "comment": MARK}
    classifier = {"kind": ClassifierKind.LEARNED, "category_ids": [category.pk], "category_hash": "", "weights": b""}
    rows = [
        project,
        category,
        Text.objects.get(pk=text.pk),
        label,
        run,
        Review.objects.create(text=text, reviewer=reviewer, label=label, **skipped),
        Assignment.objects.create(text=text, reviewer=reviewer, reason="uncertain"),
        Classifier.objects.create(project=project, version=1, model_name=MARK, model_fingerprint="", **classifier),
        certificate(project),
        ImportRecord.objects.create(project=project, file_name=f"{MARK}.csv", file_format="csv"),
        ExportRecord.objects.create(project=project, file_format="csv", only="all"),
        reviewer,
        api_keys.make(boss, name=MARK, scopes=["read"], projects=[project])[0],
    ]
    return {type(row): row for row in rows}


def certificate(project: Project) -> Certificate:
    counts = dict.fromkeys(("labels", "population", "audited", "wrong", "left_for_people", "pool_size"), 0)
    shares = {"budget": 0.05, "delta": 0.05, "level": 0.05, "upper_bound": 1.0, "coverage": 0.0}
    hashes = {"category_hash": "", "audit_hash": ""}
    return Certificate.objects.create(
        project=project, promise="dataset", look=1, newest_label_id=0, **hashes, **counts, **shares
    )
