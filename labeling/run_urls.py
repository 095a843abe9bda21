"""Addresses of the pages of runs."""

from django.urls import path

from labeling import run_views

app_name = "runs"

urlpatterns = [
    path("", run_views.runs_page, name="list"),
    path("<int:pk>/", run_views.run_page, name="run"),
    path("<int:pk>/progress.json", run_views.progress_json, name="progress"),
    path("<int:pk>/<slug:verb>/", run_views.verb, name="verb"),
]
