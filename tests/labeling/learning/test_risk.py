import math
from math import comb

import numpy as np
import pytest
from scipy.stats import hypergeom

from labeling.learning import risk
from labeling.learning.risk import Promise

RNG = 20_26


def test_the_p_value_is_the_hypergeometric_one_worked_by_hand() -> None:
    # 10 texts, budget 20 %: were 3 wrong, 5 draws without any of them have the chance C(7, 5) / C(10, 5).
    assert risk.p_value(0, 5, 10, 0.2) == pytest.approx(comb(7, 5) / comb(10, 5))
    one_or_none = (comb(7, 5) + comb(3, 1) * comb(7, 4)) / comb(10, 5)
    assert risk.p_value(1, 5, 10, 0.2) == pytest.approx(one_or_none)


@pytest.mark.parametrize("population", [1, 5, 12, 30])
def test_the_chance_of_so_few_is_counted_right(population: int) -> None:
    for audited in range(population + 1):
        for bad in range(population + 1):
            ways = [comb(bad, k) * comb(population - bad, audited - k) for k in range(audited + 1)]
            for wrong in range(-1, audited + 1):
                exact = sum(ways[: wrong + 1]) / comb(population, audited)
                assert risk.chance_of_so_few(wrong, audited, population, bad) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("population", [2_000, 1_000_000])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_the_chance_of_so_few_agrees_with_scipy(population: int, share: float) -> None:
    for audited in (60, 400, 1_999):
        for wrong in range(0, audited, 7):
            expected = hypergeom.cdf(wrong, population, int(share * population), audited)
            found = risk.chance_of_so_few(wrong, audited, population, int(share * population))
            assert found == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_nothing_audited_proves_nothing() -> None:
    assert risk.p_value(0, 0, 100, 0.05) == 1.0
    assert risk.upper_bound(0, 0, 100, 0.05) == 1.0


def test_everything_audited_proves_everything() -> None:
    assert risk.upper_bound(3, 100, 100, 0.05) == 0.03
    assert risk.p_value(5, 100, 100, 0.05) == 0.0
    assert risk.p_value(6, 100, 100, 0.05) == 1.0


@pytest.mark.parametrize(("budget", "size"), [(0.05, 59), (0.02, 149), (0.01, 299)])
def test_so_many_audits_without_an_error_are_needed(budget: float, size: int) -> None:
    assert risk.zero_error_size(budget, 0.05) == size
    assert risk.p_value(0, size, 10_000_000, budget) <= 0.05 < risk.p_value(0, size - 1, 10_000_000, budget)


@pytest.mark.parametrize("level", [0.05, 0.025, 0.3])
def test_the_upper_bound_is_the_exact_inverse_of_the_test(level: float) -> None:
    for population in (1, 7, 40):
        for audited in range(population + 1):
            for wrong in range(audited + 1):
                bound = risk.upper_bound(wrong, audited, population, level)
                for allowed in range(population):
                    budget = allowed / population
                    passes = risk.p_value(wrong, audited, population, budget) <= level
                    assert passes == (round(bound * population) <= allowed)


def test_what_the_audit_found_is_corrected_and_does_not_count() -> None:
    in_all = risk.most_wrong(3, 50, 100, 0.05)
    assert risk.passes(3, 50, 100, budget=(in_all - 3) / 100, level=0.05)
    assert not risk.passes(3, 50, 100, budget=(in_all - 4) / 100, level=0.05)


def test_one_error_more_is_never_easier_to_pass() -> None:
    left = [risk.most_wrong(k, 60, 400, 0.05) - k for k in range(61)]
    assert left == sorted(left)


def test_the_upper_bound_rises_with_errors_and_falls_with_audits() -> None:
    by_errors = [risk.upper_bound(k, 100, 5_000, 0.05) for k in range(20)]
    by_audits = [risk.upper_bound(2, n, 5_000, 0.05) for n in range(50, 1000, 50)]
    assert by_errors == sorted(by_errors)
    assert by_audits == sorted(by_audits, reverse=True)


def test_all_looks_together_spend_no_more_than_delta() -> None:
    levels = [risk.level_of_look(0.05, look) for look in range(1, 10_001)]
    assert levels[0] == 0.025
    assert 0.0499 < sum(levels) <= 0.05


def test_thresholds_cover_one_percent_after_the_other() -> None:
    pool = np.arange(200) / 200
    assert risk.thresholds(pool)[:2] == [198 / 200, 196 / 200]
    assert len(risk.thresholds(pool)) == 100
    assert risk.thresholds(pool)[-1] == 0.0


