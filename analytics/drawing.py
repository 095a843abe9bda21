"""Charts drawn as SVG: for files, for reports without scripts, and for pages before their scripts have come.

Pure: values in, a string out. Colours stand in attributes, so that a file needs nothing beside it; a page's style sheet
overrides them by the classes.
"""

from collections.abc import Iterator
from html import escape
from math import floor, log10

from analytics.charts import Chart, Kind, Series
from analytics.wording import percent

COLORS = ("#2563eb", "#d97706", "#059669", "#9333ea", "#dc2626", "#0891b2", "#64748b", "#db2777")
INK, SOFT, LINE, GROUND = "#1f2937", "#4b5563", "#d1d5db", "#ffffff"
WIDTH, TOP, BOTTOM, LEFT, RIGHT = 720.0, 34.0, 52.0, 64.0, 16.0
PLOT = 240.0  # height, where bars stand upright
ROW, NAMES = 26.0, 190.0  # height of a row, and width for its name
MOST_LETTERS = 28
MOST_TICKS = 12  # names under an axis


def svg(chart: Chart, title: str) -> str:
    """The whole drawing. `title` is what it says to those who cannot see it."""
    draw = {Kind.ROWS: _rows, Kind.MATRIX: _matrix, Kind.POINTS: _points}.get(chart.kind, _upright)
    height, parts = draw(chart)
    legend = _legend(chart) if chart.kind != Kind.MATRIX and len(chart.series) > 1 else []
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart-drawing" viewBox="0 0 {WIDTH:g} {height:g}" '
        f'width="{WIDTH:g}" height="{height:g}" role="img" font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{escape(title)}</title>"
        f'<rect class="chart-ground" width="100%" height="100%" fill="{GROUND}"/>{"".join([*legend, *parts])}</svg>'
    )


# --- Kinds ------------------------------------------------------------------------------------------------------------


def _upright(chart: Chart) -> tuple[float, list[str]]:
    """Bars side by side or on top of each other, or lines with their intervals."""
    top = _top(chart)
    width = WIDTH - LEFT - RIGHT
    step = width / max(len(chart.labels), 1)
    parts = [*_value_lines(chart, top), *_names_below(chart, step)]
    drawn = _lines(chart, step, top) if chart.kind == Kind.LINES else _bars(chart, step, top)
    parts.extend(drawn)
    if chart.mark is not None:
        parts.append(_mark(chart, LEFT + step * chart.mark))
    return TOP + PLOT + BOTTOM, parts


def _bars(chart: Chart, step: float, top: float) -> Iterator[str]:
    is_stacked = chart.kind == Kind.STACKED
    bar = 0.8 * step / (1 if is_stacked else max(len(chart.series), 1))
    for place in range(len(chart.labels)):
        below = 0.0
        for number, one in enumerate(chart.series):
            value = one.values[place] or 0.0
            x = LEFT + step * place + 0.1 * step + (0 if is_stacked else bar * number)
            yield _box(x, _y(below + value, top), bar, PLOT * value / top, number)
            below += value if is_stacked else 0.0


def _lines(chart: Chart, step: float, top: float) -> Iterator[str]:
    for number, one in enumerate(chart.series):
        places = [(LEFT + step * (n + 0.5), n) for n, value in enumerate(one.values) if value is not None]
        points = " ".join(f"{x:.1f},{_y(one.values[n] or 0.0, top):.1f}" for x, n in places)
        color = COLORS[number % len(COLORS)]
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>'
        for x, n in places:
            yield from _interval(one, n, x, top, color)
            yield f'<circle cx="{x:.1f}" cy="{_y(one.values[n] or 0.0, top):.1f}" r="3.5" fill="{color}"/>'


def _interval(one: Series, n: int, x: float, top: float, color: str) -> Iterator[str]:
    if one.low and one.low[n] is not None and one.high[n] is not None:
        low, high = _y(one.low[n] or 0.0, top), _y(one.high[n] or 0.0, top)
        yield f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{color}" stroke-width="1.5" opacity="0.6"/>'


def _rows(chart: Chart) -> tuple[float, list[str]]:
    top, width = _top(chart), WIDTH - NAMES - RIGHT - 56
    thick = max(ROW, 12.0 * len(chart.series) + 8)
    parts = []
    for place, label in enumerate(chart.labels):
        y = TOP + thick * place
        parts.append(_text(NAMES - 8, y + thick / 2 + 4, _short(label), anchor="end"))
        bar = (thick - 8) / max(len(chart.series), 1)
        for number, one in enumerate(chart.series):
            value, middle = one.values[place], y + 4 + bar * (number + 0.5)
            length = width * (value or 0.0) / top
            parts.append(_box(NAMES, y + 4 + bar * number, length, bar - 1, number))
            end = NAMES + length
            if one.low and one.low[place] is not None:
                low, end = (NAMES + width * (ends[place] or 0.0) / top for ends in (one.low, one.high))
                parts.append(f'<path class="chart-ink" d="M{low:.1f} {middle:.1f}H{end:.1f}" stroke="{INK}"/>')
            parts.append(_text(end + 6, middle + 4, _value(chart, value), size=11))
    return TOP + thick * max(len(chart.labels), 1) + 12, parts


