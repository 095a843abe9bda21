"""The way of a project from nothing to a proven export, step by step, and which step is next."""

from dataclasses import dataclass, replace

from django.urls import reverse

from labeling.models import Project


@dataclass(frozen=True)
class Step:
    """One step: whether it is done, and the button that leads to it. `hint` says what it is good for."""

    title: str
    hint: str
    button: str
    link: str
    is_change: bool = False  # done by a click, not on a page of its own
    is_done: bool = False
    is_next: bool = False


@dataclass(frozen=True)
class Facts:
    """What has happened in a project, as far as the steps ask."""

    categories: int
    has_texts: bool
    is_labeled: bool
    is_reviewed: bool
    is_certified: bool


def steps(project: Project, facts: Facts) -> tuple[Step, ...]:
    """All steps in their order. The next is the first that is not done: later ones may be done before it.

    An export is asked for again and again, so the last step stays.
    """
    done = (
        True,
        facts.categories > 1,
        facts.has_texts,
        facts.is_labeled,
        facts.is_reviewed,
        facts.is_certified,
        False,
    )
    following = done.index(False)
    return tuple(
        replace(step, is_done=is_done, is_next=place == following)
        for place, (step, is_done) in enumerate(zip(_steps(project.pk), done, strict=True))
    )


def _steps(pk: int) -> list[Step]:
    def page(name: str) -> str:
        return reverse(name, args=[pk])

    return [
        Step("Create a project", "", "New project", reverse("projects:new")),
        Step(
            "Add categories",
            "Two or more, each with a sentence that says what belongs there.",
            "Add categories",
            page("projects:categories"),
        ),
        Step(
            "Import texts",
            "A file or pasted lines. What is there already is left out.",
            "Import",
            page("imports:upload"),
        ),
        Step(
            "Label", "The machine labels all texts in the background.", "Label", page("dashboard:label"), is_change=True
        ),
        Step(
            "Review",
            "Decide what the machine is unsure of, and the blind audit.",
            "Review",
            f"{reverse('review')}?project={pk}",
        ),
        Step("Certify", "Prove how many labels are wrong at most.", "Certify", page("budget:page")),
        Step("Export", "Texts and labels, with where they came from.", "Export", page("exports:page")),
    ]
