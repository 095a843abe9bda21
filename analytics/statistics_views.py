"""The pages and files of the statistics. Thin: each view checks, asks for the figures, answers."""

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from analytics import choosing, confused, drawing, figures, keeping, report, statistics
from analytics.charts import Kind
from analytics.choosing import Filters, Names, UnknownChoice
from analytics.figures import tiles
from analytics.figures.shapes import Column, Figure
from analytics.keeping import Counted
from analytics.statistics import Statistics
from analytics.statistics_forms import ADDRESS, CellForm, StatisticsForm
from labeling.access import projects_of
from labeling.lookups import by_name_or_id, id_of
from labeling.models import Category, Project
from labeling.pages import for_staff, render_page, staff_page
from labeling.projects import to_begin_with
from labeling.spreadsheets import escape_formula
from reviews.pages import require_manager

MOST_ROWS = 30  # of a table on the page; files have all
HEATS = 10
CELL = '<td{} dir="auto">{}</td>'


@dataclass(frozen=True)
class Asked:
    """What a request is about. `found` is missing while a large project waits for its first count."""

    project: Project
    projects: list[Project]
    form: StatisticsForm
    names: Names
    counted: Counted | None
    filters: Filters
    found: Statistics | None

    @property
    def query(self) -> str:
        """The address parameters of the filters, for links."""
        values = {"project": self.project.pk} | {ADDRESS.get(k, k): v for k, v in asdict(self.filters).items()}
        return urlencode({name: value for name, value in values.items() if value is not None})


# --- The page ---------------------------------------------------------------------------------------------------------


@staff_page
def statistics_page(request: HttpRequest) -> HttpResponse:
    """All figures of a project, or of the part of it that the address names."""
    asked = _asked(request)
    context = {
        "title": f"Statistics: {asked.project.name}",
        "asked": asked,
        "project": asked.project,
        "form": asked.form,
        "sources": choosing.sources_to_choose(asked.counted.tables) if asked.counted else [],
        "runs": choosing.runs_to_choose(asked.names, asked.filters),
        "is_filtered": asked.filters.are_set,
        "counted": asked.counted,
    }
    if asked.found:
        shown = figures.all_of(asked.found)
        context |= {
            "found": asked.found,
            "tiles": tiles.of(asked.found),
            "figures": [_for_page(one) for one in shown],
            "matrix": _matrix(asked),
            "charts": {one.name: asdict(one.chart) for one in shown if one.chart and one.chart.kind != Kind.MATRIX},
        }
    return render_page(request, "analytics/statistics.html", context, status=400 if asked.form.errors else 200)


def _for_page(one: Figure) -> dict[str, Any]:
    return {
        "figure": one,
        "rows": _rows(one),
        "left_out": max(len(one.table.rows) - MOST_ROWS, 0),
        "is_matrix": one.chart is not None and one.chart.kind == Kind.MATRIX,
        "drawing": mark_safe(drawing.svg(one.chart, one.summary)) if one.chart else "",  # escaped in there
    }


def _rows(one: Figure) -> str:
    """The first rows as HTML: templates take several times as long for a thousand cells."""
    rows = one.table.in_words(MOST_ROWS)
    return format_html_join("", "<tr>{}</tr>", ((format_html_join("", CELL, map(_cell, row)),) for row in rows))


def _cell(cell: tuple[Column, str]) -> tuple[str, str]:
    column, words = cell
    return mark_safe("") if column.is_words else mark_safe(' class="record-number"'), words


def _matrix(asked: Asked) -> dict[str, Any]:
    """The confusion matrix as a table whose cells lead to their texts; `heat` is the share of the row, 0 to 9."""
    assert asked.found is not None
    chart, ids = figures.accuracy.matrix(asked.found), _category_ids(asked.found)
    rows = []
    for name, values in ((one.name, one.values) for one in chart.series):
        whole = sum(value or 0 for value in values) or 1
        cells = [
            {
                "texts": int(value or 0),
                "heat": min(int(HEATS * (value or 0) / whole), HEATS - 1),
                "query": f"{asked.query}&{urlencode({'machine': ids[name], 'human': ids[human]})}",
                "human": human,
            }
            for human, value in zip(chart.labels, values, strict=True)
        ]
        rows.append({"machine": name, "cells": cells})
    return {"columns": chart.labels, "rows": rows}


def _category_ids(found: Statistics) -> dict[str, int]:
    """Names are unique within a project."""
    machine = {cell.machine: cell.machine_id for cell in found.confusion}
    return machine | {cell.human: cell.human_id for cell in found.confusion}


