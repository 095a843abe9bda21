"""Charts as SVG: right lengths, words that cannot break out, and pictures that need nothing else."""

import re
from xml.etree import ElementTree

import pytest

from analytics import drawing
from analytics.charts import Chart, Kind, Series

EVIL = '<script>alert(1)</script>&"'


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("values", [(), (0.0,), (None,), (0.25, 1.0), tuple(n / 100 for n in range(100))])
def test_every_chart_is_well_formed_and_escapes_words(kind: Kind, values: tuple[float | None, ...]) -> None:
    labels = tuple(f"{EVIL} {place}" for place in range(len(values)))
    series = (Series(EVIL, values, values, values), Series("Other", values))
    chart = Chart(
        kind, labels, series, EVIL, EVIL, xs=tuple(value or 0.0 for value in values), mark=0.5, mark_name=EVIL
    )
    drawn = drawing.svg(chart, EVIL)
    tree = ElementTree.fromstring(drawn)
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in drawn
    assert "style=" not in drawn and "href" not in drawn
    assert EVIL in {element.text for element in tree.iter()}


def test_bars_are_as_long_as_their_values() -> None:
    chart = Chart(Kind.ROWS, ("a", "b"), (Series("n", (5.0, 10.0)),))
    lengths = [
        float(one) for one in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', drawing.svg(chart, ""))
    ]
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=0.2)


@pytest.mark.parametrize(
    ("highest", "end"), [(0.0, 1.0), (1.0, 1.0), (1.1, 2.0), (7.0, 8.0), (43.0, 60.0), (999.0, 1000.0), (0.03, 0.04)]
)
def test_axes_end_with_round_numbers(highest: float, end: float) -> None:
    assert drawing.nice_end(highest) == pytest.approx(end)


def test_stacked_bars_reach_as_high_as_their_sum() -> None:
    chart = Chart(Kind.STACKED, ("a", "b"), (Series("x", (1.0, 2.0)), Series("y", (3.0, None))))
    assert chart.highest == 4.0