def test_texts_of_one_confidence_are_accepted_or_left_together() -> None:
    pool = np.array([0.9] * 60 + [0.5] * 40)
    assert risk.thresholds(np.sort(pool)) == [0.9, 0.5]
    verdict = certify(pool, pool[::2], np.zeros(50, dtype=bool))
    assert [step.coverage for step in verdict.steps] == [0.6, 1.0]


def certify(pool, confidence, wrong, *, promise=Promise.DATASET, budget=0.1, level=0.05, **options) -> risk.Verdict:
    return risk.certify(pool, confidence, wrong, promise=promise, budget=budget, level=level, **options)


def test_the_walk_stops_at_the_first_threshold_that_fails() -> None:
    pool = np.arange(1000) / 1000
    confidence = pool[::5]
    # Ten times wrong just below .8, nothing below that: looser thresholds would be no worse, and are not looked at.
    wrong = (confidence < 0.8) & (confidence >= 0.7)
    verdict = certify(pool, confidence, wrong)
    assert verdict.accepted is not None
    assert [step.passed for step in verdict.steps] == [True] * (len(verdict.steps) - 1) + [False]
    assert verdict.accepted == verdict.steps[-2]
    assert 0.7 < verdict.accepted.threshold < 0.8


def test_nothing_is_accepted_where_the_first_threshold_fails() -> None:
    pool = np.arange(1000) / 1000
    verdict = certify(pool, pool[::50], np.zeros(20, dtype=bool))
    assert verdict.accepted is None
    assert len(verdict.steps) == 1


def test_precision_begins_where_the_audits_can_suffice() -> None:
    pool = np.arange(10_000) / 10_000
    confidence = pool[::25]  # 400 audits; twice 36 are needed at 10 % and half of the level
    verdict = certify(pool, confidence, np.zeros(400, dtype=bool), promise=Promise.PRECISION)
    assert [step.coverage for step in verdict.steps] == [percent / 100 for percent in range(18, 101)]
    assert verdict.accepted is not None
    assert verdict.accepted.coverage == 1.0


def test_precision_gets_a_second_walk_when_the_first_ends_early() -> None:
    pool = np.arange(10_000) / 10_000
    confidence = pool[::25]
    wrong = confidence > 0.985  # 5 errors at the very top: too many among 72 audits, few among 144
    verdict = certify(pool, confidence, wrong, promise=Promise.PRECISION)
    assert [(step.coverage, step.passed) for step in verdict.steps[:2]] == [(0.18, False), (0.36, True)]
    assert verdict.accepted is not None
    assert verdict.accepted.coverage == 1.0


def test_precision_speaks_of_the_labels_that_nobody_looked_at() -> None:
    pool = np.arange(1000) / 1000
    settled = pool[1:500:2]
    verdict = certify(
        pool, pool[::10], np.zeros(100, dtype=bool), promise=Promise.PRECISION, settled_confidence=settled
    )
    assert verdict.steps[-1].labels == 1000 - 100 - 250


def test_what_was_found_and_not_corrected_counts() -> None:
    pool = np.arange(1000) / 1000
    confidence, wrong = pool[::5], pool[::5] < 0.4
    corrected, open_ = certify(pool, confidence, wrong), certify(pool, confidence, wrong, uncorrected=wrong)
    assert corrected.accepted is not None
    assert open_.accepted is not None
    assert corrected.accepted.threshold < open_.accepted.threshold


def test_a_smaller_dataset_may_hold_fewer_wrong_labels() -> None:
    pool, wrong = np.arange(1000) / 1000, np.zeros(100, dtype=bool)
    whole, part = certify(pool, pool[::10], wrong), certify(pool, pool[::10], wrong, delivered=100)
    assert whole.accepted is not None
    assert part.accepted is None


def test_an_audit_of_all_texts_fits() -> None:
    assert certify([0.1, 0.2], [0.1, 0.2], [0, 0], budget=0.5).accepted is not None


@pytest.mark.parametrize(
    ("audit", "wrong", "budget"), [([0.1], [], 0.1), ([np.nan], [0], 0.1), ([0.1], [0], 0.0), ([0.1] * 3, [0] * 3, 0.1)]
)
def test_what_does_not_fit_is_refused(audit: list[float], wrong: list[int], budget: float) -> None:
    with pytest.raises(ValueError, match=r"fit|finite|between"):
        certify([0.1, 0.2], audit, wrong, budget=budget)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_level_that_is_no_doubt_or_all_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between"):
        certify([0.1, 0.2], [0.1], [0], level=level)


