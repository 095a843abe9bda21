"""Addresses of the figures for managers, under admin/agreement/."""

from django.urls import path

from analytics import views

app_name = "analytics"

urlpatterns = [
    path("", views.projects_page, name="projects"),
    path("<int:project_id>/", views.agreement_page, name="agreement"),
]
