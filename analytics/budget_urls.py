"""Addresses of the error budget, under admin/budget/."""

from django.urls import path

from analytics import budget_views as views

app_name = "budget"

urlpatterns = [
    path("", views.projects_page, name="projects"),
    path("<int:project_id>/", views.budget_page, name="page"),
    path("<int:project_id>/plan.json", views.plan_json, name="plan"),
    path("<int:project_id>/quality/", views.quality_page, name="quality"),
    path("<int:project_id>/draw/", views.draw, name="draw"),
    path("<int:project_id>/certify/", views.certify, name="certify"),
    path("<int:project_id>/certificates/<int:certificate_id>/", views.certificate_page, name="certificate"),
    path("<int:project_id>/certificates/<int:certificate_id>/apply/", views.apply, name="apply"),
    path("<int:project_id>/certificates/<int:certificate_id>/unapply/", views.unapply, name="unapply"),
]
