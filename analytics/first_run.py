"""The way of a project from nothing to a proven export, step by step, and which step is next."""

from dataclasses import dataclass

from django.urls import reverse

from labeling.models import Project


@dataclass(frozen=True)
class Step:
    """One step: whether it is done, and the button that leads to it. `hint` says what it is good for."""

    title: str
    hint: str
    button: str
    link: str
    is_done: bool = False
    is_next: bool = False


@dataclass(frozen=True)
class Facts:
    """What has happened in a project, as far as the steps ask."""

    categories: int
    texts: int
    labeled: int
    reviewed: int
    is_certified: bool
    is_exported: bool


def steps(project: Project, facts: Facts) -> tuple[Step, ...]:
    """All steps in their order. The next is the first that is not done: later ones may be done before it."""
    done = (
        True,
        facts.categories > 1,
        facts.texts > 0,
        facts.labeled > 0,
        facts.reviewed > 0,
        facts.is_certified,
        facts.is_exported,
    )
    following = done.index(False) if False in done else None
    return tuple(
        Step(*words, is_done=is_done, is_next=place == following)
        for place, (words, is_done) in enumerate(zip(_steps(project), done, strict=True))
    )


def _steps(project: Project) -> list[tuple[str, str, str, str]]:
    pk = project.pk
    edit = reverse("admin:labeling_project_change", args=[pk])
    return [
        ("Create a project", "", "Projects", reverse("admin:labeling_project_changelist")),
        ("Add categories", "Two or more, each with a sentence that says what belongs there.", "Add categories", edit),
        ("Import texts", "A file or pasted lines. What is there already is counted once.", "Import", edit),
        ("Label", "The machine labels all texts in the background.", "Label", edit),
        ("Review", "Decide what the machine is unsure of, and the blind audit.", "Review", _review(pk)),
        ("Certify", "Prove how many labels are wrong at most.", "Error budget", reverse("budget:page", args=[pk])),
        ("Export", "Texts and labels with where they came from.", "Export", edit),
    ]


def _review(project_id: int) -> str:
    return f"{reverse('review')}?project={project_id}"