def test_a_step_says_which_share_of_its_labels_may_be_wrong() -> None:
    pool = np.linspace(0.5, 1.0, 1000)
    verdict = certify(pool, pool[::5], np.zeros(200), budget=0.05)
    step = verdict.steps[-1]
    assert step.upper_bound == pytest.approx(risk.upper_bound(0, step.audited, step.population, 0.05))
    assert 0 < step.upper_bound <= 0.05


# --- The promise ------------------------------------------------------------------------------------------------------

DRAWS, DELTA = 1_000, 0.05
MOST_BROKEN = DELTA + 2 * np.sqrt(DELTA * (1 - DELTA) / DRAWS)


@pytest.fixture(scope="module")
def machine() -> tuple[np.ndarray, np.ndarray]:
    """1,500 texts: confidences, and which labels are wrong. Confidence says a good deal, and too much."""
    random = np.random.default_rng(RNG)
    confidence = np.round(random.beta(4, 1.2, 1_500), 3)
    return confidence, random.random(1_500) > confidence**0.7 * 0.99


@pytest.mark.parametrize("budget", [0.01, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("promise", Promise)
def test_the_promise_breaks_in_no_more_draws_than_said(machine, promise: Promise, budget: float) -> None:
    pool, wrong = machine
    random = np.random.default_rng(RNG)
    broken = 0
    for _ in range(DRAWS):
        audit = random.choice(len(pool), 300, replace=False)
        verdict = certify(pool, pool[audit], wrong[audit], promise=promise, budget=budget, level=DELTA)
        if verdict.accepted:
            unseen = pool >= verdict.accepted.threshold
            unseen[audit] = False
            whole = len(pool) if promise == Promise.DATASET else unseen.sum()
            broken += (unseen & wrong).sum() > risk.may_be_wrong(budget, whole)
    assert broken / DRAWS <= MOST_BROKEN


def test_the_promise_holds_when_people_reviewed_the_doubtful_texts_before_more_were_drawn(machine) -> None:
    pool, wrong = machine
    random = np.random.default_rng(RNG)
    broken = 0
    for _ in range(DRAWS):
        first = random.choice(len(pool), 100, replace=False)
        others = np.setdiff1d(np.argsort(pool, kind="stable"), first, assume_unique=True)
        reviewed, left = others[:400], others[400:]
        audit = np.concatenate([first, random.choice(left, 150, replace=False)])
        verdict = certify(pool, pool[audit], wrong[audit], budget=0.05, level=DELTA, settled_confidence=pool[reviewed])
        if verdict.accepted:
            unseen = pool >= verdict.accepted.threshold
            unseen[audit] = unseen[reviewed] = False
            broken += (unseen & wrong).sum() > risk.may_be_wrong(0.05, len(pool))
    assert broken / DRAWS <= MOST_BROKEN


# --- Whether the sample can be one ------------------------------------------------------------------------------------


def test_a_draw_from_all_texts_is_even() -> None:
    random = np.random.default_rng(RNG)
    nobody = np.zeros(1_000, dtype=bool)
    assert all(risk.is_even(random.permutation(1_000) < 100, nobody) for _ in range(200))


def test_a_lot_that_nothing_was_drawn_from_is_found() -> None:
    drawn = np.zeros(1_000, dtype=bool)
    drawn[:700:5] = True
    assert not risk.is_even(drawn, np.zeros(1_000, dtype=bool))


def test_texts_settled_before_the_draw_are_no_such_lot() -> None:
    drawn, settled = np.zeros(1_000, dtype=bool), np.zeros(1_000, dtype=bool)
    drawn[:700:5], settled[700:] = True, True
    assert risk.is_even(drawn, settled)


# --- What it will take ------------------------------------------------------------------------------------------------


def test_the_audits_needed_without_errors_are_the_zero_error_size() -> None:
    assert 59 <= (risk.audits_needed(0.0, 1_000_000, budget=0.05, level=0.05) or 0) <= 61
    assert (risk.audits_needed(0.0, 100, budget=0.05, level=0.05) or 0) < 59  # a small dataset needs fewer


def test_the_audits_needed_grow_with_the_errors_and_prove_the_budget() -> None:
    sizes = [risk.audits_needed(rate, 20_000, budget=0.05, level=0.05) or 0 for rate in (0.0, 0.01, 0.02, 0.03, 0.04)]
    assert sizes == sorted(sizes)
    for size, proves in ((sizes[2], True), (int(sizes[2] * 0.9), False)):
        assert (risk.p_value(math.ceil(0.02 * size), size, 20_000, 0.05) <= 0.05) is proves


def test_no_number_of_audits_proves_what_is_not_so() -> None:
    assert risk.audits_needed(0.06, 20_000, budget=0.05, level=0.05) is None
    assert risk.audits_needed(0.05, 500, budget=0.05, level=0.05) is not None  # all of them do
