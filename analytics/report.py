"""A project's statistics as one document that somebody can read without this program: HTML, Markdown or JSON."""

from collections.abc import Callable, Sequence

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from rest_framework.renderers import JSONRenderer

from analytics import drawing, figures
from analytics.figures import accuracy
from analytics.figures.shapes import Figure
from analytics.statistics import Statistics
from analytics.statistics_serializers import StatisticsSerializer
from analytics.wording import number, percent
from labeling.wording import counted, texts

MOST_ROWS = 40  # of a table in a document for people; files have all


def html(found: Statistics) -> str:
    """One file with everything in it: no script, nothing to fetch."""
    shown = figures.all_of(found)
    context = {
        "found": found,
        "points": main_points(found),
        "figures": [(one, _drawn(one), one.table.in_words(MOST_ROWS), _left_out(one)) for one in shown],
        "counted_at": timezone.localtime(found.counted_at),
        "part": found.part,
    }
    return render_to_string("analytics/report.html", context)


def markdown(found: Statistics) -> str:
    parts = [
        f"# Quality report: {_plain(found.project)}",
        f"As of {timezone.localtime(found.counted_at):%Y-%m-%d %H:%M %Z}{_plain(_only(found))}.",
        "\n".join(f"- **{title}.** {_plain(sentence)}" for title, sentence in main_points(found)),
    ]
    for one in figures.all_of(found):
        parts += [f"## {one.title}", _plain(one.summary), *_table(one), one.note]
    return "\n\n".join(part for part in parts if part) + "\n"


def json(found: Statistics) -> str:
    """The same as `GET /api/statistics` answers."""
    return JSONRenderer().render(StatisticsSerializer(found).data, renderer_context={"indent": 2}).decode() + "\n"


FORMATS: dict[str, Callable[[Statistics], str]] = {"html": html, "md": markdown, "json": json}
CONTENT_TYPES = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


def main_points(found: Statistics) -> list[tuple[str, str]]:
    """What a manager wants to know first."""
    done, people = found.progress, found.activity_by_reviewer
    rate = "" if done.auto_labeling_rate is None else f", {percent(done.auto_labeling_rate)} of what a model labeled"
    covered = "" if done.review_coverage is None else f", {percent(done.review_coverage)} of all"
    audited = found.accuracy
    decisions = sum(one.decisions for one in people)
    cost = sum(one.cost for one in found.providers)
    return [
        ("Labeled", f"{texts(done.texts)}. The machine alone labeled {number(done.accepted)}{rate}."),
        ("Reviewed", f"People decided {texts(done.reviewed)}{covered}; {number(done.needs_review)} need review."),
        (
            "Sure",
            f"{accuracy.in_words(audited)} of the machine's labels are right, by {number(audited.audited)} texts of "
            "the blind audit."
            if audited.audited
            else "How often the machine is right is not known: no text of the blind audit has been decided.",
        ),
        ("Promised", found.promise),
        ("People", f"{counted(len(people), 'person', 'people')} reviewed: {counted(decisions, 'decision')} in all."),
        ("Cost", f"{cost:,.2f} for asking models, by the prices that the project has."),
    ]


def _only(found: Statistics) -> str:
    return f", only {found.part}" if found.part else ""


def _drawn(one: Figure) -> str:
    return mark_safe(drawing.svg(one.chart, one.summary)) if one.chart else ""  # all words in it are escaped there


def _left_out(one: Figure) -> int:
    return max(len(one.table.rows) - MOST_ROWS, 0)


def _table(one: Figure) -> list[str]:
    if not one.table.rows:
        return []
    rows = [[column.title for column in one.table.columns]]
    ruler = "|".join("---" if column.is_words else "---:" for column in one.table.columns)
    rows += [[words for _, words in row] for row in one.table.in_words(MOST_ROWS)]
    lines = [_line(row) for row in rows]
    more = f"\n\n{number(_left_out(one))} more rows are in the JSON report." if _left_out(one) else ""
    return ["\n".join([lines[0], f"|{ruler}|", *lines[1:]]) + more]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(words: str) -> str:
    """Words as they are: no name of a category makes a table, a heading or a link."""
    for sign in "\\`*_{}[]<>|#":
        words = words.replace(sign, f"\\{sign}")
    return " ".join(words.split())