@staff_page
def cell_page(request: HttpRequest) -> HttpResponse:
    """The texts of one cell of the confusion matrix."""
    asked = _asked(request)
    project, form = asked.project, CellForm(request.GET)
    if not (form.is_valid() and asked.form.is_valid()):
        raise Http404("There is no such cell.")
    wanted = form.cleaned_data
    machine, human = (_category(asked.names, wanted[name]) for name in ("machine", "human"))
    page = confused.texts_of(project, asked.filters, machine=machine.pk, human=human.pk, after=wanted["after"])
    first = f"{asked.query}&{urlencode({'machine': machine.pk, 'human': human.pk})}"
    context = {
        "title": f"Machine: {machine.name}. People: {human.name}.",
        "project": project,
        "machine": machine,
        "human": human,
        "page": page,
        "statistics": asked.query,
        "part": choosing.in_words(asked.filters, asked.names),
        "first": first if wanted["after"] else "",
        "next": f"{first}&{urlencode({'after': page.next})}" if page.next else "",
    }
    return render_page(request, "analytics/confused.html", context)


def _category(names: Names, reference: str) -> Category:
    """By its id, which the links of the matrix give, or its name, which may be a number as well."""
    categories = names.categories
    keyed = categories.get(id_of(reference))
    found = keyed or next((category for category in categories.values() if category.name == reference), None)
    if found is None:
        raise Http404(f"The project has no category '{reference}'.")
    return categories[found.holds_as]  # an address from before a merge leads to what the category became


@require_POST
@for_staff
def count_now(request: HttpRequest) -> HttpResponseBase:
    """Have a large project counted in the background now."""
    project, _ = _project(request, request.POST)
    keeping.ask_for(project)
    messages.success(request, "It is being counted in the background. Open this page again in a moment.")
    return redirect(f"{reverse('statistics:page')}?{urlencode({'project': project.pk})}")


# --- Files ------------------------------------------------------------------------------------------------------------


@staff_page
def figure_csv(request: HttpRequest, name: str) -> HttpResponse:
    """The whole table of one figure."""
    table = _figure(request, name).table
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([column.title for column in table.columns])
    for row in table.rows:
        writer.writerow([escape_formula(value) if isinstance(value, str) else value for value in row])
    return _file(buffer.getvalue(), "text/csv", f"{name}.csv")


@staff_page
def figure_svg(request: HttpRequest, name: str) -> HttpResponse:
    """The chart of one figure, as a picture that needs nothing else."""
    one = _figure(request, name)
    if one.chart is None:
        raise Http404("There is nothing to draw yet.")
    return _file(drawing.svg(one.chart, f"{one.title}. {one.summary}"), "image/svg+xml", f"{name}.svg")


@staff_page
def report_file(request: HttpRequest, file_format: str) -> HttpResponse:
    """The statistics of the page as one document."""
    written = report.FORMATS[file_format](_found(request))
    return _file(written, report.CONTENT_TYPES[file_format], f"quality-report.{file_format}")


def _file(content: str, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _figure(request: HttpRequest, name: str) -> Figure:
    if name not in figures.MAKERS:
        raise Http404("There is no such figure.")
    return figures.one_of(_found(request), name)


def _found(request: HttpRequest) -> Statistics:
    found = _asked(request).found
    if found is None:
        raise Http404("There are no figures for this. Look at the page of statistics for the reason.")
    return found


# --- What is asked for ------------------------------------------------------------------------------------------------


def _asked(request: HttpRequest) -> Asked:
    project, projects = _project(request)
    form, names, counted = StatisticsForm(request.GET), Names.of(project), keeping.of_project(project)
    filters, found = Filters(), None
    if form.is_valid() and counted:
        try:
            filters = choosing.chosen(names, counted.tables.sources, form.cleaned_data, keys_first=True)
            found = statistics.of_counted(project, counted, names, filters)
        except UnknownChoice as error:
            form.add_error({"to": "until"}.get(error.field, error.field), str(error))
    return Asked(project, projects, form, names, counted, filters, found)


def _project(request: HttpRequest, wanted: Mapping[str, str] | None = None) -> tuple[Project, list[Project]]:
    """The project that is named, else the default one, else the first; with all that the person may see.

    Raises PermissionDenied for those who are no managers, and Http404.
    """
    require_manager(request)
    visible = projects_of(request.user)
    projects = list(visible.filter(is_archived=False).order_by("name"))
    name = str((request.GET if wanted is None else wanted).get("project", "")).strip()
    project = by_name_or_id(visible, name, id_first=True) if name else to_begin_with(visible)
    if project is None:
        raise Http404("There is no such project, or you are no member of it.")
    return project, projects
