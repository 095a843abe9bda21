"""Addresses of the review desk, under admin/review/."""

from django.urls import path

from reviews import views

app_name = "reviews"

urlpatterns = [
    path("", views.projects_page, name="projects"),
    path("<int:project_id>/", views.desk_page, name="desk"),
    path("<int:project_id>/next/", views.next_text, name="next"),
    path("<int:project_id>/decide/", views.decide, name="decide"),
    path("<int:project_id>/undo/", views.undo, name="undo"),
    path("<int:project_id>/keep/", views.keep, name="keep"),
    path("<int:project_id>/leave/", views.leave, name="leave"),
]
