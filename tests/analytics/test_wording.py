import pytest

from analytics.wording import duration, percent


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "no time"),
        (20, "under a minute"),
        (60, "1 minute"),
        (3_000, "50 minutes"),
        (7_200, "2.0 hours"),
        (45_000, "12 hours"),
        (4_500_000, "1,250 hours"),
    ],
)
def test_a_duration_reads_like_one(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [(0.05, 3, "5 %"), (0.025 / 3, 2, "0.83 %"), (1.0, 2, "100 %"), (0.0, 2, "0 %"), (0.6249, 3, "62.5 %")],
)
def test_a_share_has_as_many_digits_as_it_takes(share: float, digits: int, words: str) -> None:
    assert percent(share, digits=digits) == words
