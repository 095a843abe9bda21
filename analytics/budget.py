"""The error budget of a project as people read it: what it costs, what is missing, what has been proven. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.cache import cache
from django.urls import reverse

from analytics import pace, quality
from analytics.agreement import Estimate
from analytics.pace import Pace
from analytics.remembering import remembered
from analytics.wording import duration, number, percent
from labeling import certification, planning
from labeling.choices import TextStatus
from labeling.models import Certificate, CertificateUse, Project
from labeling.planning import Plan, PlanRow
from labeling.wording import have, texts

LISTED = 10  # certificates on the page

# --- What it will cost ------------------------------------------------------------------------------------------------


def outlook(project: Project) -> dict[str, Any]:
    """The plan, the pace and the human error as JSON, as they are now or were some seconds ago."""
    return remembered(f"analytics.outlook.{project.pk}", lambda: _reckon(project))


def forget(project: Project) -> None:
    """What was reckoned is old: something was changed by hand."""
    cache.delete_many([f"analytics.outlook.{project.pk}", proof_key(project.pk)])


def proof_key(project_id: int) -> str:
    """Under which the start page keeps what it says of the budget."""
    return f"analytics.dashboard.{project_id}"


def _reckon(project: Project) -> dict[str, Any]:
    speed = pace.of_project(project)
    plan = planning.plan(project, seconds_per_text=speed.seconds)
    undecided = certification.still_undecided(project)
    return {
        "texts": plan.texts,
        "open_texts": plan.open_texts,
        "audits": plan.audits,
        "audits_waiting": plan.waiting,
        "look": plan.look,
        "level": plan.level,
        "is_sampled": plan.is_sampled,
        "note": plan.note,
        "seconds_per_text": speed.seconds,
        "pace": pace_in_words(speed),
        "rows": [row_in_words(row, plan, speed) for row in plan.rows],
        "missing": missing(project, plan),
        "undecided": undecided,
        "undecided_words": undecided_in_words(undecided),
        "human": human_error(quality.disagreement(quality.audit_answers_of(project))),
    }


def row_in_words(row: PlanRow, plan: Plan, speed: Pace) -> dict[str, Any]:
    """What one budget costs: the numbers for programs, and the same in words for people."""
    is_possible = row.threshold is not None
    return {
        "budget": row.budget,
        "percent": percent(row.budget),
        "to_review": row.to_review,
        "low": row.low,
        "high": row.high,
        "seconds": row.seconds,
        "threshold": row.threshold,
        "more_audits": row.more_audits,
        "is_possible": is_possible,
        "note": row.note,
        "texts": f"about {number(row.to_review)}" if is_possible else f"all {number(row.to_review)}",
        "share": percent(row.to_review / plan.texts) if plan.texts else "",
        "interval": f"{number(row.low)} to {number(row.high)}" if row.low < row.high else "",
        "time": duration(row.seconds),
        "time_interval": ""
        if speed.seconds is None or row.low == row.high
        else f"{duration(row.low * speed.seconds)} to {duration(row.high * speed.seconds)}",
    }


def pace_in_words(speed: Pace) -> str:
    if speed.seconds is None:
        return "No time has been measured yet: hours are shown once people decide at the desk."
    return f"{speed.seconds:.1f} seconds for a text, the median of the last {number(speed.decisions)} decisions."


def undecided_in_words(undecided: int) -> str:
    """The promise about a dataset speaks of the time when people have decided what is left to them."""
    if not undecided:
        return "People have decided all that was left to them."
    return (
        f"{texts(undecided)} still {'waits' if undecided == 1 else 'wait'} for people: the promise is whole after that."
    )


def human_error(differing: Estimate) -> dict[str, Any]:
    """How often two people differ on one blind audit text, beside what certificates say and not within."""
    if differing.value is None or differing.low is None or differing.high is None:
        words = "No audit text has been decided blind by two people yet, so human error is not measured."
        meaning = (
            'Certificates take what people decided as right. Set "reviews per text" of the project to 2 to measure how '
            "far that is so."
        )
        return {"texts": 0, "share": None, "low": None, "high": None, "words": words, "meaning": meaning}
    words = (
        f"On {percent(differing.value, digits=2)} of {number(differing.units)} audit texts that two people decided "
        f"blind they differ (95 % interval: {percent(differing.low, digits=2)} to {percent(differing.high, digits=2)})."
    )
    return {
        "texts": differing.units,
        "share": differing.value,
        "low": differing.low,
        "high": differing.high,
        "words": words,
        "meaning": "Where two people differ, at least one is wrong. No certificate counts this: it takes what people "
        "decided as right.",
    }


# --- What is missing --------------------------------------------------------------------------------------------------


def missing(project: Project, plan: Plan) -> list[dict[str, str]]:
    """What stands between the project and a promise: words, and where to do something about it."""
    unlabeled = project.texts.filter(status__in=(TextStatus.UNLABELED, TextStatus.FAILED)).count()
    found = []
    if unlabeled:
        words = f"{texts(unlabeled)} {have(unlabeled)} no label yet. Audits are drawn when all texts have one."
        found.append(_todo(words, "Label them", reverse("home")))
    if plan.waiting:
        words = f"{number(plan.waiting)} of {number(plan.audits)} audit texts wait to be decided, blind, at the desk."
        desk = reverse("reviews:desk", args=[project.pk])
        found.append(_todo(words, "Decide them", f"{desk}?only_audit=on"))
    if plan.note:
        found.append(_todo(plan.note))
    return found


def _todo(words: str, link_text: str = "", link: str = "") -> dict[str, str]:
    return {"words": words, "link_text": link_text, "link": link}


# --- What has been proven ---------------------------------------------------------------------------------------------


class Standing(StrEnum):
    """What has become of a certificate, in words as people read them."""

    NOTHING_PROVEN = "Nothing proven"
    ENDED = "Ended"
    IN_USE = "In use"
    NOT_IN_USE = "Holds, not in use"


@dataclass(frozen=True)
class Proof:
    """A certificate with what became of it: `ended` says why it proves nothing any more, `use` that it is applied."""

    certificate: Certificate
    ended: str | None
    use: CertificateUse | None = None

    @property
    def can_be_applied(self) -> bool:
        return self.certificate.is_granted and self.ended is None and self.use is None

    @property
    def standing(self) -> Standing:
        if not self.certificate.is_granted:
            return Standing.NOTHING_PROVEN
        if self.ended:
            return Standing.ENDED
        return Standing.IN_USE if self.use else Standing.NOT_IN_USE


def proof_of(certificate: Certificate) -> Proof:
    """One certificate with what became of it."""
    use = certification.use_in_force(certificate.project)
    is_used = use is not None and use.certificate_id == certificate.pk
    return Proof(certificate, certification.ended_reason(certificate), use if is_used else None)


def proofs(project: Project) -> list[Proof]:
    """The newest certificates of a project, newest first."""
    newest: Sequence[Certificate] = list(project.certificates.order_by("-pk")[:LISTED])
    use = certification.use_in_force(project)
    if use and use.certificate_id not in {certificate.pk for certificate in newest}:
        newest = [*newest, use.certificate]
    ended = certification.ended_reasons(project, newest)
    return [Proof(one, ended[one.pk], use if use and use.certificate_id == one.pk else None) for one in newest]


def what_is_needed(certificate: Certificate) -> str:
    """For a certificate that proves nothing: what would change that."""
    people = f"people decide all {number(certificate.left_for_people)} texts"
    more = certification.more_audits(certificate)
    if more is None:
        return (
            "Too many of the surest labels are wrong for this budget. Teach the machine by reviewing more, allow a "
            f"larger budget, or let {people}."
        )
    return f"If errors go on as they are, about {number(more)} more audit texts will prove it. Or {people}."
