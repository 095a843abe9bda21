"""A whole campaign: 20,000 texts, a reviewer who errs, a budget of 5 % wrong labels: the reviews and hours it takes.

    python benchmarks/campaign.py [DATASET ...] [--data FOLDER] [--mistakes 0.05] [--seconds 6] [--quick]

The texts are a set's train and test texts, repeated up to 20,000 with noise on the copies' vectors: a copy is as far
from its original as the set's texts are from their nearest neighbours (the median). The reviewer names another
category, at random, in a share `--mistakes` of the texts, and takes `--seconds` for each. Four plans:

- `by hand`: every text is reviewed.
- `zero-shot`: an audit of 400, one look at what it proves for the untaught head, then all below the threshold.
- `learning`: an audit of 400, then the most doubtful texts, learning as the program does (every 25 reviews, or, to save
  time, every quarter more). A look at 1,000 reviews and one at 4,000, each of which spends its part of the level. When
  what is left below the threshold proven at 1,000 is no more than the reviews until the next look, it is reviewed, and
  that is the end.
- `careful audit`: as `learning`, but two people decide each audited text, and a third where they differ.

`broken`: more machine labels are wrong than the budget allows, in truth; `wrong`: of all labels delivered, those of the
reviewer included, the share that is wrong. The last line printed is one JSON object with all figures.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee

import numpy as np
from data_sets import DataSet, Rows, Stopwatch, Vectors, add_arguments, read_all
from numpy.typing import NDArray
from reviewing import EVERY, by_margin, weights_of

from labeling.learning import learned, risk, zero_shot
from labeling.learning.classifier import LinearHead
from labeling.learning.risk import Promise

TEXTS, QUICK_TEXTS = 20_000, 1_000
SEEDS, QUICK_SEEDS = 3, 1
AUDITS, QUICK_AUDITS = 400, 100
LOOKS, QUICK_LOOKS = (
    (1_000, 4_000),
    (100, 200),
)  # reviews besides the audit; more looks would be stricter
GROWTH = 0.25  # learning again after so large a share of the reviews, and after EVERY at least
POOL = 5_000
BUDGET, DELTA = 0.05, 0.05
AVERAGED = ("accuracy", "reviews", "looks", "coverage", "wrong")
COLUMNS = ("plan", "accuracy", "reviews", "hours", "least", "most", "looks", "coverage", "broken", "campaigns", "wrong")

Answers = NDArray[np.int64]
Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Campaign:
    """All texts (n, dim), what is true of them (n,), what the reviewer says (n,), and the head to begin with."""

    vectors: Vectors
    truth: Answers
    answers: Answers
    prior: LinearHead

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True, eq=False)
class Audit:
    """The rows of a random sample (m,), what people said of them (m,), and how many reviews that took."""

    rows: Rows
    answers: Answers
    reviews: int


@dataclass(frozen=True, eq=False)
class State:
    """For each text (n,): the machine's confidence and answer, those that it had when people decided the text."""

    confidence: Scores
    machine: Answers
    settled: Flags  # outside of the audit


@dataclass(frozen=True)
class Outcome:
    """What a plan came to: `accuracy` of the head on texts the queue left, `coverage` what it labeled unseen."""

    plan: str
    accuracy: float
    reviews: int
    looks: int
    coverage: float
    broken: bool
    wrong: float


def main() -> None:
    arguments = parse_arguments()
    watch = Stopwatch()
    size, seeds, audits = (QUICK_TEXTS, QUICK_SEEDS, QUICK_AUDITS) if arguments.quick else (TEXTS, SEEDS, AUDITS)
    results = []
    for data in read_all(arguments):
        outcomes: dict[str, list[Outcome]] = defaultdict(list)
        for seed in range(seeds):
            for outcome in carry_out(data, size, audits, arguments.mistakes, seed):
                outcomes[outcome.plan].append(outcome)
        rows = [summarized(each, arguments.seconds) for each in outcomes.values()]
        print_table(data.name, rows)
        results += [{"set": data.name} | row for row in rows]
    means = [
        mean_row([row for row in results if row["plan"] == plan]) for plan in dict.fromkeys(r["plan"] for r in results)
    ]
    print_table("mean of the sets", means)
    settings = {"texts": size, "seeds": seeds, "audits": audits, "mistakes": arguments.mistakes, "budget": BUDGET}
    print(json.dumps(settings | {"rows": results, "mean": means} | watch.read()))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Reviews and hours until an error budget holds.")
    add_arguments(parser)
    parser.add_argument("--mistakes", type=float, default=0.05, help="share of the texts that the reviewer gets wrong")
    parser.add_argument("--seconds", type=float, default=6.0, help="that a review takes")
    return parser.parse_args()


