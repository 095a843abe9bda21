"""Addresses of the export dialog, under projects/<id>/export/."""

from django.urls import path

from labeling import export_views as views

app_name = "exports"

urlpatterns = [
    path("", views.export_page, name="page"),
    path("download/", views.download, name="download"),
]
