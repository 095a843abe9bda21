"""Addresses of the import wizard, under projects/<id>/import/."""

from django.urls import path

from labeling import import_views as views

app_name = "imports"

urlpatterns = [
    path("", views.upload_page, name="upload"),
    path("<int:import_id>/", views.import_page, name="import"),
    path("<int:import_id>/start/", views.start, name="start"),
    path("<int:import_id>/cancel/", views.cancel, name="cancel"),
    path("<int:import_id>/label/", views.label, name="label"),
    path("<int:import_id>/progress.json", views.progress_json, name="progress"),
    path("<int:import_id>/rejected.csv", views.rejected_csv, name="rejected"),
]