# --- Texts and reviewers ----------------------------------------------------------------------------------------------


def carry_out(data: DataSet, size: int, audits: int, mistakes: float, seed: int) -> Iterator[Outcome]:
    """The four plans on the same texts, with the same audit and the same mistakes."""
    rng = np.random.default_rng(seed)
    vectors, truth = repeated(
        np.concatenate([data.vectors, data.test_vectors]), np.concatenate([data.labels, data.test_labels]), size, rng
    )
    n_categories = data.prior.n_categories
    prior = zero_shot.fit(data.words, vectors[: zero_shot.pool_sample_size(n_categories)]).head
    first, second, third = (with_mistakes(truth, mistakes, n_categories, rng) for _ in range(3))
    texts = Campaign(vectors, truth, first, prior)
    rows = rng.choice(size, audits, replace=False)
    audit = Audit(rows, first[rows], audits)
    differ = first[rows] != second[rows]
    careful = Audit(rows, np.where(differ, third[rows], first[rows]), 2 * audits + int(differ.sum()))
    yield Outcome("by hand", 0.0, size, 0, 0.0, False, float(np.mean(first != truth)))
    yield zero_shot_only(texts, audit)
    states, same_states = tee(taught(texts, audit))
    yield with_learning("learning", texts, audit, states)
    yield with_learning("careful audit", texts, careful, same_states)


