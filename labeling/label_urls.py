"""Addresses of the page that labels texts."""

from django.urls import path

from labeling import label_views

app_name = "label"

urlpatterns = [
    path("", label_views.label_page, name="page"),
    path("many/", label_views.label_many, name="many"),
]
