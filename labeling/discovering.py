"""What a new category could be made of: texts that fit no category well, in groups, and a category made of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Left
from django.utils.text import Truncator
from numpy.typing import NDArray

from labeling import classifiers, embeddings, lessons, runs
from labeling.categories import add as add_category
from labeling.choices import UNDECIDED, ClassifierKind
from labeling.classifiers import Inputs
from labeling.models import Category, Classifier, Project
from labeling.queueing import queue

if TYPE_CHECKING:
    from labeling.learning import novelty

SAMPLE = 5_000  # texts of a project that are looked at, drawn at random: a second on a small machine
NEWEST = 5_000  # reviewed texts that say what the categories look like
READ = 1_000  # characters of a text in which words are counted
SHOWN = 6  # texts of a group
EXCERPT = 300
MOST_EXAMPLES = 5  # of a category
EXAMPLE = 200  # characters: an example stands beside the category's name, not for it

NOT_LABELED = "No model that compares texts has labeled this project with its categories as they are. Label it first."
NOTHING_OPEN = "Nothing to look at: no undecided text has a category of which people have decided texts."
NO_GROUP = "The texts that fit no category well are not like each other, or there are few of them."


class CentralText(NamedTuple):
    """A text of a group, as it is shown."""

    text_id: int
    excerpt: str


@dataclass(frozen=True)
class Group:
    """Texts that are like each other and fit no category: `count` of the sample, about `estimate` in the project."""

    count: int
    estimate: int
    words: tuple[str, ...]
    texts: tuple[CentralText, ...]  # the most central first

    @property
    def suggested_name(self) -> str:
        """To begin with: the group's first words."""
        return " ".join(self.words[:3]).capitalize()


@dataclass(frozen=True)
class Found:
    """The groups, largest first; without any, `note` says why.

    `looked_at` texts are the sample, of the `waiting` that nobody has decided. `unfamiliar` is the share of them that
    fits worse than 19 of 20 reviewed texts; about a twentieth is expected when nothing is new.
    """

    groups: tuple[Group, ...]
    looked_at: int
    waiting: int
    unfamiliar: float
    note: str

    @property
    def unfamiliar_percent(self) -> int:
        return round(100 * self.unfamiliar)


class _Text(NamedTuple):
    pk: int
    content_hash: str
    status: str
    category_id: int | None
    is_blind: bool
    beginning: str


def find(project: Project) -> Found:
    """Group the undecided texts of a random sample that fit no category. Needs cached vectors only, no model.

    Texts of the blind audit are left out: they judge, and must not become part of what they judge. So are those that a
    model gave a category of which nobody has decided a text yet: how well a text fits it is not known.
    """
    from labeling.learning import novelty  # here, because scikit-learn is 60 MB that a process at rest does not need

    categories = project.active_categories()
    prior = _prior(project, categories)
    if prior is None:
        return Found((), 0, 0, 0.0, NOT_LABELED)
    waiting = project.texts.filter(status__in=UNDECIDED).count()
    lesson = lessons.read(project, Inputs(prior.model_fingerprint), categories, most=NEWEST)
    if len(lesson.labels) < novelty.FEWEST_REVIEWED:
        note = f"Decide {novelty.FEWEST_REVIEWED} texts first: they show how well a text fits its category."
        return Found((), 0, waiting, 0.0, note)
    drawn = _drawn(project)
    known = {categories[place].pk for place in lesson.labels}
    texts, vectors = _with_vector([text for text in drawn if text.category_id in known], prior)
    if not texts:
        return Found((), 0, waiting, 0.0, NOTHING_OPEN)
    prototypes = classifiers.load_head(prior.pk).weights.T
    novel = novelty.find(vectors, [text.beginning for text in texts], lesson.vectors, lesson.labels, prototypes)
    groups = tuple(_group(group, texts, waiting / len(drawn)) for group in novel.groups)
    return Found(groups, len(texts), waiting, novel.unfamiliar, "" if groups else NO_GROUP)


def _group(group: "novelty.Group", texts: Sequence[_Text], texts_for_one: float) -> Group:
    """What a person needs to know of a group. Each text drawn stands for so many of the project."""
    central = [texts[row] for row in group.rows[:SHOWN]]
    return Group(
        count=len(group.rows),
        estimate=round(len(group.rows) * texts_for_one),
        words=group.words,
        texts=tuple(CentralText(text.pk, shortened(text.beginning, EXCERPT)) for text in central),
    )


@transaction.atomic
def create_category(project: Project, *, name: str, description: str = "", text_ids: Sequence[int] = ()) -> Category:
    """Add a category with these texts as its examples, and let the worker learn and label everything again.

    A new category ends the project's certificates. Raises WrongCategory, or RunInProgress while a run labels with the
    categories as they were.
    """
    if run := runs.unfinished(project):
        raise runs.RunInProgress(f"Run {run.pk} is labeling this project. Wait until it is finished, or cancel it.")
    category = add_category(project, name, description=description, examples=_examples(project, text_ids))
    queue("labeling.tasks.label_anew", project.pk)
    return category


def shortened(content: str, characters: int) -> str:
    """The beginning of a text in one line."""
    return Truncator(" ".join(content.split())).chars(characters)


def _examples(project: Project, text_ids: Sequence[int]) -> list[str]:
    texts = project.texts.filter(pk__in=text_ids, is_audit=False, is_gold=False).order_by("pk")
    beginnings = texts.annotate(beginning=Left("content", READ)).values_list("beginning", flat=True)
    return [shortened(beginning, EXAMPLE) for beginning in beginnings[:MOST_EXAMPLES]]


def _prior(project: Project, categories: Sequence[Category]) -> Classifier | None:
    """The newest head for these categories that no review has taught: its columns stand for the categories' words."""
    fitted = project.classifiers.filter(category_hash=classifiers.category_hash(categories)).defer("weights")
    return fitted.exclude(kind=ClassifierKind.LEARNED).order_by("-version").first()


def _drawn(project: Project) -> list[_Text]:
    """The undecided texts, but those decided blind, of the first by hash, which is a random order."""
    rows = project.texts.annotate(beginning=Left("content", READ), is_blind=Q(is_audit=True) | Q(is_gold=True))
    columns = ("pk", "content_hash", "status", "current_label__category_id", "is_blind", "beginning")
    texts = [_Text(*values) for values in rows.order_by("content_hash").values_list(*columns)[:SAMPLE]]
    return [text for text in texts if text.status in UNDECIDED and not text.is_blind]


def _with_vector(texts: Sequence[_Text], prior: Classifier) -> tuple[list[_Text], NDArray[np.float32]]:
    """Those that have a vector, and their vectors (n, dim)."""
    cached = embeddings.load((text.content_hash for text in texts), fingerprint=prior.model_fingerprint)
    known = [text for text in texts if text.content_hash in cached]
    return known, _stacked([cached[text.content_hash].vector for text in known])


def _stacked(vectors: list[NDArray[np.float16]]) -> NDArray[np.float32]:
    return np.array(vectors, dtype=np.float32).reshape(len(vectors), -1 if vectors else 0)
