"""Agreement against published examples, closed forms and seeded simulations."""

import math
import time

import numpy as np
import pytest

from analytics.agreement import (
    NOBODY,
    NOTHING,
    ONE_CATEGORY,
    ONE_TEXT,
    Estimate,
    cohen_kappa,
    collapse,
    cross_table,
    krippendorff_alpha,
    one_against_rest,
    percent_agreement,
    reading,
    value_counts,
    wilson,
)

# Four observers, twelve units, nominal values, missing answers as "." [KRI11, section C].
OBSERVERS = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]


def published_counts() -> np.ndarray:
    answers = [(unit, int(v)) for row in OBSERVERS for unit, v in enumerate(row.split()) if v != "."]
    return value_counts(*zip(*answers, strict=True))


def two_raters(random: np.random.Generator, units: int, knowing: float, values: int = 3) -> np.ndarray:
    """Answers (units, 2). Each rater knows the truth with this probability and else guesses: alpha is its square."""
    truth = random.integers(values, size=(units, 1))
    guesses = random.integers(values, size=(units, 2))
    return np.where(random.random((units, 2)) < knowing, truth, guesses)


def counts_of(answers: np.ndarray) -> np.ndarray:
    return value_counts(np.repeat(np.arange(len(answers)), answers.shape[1]), answers.ravel())


def table_of(answers: np.ndarray) -> np.ndarray:
    return cross_table(answers[:, 0], answers[:, 1])


# --- Krippendorff's alpha ---------------------------------------------------------------------------------------------


def test_alpha_of_the_published_example_is_743() -> None:
    alpha = krippendorff_alpha(published_counts())
    assert alpha.value == pytest.approx(0.743, abs=0.0005)
    assert alpha.units == 11  # the last has a single answer


def test_alpha_of_the_published_two_observers_is_692() -> None:
    """[KRI11, section B]: a a b b d c c c e d d a against b a b b b c c c e d d d."""
    answers = np.array([list(map(ord, "aabbdcccedda")), list(map(ord, "babbbccceddd"))])
    assert krippendorff_alpha(counts_of(answers.T)).value == pytest.approx(0.692, abs=0.0005)


def test_alpha_of_two_units_worked_by_hand() -> None:
    """Units AA and AB: n = 4, matches 2, sum of squares 9 + 1, so 1 - 3 (4 - 2) / (16 - 10) = 0."""
    assert krippendorff_alpha([[2, 0], [1, 1]]).value == pytest.approx(0.0)


def test_units_that_one_person_answered_change_nothing() -> None:
    counts = published_counts()
    more = np.vstack([counts, np.eye(counts.shape[1], dtype=int), np.zeros((3, counts.shape[1]), dtype=int)])
    assert krippendorff_alpha(more) == krippendorff_alpha(counts)


def test_a_row_that_stands_for_several_units_counts_so_often() -> None:
    patterns, times = collapse([[2, 0], [1, 1], [2, 0], [0, 2]])
    assert krippendorff_alpha(patterns, times) == krippendorff_alpha([[2, 0], [1, 1], [2, 0], [0, 2]])


def test_the_order_of_units_changes_nothing() -> None:
    counts = published_counts()
    assert krippendorff_alpha(counts[::-1]) == krippendorff_alpha(counts)


def test_answers_by_chance_have_alpha_and_kappa_near_0() -> None:
    answers = two_raters(np.random.default_rng(1), 20_000, knowing=0.0)
    assert krippendorff_alpha(counts_of(answers)).value == pytest.approx(0.0, abs=0.02)
    assert cohen_kappa(table_of(answers)).value == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("knowing", [0.5, 0.8, 0.95])
def test_alpha_and_kappa_find_the_agreement_that_was_simulated(knowing: float) -> None:
    answers = two_raters(np.random.default_rng(2), 20_000, knowing)
    assert krippendorff_alpha(counts_of(answers)).value == pytest.approx(knowing**2, abs=0.02)
    assert cohen_kappa(table_of(answers)).value == pytest.approx(knowing**2, abs=0.02)


# --- Cohen's kappa ----------------------------------------------------------------------------------------------------


def test_kappa_of_a_table_worked_by_hand() -> None:
    """20 + 15 of 50 equal; by chance .5 x .6 + .5 x .4 = .5; (.7 - .5) / (1 - .5) = .4."""
    assert cohen_kappa([[20, 5], [10, 15]]).value == pytest.approx(0.4)


