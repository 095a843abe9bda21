"""What is said before something of the error budget is changed: in words, so that a person can say yes or no."""

from dataclasses import dataclass, field
from typing import Any

from analytics.wording import number, percent
from labeling import audits, certification, planning
from labeling.learning import risk
from labeling.learning.risk import Promise
from labeling.models import Certificate, Project

OF_WHAT = {
    Promise.DATASET: "of all labels of this dataset, once people have decided the texts below the threshold",
    Promise.PRECISION: "of the labels that the machine gave and nobody has looked at",
}


@dataclass(frozen=True)
class Question:
    """`fields` are sent along with the yes. A `warning` is about something that is better done first."""

    title: str
    sentences: tuple[str, ...]
    button: str
    warning: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def about_draw(project: Project, *, size: int) -> Question:
    undecided, _ = audits.undecided(project)
    return Question(
        title=f"Draw {number(size)} more audit {'text' if size == 1 else 'texts'}?",
        sentences=(
            f"They are drawn at random from the {number(undecided)} texts that are neither decided nor in the audit.",
            "People decide them blind, without what the machine said, and the machine does not learn from them.",
            "A text that is drawn stays in the audit.",
        ),
        button=f"Draw {number(size)}",
        fields={"size": size},
    )


def about_certify(project: Project, *, promise: str, budget: float, confidence: float) -> Question:
    """Says the number of the look and what it spends before anybody has looked."""
    look, level = planning.next_level(project, confidence=confidence)
    doubt, shown = round(1 - confidence, 10), percent(level, digits=2)
    following = risk.level_of_look(doubt, look + 1)
    _, waiting = audits.undecided(project)
    return Question(
        title=f"Look at the audit, for at most {percent(budget)} wrong?",
        sentences=(
            f"The question, with {percent(confidence)} confidence: are at most {percent(budget)} wrong "
            f"{OF_WHAT[Promise(promise)]}?",
            f"This is look number {look} at this audit. It spends {shown} of the {percent(doubt)} doubt that is "
            f"allowed, whatever comes out; the next one will spend {percent(following, digits=2)}.",
            "The answer is kept as a certificate and never changed. It moves no label before you put it to use.",
        ),
        button=f"Look, and spend {shown}",
        warning=f"{number(waiting)} audit texts are not decided yet. Those that were passed over count as wrong, and "
        "with all of them this look would prove more: let people decide them first."
        if waiting
        else "",
        fields={
            "promise": promise,
            "budget": _plain(100 * budget),
            "confidence": round(100 * confidence),
            "look": look,
        },
    )


def about_apply(certificate: Certificate) -> Question:
    """Raises CertificateEnded for one that proves nothing."""
    accepted, held_back = certification.would_move(certificate)
    project = certificate.project
    return Question(
        title="Put this certificate to use?",
        sentences=(
            certificate.sentence,
            f"The project's threshold goes from {project.threshold:.3f} to {certificate.threshold:.3f}.",
            f"{number(accepted)} texts that wait for people are accepted, and {number(held_back)} accepted ones wait "
            "for people again. What people have decided stays.",
            "While it is in use, the machine does not learn by itself: new labels would end the certificate.",
        ),
        button="Put it to use",
    )


def about_unapply(certificate: Certificate) -> Question:
    """Raises NotInUse."""
    use = certification.use_in_force(certificate.project)
    if use is None or use.certificate_id != certificate.pk:
        raise certification.NotInUse("This certificate's threshold is not in force.")
    return Question(
        title="Take this certificate back?",
        sentences=(
            f"The project's threshold goes back from {certificate.threshold:.3f} to {use.previous_threshold:.3f}.",
            f"{number(len(use.accepted_ids))} texts wait for people again, and {number(len(use.held_back_ids))} are "
            "accepted again, except those that somebody has decided since.",
            "The certificate stays, and can be put to use again while it holds.",
        ),
        button="Take it back",
    )


def _plain(value: float) -> str:
    return f"{value:.6g}"
