"""Addresses of the statistics, under statistics/."""

from django.urls import path, re_path

from analytics import statistics_views as views

app_name = "statistics"

urlpatterns = [
    path("", views.statistics_page, name="page"),
    path("count/", views.count_now, name="count"),
    path("texts/", views.cell_page, name="cell"),
    re_path(r"^quality-report\.(?P<file_format>html|md|json)$", views.report_file, name="report"),
    path("<slug:name>.csv", views.figure_csv, name="csv"),
    path("<slug:name>.svg", views.figure_svg, name="svg"),
]