def _points(chart: Chart) -> tuple[float, list[str]]:
    """Both axes are shares; on the dashed line they are equal."""
    size = PLOT
    left = (WIDTH - size) / 2
    parts = [
        f'<path class="chart-line" d="M{left} {TOP}V{TOP + size}H{left + size}" fill="none" stroke="{LINE}"/>',
        f'<path class="chart-line" d="M{left} {TOP + size}L{left + size} {TOP}" stroke="{SOFT}" '
        'stroke-dasharray="4 4"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(_text(left + size * tick, TOP + size + 16, percent(tick), anchor="middle", size=11))
        parts.append(_text(left - 6, TOP + size * (1 - tick) + 4, percent(tick), anchor="end", size=11))
    for number, one in enumerate(chart.series):
        for x, y in zip(chart.xs, one.values, strict=True):
            place = f'cx="{left + size * x:.1f}" cy="{TOP + size * (1 - (y or 0.0)):.1f}"'
            parts.append(f'<circle {place} r="4" fill="{COLORS[number]}" opacity="0.85"/>')
    parts.append(_text(left + size / 2, TOP + size + 36, chart.x_title, anchor="middle"))
    parts.append(_text(left - 48, TOP - 12, chart.y_title))
    return TOP + size + BOTTOM, parts


def _matrix(chart: Chart) -> tuple[float, list[str]]:
    """A square for each cell, the darker the larger its share of the row."""
    size = min(64.0, (WIDTH - NAMES - RIGHT) / max(len(chart.labels), 1))
    top = TOP + 64
    parts = [_text(NAMES, 18, chart.x_title), _text(NAMES - 8, top - 10, chart.y_title, anchor="end")]
    for column, label in enumerate(chart.labels):
        x, y = NAMES + size * (column + 0.4), top - 6
        turned = f'transform="rotate(-35 {x:.1f} {y:.1f})"'
        parts.append(_text(x, y, _short(label, 14), more=turned, size=11))
    for row, one in enumerate(chart.series):
        y = top + size * 0.6 * row
        parts.append(_text(NAMES - 8, y + size * 0.3 + 4, _short(one.name), anchor="end"))
        whole = sum(value or 0.0 for value in one.values) or 1.0
        for column, value in enumerate(one.values):
            share, x = (value or 0.0) / whole, NAMES + size * column
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{size - 2:.1f}" height="{size * 0.6 - 2:.1f}" '
                f'fill="{COLORS[0]}" fill-opacity="{0.06 + 0.74 * share:.2f}"/>'
            )
            if value:
                on_dark = "#ffffff" if share > 0.55 else INK
                place = (x + size / 2 - 1, y + size * 0.3 + 3)
                name = "chart-on-dark" if share > 0.55 else "chart-ink"
                parts.append(_text(*place, f"{value:,.0f}", anchor="middle", size=11, color=on_dark, name=name))
    return top + size * 0.6 * max(len(chart.series), 1) + 12, parts


# --- Parts ------------------------------------------------------------------------------------------------------------


def _value_lines(chart: Chart, top: float) -> Iterator[str]:
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(top * part, top)
        yield f'<path class="chart-line" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{LINE}"/>'
        yield _text(LEFT - 6, y + 4, _value(chart, top * part), anchor="end", size=11)
    yield _text(LEFT, TOP - 12, chart.y_title, size=11) if len(chart.series) == 1 else ""
    yield _text(LEFT + (WIDTH - LEFT - RIGHT) / 2, TOP + PLOT + 42, chart.x_title, anchor="middle")


def _names_below(chart: Chart, step: float) -> Iterator[str]:
    every = -(-len(chart.labels) // MOST_TICKS) if chart.labels else 1
    for place, label in enumerate(chart.labels):
        if place % every == 0:
            yield _text(LEFT + step * (place + 0.5), TOP + PLOT + 18, _short(label, 12), anchor="middle", size=11)


def _mark(chart: Chart, x: float) -> str:
    line = f'<path class="chart-ink" d="M{x:.1f} {TOP}V{TOP + PLOT}" stroke="{INK}" stroke-dasharray="5 4"/>'
    anchor, away = ("end", -6) if x > WIDTH / 2 else ("start", 6)
    return line + _text(x + away, TOP + 12, chart.mark_name, anchor=anchor, size=11)


def _legend(chart: Chart) -> list[str]:
    parts, x = [], LEFT
    for number, one in enumerate(chart.series):
        parts.append(f'<rect x="{x:.0f}" y="8" width="10" height="10" fill="{COLORS[number % len(COLORS)]}"/>')
        parts.append(_text(x + 15, 17, _short(one.name, 18), size=11))
        x += 32 + 6.5 * min(len(one.name), 18)
    return parts


def _box(x: float, y: float, width: float, height: float, number: int) -> str:
    if width <= 0 or height <= 0:
        return ""
    color = COLORS[number % len(COLORS)]
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 12,
    color: str = INK,
    name: str = "chart-ink",
    more: str = "",
) -> str:
    if not words:
        return ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text class="{name}" {place} fill="{color}" {more}>{escape(words)}</text>'


def _y(value: float, top: float) -> float:
    return TOP + PLOT * (1 - value / top)


def _value(chart: Chart, value: float | None) -> str:
    if value is None:
        return "-"
    if chart.is_share:
        return percent(value)
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.3g}"


def _short(words: str, most: int = MOST_LETTERS) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _top(chart: Chart) -> float:
    return chart.end if chart.is_share else nice_end(chart.highest)


def nice_end(highest: float) -> float:
    """A round number at or above the highest value, whose quarter is round as well."""
    if highest <= 0:
        return 1.0
    magnitude = 10.0 ** floor(log10(highest))
    return next(step * magnitude for step in (1, 2, 4, 6, 8, 10) if step * magnitude >= highest * 0.9999)
