"""What is read out of printed figures, and when a bar is reached."""

import pytest

from benchmarks.bars import Figure, at, hundredfold

PRINTED = {"label": {"p50": 12.5}, "rates": [100, 200], "sets": [{"set": "a", "ok": 0.5}, {"set": "b", "ok": 0.75}]}


def test_a_path_leads_through_keys_places_and_rows() -> None:
    assert at("label", "p50")(PRINTED) == 12.5
    assert at("rates", 1)(PRINTED) == 200
    assert at("sets", {"set": "b"}, "ok")(PRINTED) == 0.75
    assert hundredfold(at("sets", {"set": "b"}, "ok"))(PRINTED) == 75


@pytest.mark.parametrize(
    ("least", "most", "is_reached"),
    [(12.5, None, True), (12.6, None, False), (None, 12.5, True), (None, 12.4, False), (None, None, True)],
)
def test_a_bar_is_reached_at_its_limit(least: float | None, most: float | None, is_reached: bool) -> None:
    assert Figure("p50", at("label", "p50"), least=least, most=most).is_reached(PRINTED) is is_reached


@pytest.mark.parametrize("path", [("label", "p99"), ("rates", 2), ("sets", {"set": "c"}, "ok")])
def test_what_was_not_measured_reaches_no_bar(path: tuple) -> None:
    assert Figure("it", at(*path)).value(PRINTED) is None
    assert Figure("it", at(*path)).is_reached(PRINTED)
    assert not Figure("it", at(*path), most=1_000).is_reached(PRINTED)
