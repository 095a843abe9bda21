"""Addresses of projects, under projects/."""

from django.urls import path

from reviews import category_views, member_views, project_views, prompt_views

app_name = "projects"

urlpatterns = [
    path("", project_views.list_page, name="list"),
    path("new/", project_views.new_page, name="new"),
    path("<int:project_id>/", project_views.overview_page, name="overview"),
    path("<int:project_id>/edit/", project_views.edit_page, name="edit"),
    path("<int:project_id>/archive/", project_views.archive, name="archive"),
    path("<int:project_id>/categories/", category_views.list_page, name="categories"),
    path("<int:project_id>/categories/new/", category_views.new_page, name="new_category"),
    path("<int:project_id>/categories/order/", category_views.reorder, name="reorder"),
    path("<int:project_id>/categories/label-anew/", category_views.label_anew, name="label_anew"),
    path("<int:project_id>/categories/<int:category_id>/", category_views.edit_page, name="category"),
    path("<int:project_id>/categories/<int:category_id>/move/", category_views.move, name="move"),
    path("<int:project_id>/categories/<int:category_id>/retire/", category_views.retire, name="retire"),
    path("<int:project_id>/categories/<int:category_id>/bring-back/", category_views.bring_back, name="bring_back"),
    path("<int:project_id>/categories/<int:category_id>/merge/", category_views.merge_page, name="merge"),
    path("<int:project_id>/members/", member_views.list_page, name="members"),
    path("<int:project_id>/members/<int:member_id>/remove/", member_views.remove, name="remove_member"),
    path("<int:project_id>/members/<int:member_id>/link/", member_views.link, name="member_link"),
    path("<int:project_id>/prompt/", prompt_views.prompt_page, name="prompt"),
    path("<int:project_id>/prompt/preview/", prompt_views.preview, name="prompt_preview"),
]