def test_kappa_of_the_textbook_table_is_492() -> None:
    """Margins .6 .3 .1 and .5 .3 .2: .70 equal, .41 by chance, .29 / .59."""
    kappa = cohen_kappa([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    assert kappa.value == pytest.approx(0.29 / 0.59)
    assert kappa.units == 200


def test_the_interval_of_kappa_is_near_the_large_sample_one() -> None:
    kappa = cohen_kappa([[88, 14, 18], [10, 40, 10], [2, 6, 12]], draws=5000)
    error = math.sqrt(0.7 * 0.3 / 200) / 0.59  # [COH60]: the margins taken as fixed
    assert kappa.low == pytest.approx(kappa.value - 1.96 * error, abs=0.02)
    assert kappa.high == pytest.approx(kappa.value + 1.96 * error, abs=0.02)


def test_two_people_who_never_agree_by_using_other_categories_have_kappa_0() -> None:
    assert cohen_kappa([[0, 9], [0, 0]]).value == 0.0


def test_a_table_counts_what_the_first_gave_in_rows_and_the_second_in_columns() -> None:
    assert cross_table([7, 7, 9, 9], [7, 8, 9, 7]).tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_counts_are_of_units_in_rows_and_values_in_columns() -> None:
    assert value_counts([5, 5, 3, 5], [2, 8, 8, 2]).tolist() == [[0, 1], [2, 1]]


# --- Shares -----------------------------------------------------------------------------------------------------------


def test_percent_agreement_counts_pairs() -> None:
    """AAB has one equal pair of three, AA one of one: two of four."""
    assert percent_agreement([[2, 1], [2, 0]]).value == pytest.approx(0.5)


def test_one_category_against_the_rest() -> None:
    counts = np.array([[2, 0, 0], [0, 1, 1], [1, 0, 1]])
    assert one_against_rest(counts, 0).tolist() == [[2, 0], [0, 2], [1, 1]]
    assert percent_agreement(one_against_rest(counts, 0)).value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_of_a_share_is_wilsons(right: int, total: int, low: float, high: float) -> None:
    share = wilson(right, total)
    assert (share.value, share.units) == (right / total, total)
    assert (share.low, share.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


# --- Intervals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", ["alpha", "kappa"])
def test_the_interval_covers_the_truth_in_about_95_of_100_simulations(statistic: str) -> None:
    random, covered = np.random.default_rng(3), 0
    for trial in range(300):
        answers = two_raters(random, 200, knowing=0.8)
        data = counts_of(answers) if statistic == "alpha" else table_of(answers)
        figure = (krippendorff_alpha if statistic == "alpha" else cohen_kappa)(data, seed=trial)
        assert figure.low is not None and figure.high is not None
        covered += figure.low <= 0.64 <= figure.high
    assert 0.92 <= covered / 300 <= 0.98


def test_the_interval_is_that_of_drawing_units_one_by_one() -> None:
    counts, random = published_counts()[:11], np.random.default_rng(4)
    draws = [krippendorff_alpha(counts[random.integers(11, size=11)], draws=1).value for _ in range(4000)]
    alpha = krippendorff_alpha(counts, draws=4000)
    plain = np.quantile([value for value in draws if value is not None], [0.025, 0.975])
    assert [alpha.low, alpha.high] == pytest.approx(plain.tolist(), abs=0.03)


def test_the_same_seed_gives_the_same_interval() -> None:
    counts = published_counts()
    assert krippendorff_alpha(counts, seed=5) == krippendorff_alpha(counts, seed=5)
    assert krippendorff_alpha(counts, seed=5) != krippendorff_alpha(counts, seed=6)


def test_drawing_in_blocks_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = krippendorff_alpha(published_counts())
    monkeypatch.setattr("analytics.agreement.MOST_CELLS", 100)
    in_blocks = krippendorff_alpha(published_counts())
    assert (in_blocks.low, in_blocks.high) == pytest.approx((whole.low, whole.high))


def test_ten_thousand_texts_take_less_than_a_second() -> None:
    answers = np.random.default_rng(6).integers(20, size=(10_000, 3))
    start = time.perf_counter()
    krippendorff_alpha(counts_of(answers))
    assert time.perf_counter() - start < 1.0


# --- Undefined --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", [krippendorff_alpha, percent_agreement])
def test_without_a_text_that_two_people_answered_there_is_no_figure(figure) -> None:  # type: ignore[no-untyped-def]
    nothing = Estimate(None, undefined=NOBODY)
    assert figure(value_counts([], [])) == nothing
    assert figure([]) == nothing
    assert figure([[1, 0], [0, 1]]) == nothing


def test_a_single_text_is_not_enough() -> None:
    one = Estimate(None, units=1, undefined=ONE_TEXT)
    assert krippendorff_alpha([[1, 1]]) == one
    assert cohen_kappa([[0, 1], [0, 0]]) == one


def test_a_single_category_leaves_alpha_and_kappa_undefined() -> None:
    alone = Estimate(None, units=5, undefined=ONE_CATEGORY)
    assert krippendorff_alpha([[2]] * 5) == alone
    assert krippendorff_alpha([[2, 0]] * 5) == alone
    assert cohen_kappa([[5, 0], [0, 0]]) == alone
    assert percent_agreement([[2]] * 5).value == 1.0


def test_kappa_and_shares_of_nothing_are_undefined() -> None:
    assert cohen_kappa(np.zeros((0, 0))) == Estimate(None, undefined=NOBODY)
    assert cohen_kappa([[0, 0], [0, 0]]) == Estimate(None, undefined=NOBODY)
    assert wilson(0, 0) == Estimate(None, undefined=NOTHING)


def test_identical_answers_are_1_and_claim_no_interval() -> None:
    same = [[3, 0], [0, 3], [3, 0]]
    assert krippendorff_alpha(same) == Estimate(1.0, units=3)
    assert cohen_kappa([[7, 0], [0, 5]]) == Estimate(1.0, units=12)


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Estimate(0.8, 0.8, 0.9), "Good"),
        (Estimate(0.9, 0.7, 1.0), "Good, but too few texts to be sure"),
        (Estimate(0.667, 0.667, 0.7), "Tentative"),
        (Estimate(0.666, 0.1, 0.666), "Guidelines unclear"),
        (Estimate(0.6, 0.4, 0.7), "Guidelines unclear, but too few texts to be sure"),
        (Estimate(1.0), "Good"),
        (Estimate(None, undefined=NOBODY), ""),
    ],
)
def test_a_figure_is_read_by_its_value_and_its_interval(figure: Estimate, words: str) -> None:
    assert reading(figure) == words