def repeated(vectors: Vectors, labels: Answers, size: int, rng: np.random.Generator) -> tuple[Vectors, Answers]:
    """`size` texts in random order: the set, then noisy copies of it."""
    order = np.concatenate([rng.permutation(len(vectors)) for _ in range(-(-size // len(vectors)))])[:size]
    copies = vectors[order[len(vectors) :]]
    found = vectors[order]
    if len(copies):
        likeness = nearest_likeness(vectors, rng)
        noise = rng.standard_normal(copies.shape)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        noisy = likeness * copies + np.sqrt(1 - likeness**2) * noise
        found[len(vectors) :] = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    mixed = rng.permutation(size)
    return found[mixed], labels[order][mixed]


def nearest_likeness(vectors: Vectors, rng: np.random.Generator, sample: int = 500) -> float:
    """The median cosine of a text to its nearest neighbour."""
    some = rng.choice(len(vectors), min(sample, len(vectors)), replace=False)
    cosines = vectors[some] @ vectors.T
    cosines[np.arange(len(some)), some] = -1
    return float(np.median(cosines.max(axis=1)))


def with_mistakes(truth: Answers, share: float, n_categories: int, rng: np.random.Generator) -> Answers:
    other = (truth + rng.integers(1, n_categories, len(truth))) % n_categories
    return np.where(rng.random(len(truth)) < share, other, truth)


# --- Plans ------------------------------------------------------------------------------------------------------------


def zero_shot_only(texts: Campaign, audit: Audit) -> Outcome:
    state = State(*predict(texts.prior, texts.vectors), np.zeros(len(texts), dtype=bool))
    return delivered("zero-shot", texts, audit, state, proven_threshold(audit, state, look=1), looks=1)


def with_learning(plan: str, texts: Campaign, audit: Audit, states: Iterable[State]) -> Outcome:
    """Look at the audit at each state in turn, until what is left is no more than the reviews until the next look."""
    looks = looks_at(texts, audit)
    for look, state in enumerate(states, start=1):
        outcome = delivered(plan, texts, audit, state, proven_threshold(audit, state, look), look)
        left = outcome.reviews - audit.reviews - looks[look - 1]
        if look < len(looks) and left <= looks[look] - looks[look - 1]:
            break
    return outcome


def looks_at(texts: Campaign, audit: Audit) -> list[int]:
    looks = LOOKS if len(texts) >= TEXTS else QUICK_LOOKS
    return [look for look in looks if look < len(texts) - len(audit.rows)]


def taught(texts: Campaign, audit: Audit) -> Iterator[State]:
    """The state after each number of reviews in `looks_at`."""
    is_audit = np.isin(np.arange(len(texts)), audit.rows)
    state = State(*predict(texts.prior, texts.vectors), np.zeros(len(texts), dtype=bool))
    head, rows = texts.prior, np.empty(0, dtype=np.int64)
    for stop in looks_at(texts, audit):
        while len(rows) < stop:
            is_open = np.flatnonzero(~is_audit & ~state.settled)
            count = min(max(EVERY, int(GROWTH * len(rows))), stop - len(rows))
            rows = np.concatenate([rows, is_open[by_margin(head, texts.vectors[is_open], count)]])
            head = learn(texts, rows)
            state = relabeled(texts, state, head, rows)
        yield state


def learn(texts: Campaign, rows: Rows) -> LinearHead:
    pool = texts.vectors[:POOL]
    weights = weights_of(texts.vectors[rows], texts.prior, pool)
    return learned.fit(texts.vectors[rows], texts.answers[rows], texts.prior, weights=weights, pool=pool).head


def predict(head: LinearHead, vectors: Vectors) -> tuple[Scores, Answers]:
    probabilities = head.probabilities(vectors)
    return probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1)


def relabeled(texts: Campaign, before: State, head: LinearHead, rows: Rows) -> State:
    """The new head's answers, except where people have decided."""
    settled = np.zeros(len(texts), dtype=bool)
    settled[rows] = True
    confidence, machine = predict(head, texts.vectors)
    return State(np.where(settled, before.confidence, confidence), np.where(settled, before.machine, machine), settled)


def proven_threshold(audit: Audit, state: State, look: int) -> float:
    """Infinite when nothing is proven."""
    verdict = risk.certify(
        state.confidence,
        state.confidence[audit.rows],
        state.machine[audit.rows] != audit.answers,
        promise=Promise.DATASET,
        budget=BUDGET,
        level=risk.level_of_look(DELTA, look),
        settled_confidence=state.confidence[state.settled],
    )
    return verdict.accepted.threshold if verdict.accepted else np.inf


def delivered(plan: str, texts: Campaign, audit: Audit, state: State, threshold: float, looks: int) -> Outcome:
    """What comes out when people decide all that is left below the threshold."""
    labels = texts.answers.copy()
    labels[audit.rows] = audit.answers
    is_audit = np.isin(np.arange(len(texts)), audit.rows)
    accepted = ~is_audit & ~state.settled & (state.confidence >= threshold)
    labels[accepted] = state.machine[accepted]
    wrong = labels != texts.truth
    return Outcome(
        plan=plan,
        accuracy=float(np.mean(state.machine[~state.settled] == texts.truth[~state.settled])),
        reviews=audit.reviews + int(np.sum(~is_audit & ~accepted)),
        looks=looks,
        coverage=float(np.mean(accepted)),
        broken=int(np.sum(accepted & wrong)) > risk.may_be_wrong(BUDGET, len(texts)),
        wrong=float(np.mean(wrong)),
    )


# --- Figures ----------------------------------------------------------------------------------------------------------


def summarized(outcomes: list[Outcome], seconds: float) -> dict:
    """Means over the seeds; `least` and `most` are numbers of reviews, `broken` of `campaigns` is a count."""
    reviews = [each.reviews for each in outcomes]
    means = {name: round(float(np.mean([getattr(each, name) for each in outcomes])), 4) for name in AVERAGED}
    return {
        "plan": outcomes[0].plan,
        **means,
        "hours": round(float(np.mean(reviews)) * seconds / 3600, 2),
        "least": min(reviews),
        "most": max(reviews),
        "broken": sum(each.broken for each in outcomes),
        "campaigns": len(outcomes),
    }


def mean_row(rows: list[dict]) -> dict:
    row = {name: round(float(np.mean([one[name] for one in rows])), 4) for name in (*AVERAGED, "hours")}
    extremes = {"least": min(one["least"] for one in rows), "most": max(one["most"] for one in rows)}
    return (
        {"plan": rows[0]["plan"]} | row | extremes | {k: sum(one[k] for one in rows) for k in ("broken", "campaigns")}
    )


def print_table(title: str, rows: list[dict]) -> None:
    print(f"\n{title}\n", *(f"{column:>13}" for column in COLUMNS))
    for row in rows:
        print(" ", *(f"{row[column]:>13}" for column in COLUMNS), flush=True)


if __name__ == "__main__":
    main()
