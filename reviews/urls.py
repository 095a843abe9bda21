"""Addresses of the review desk, under admin/review/."""

from django.urls import path

from reviews import group_views, history_views, list_views, live_views, manager_views, views

app_name = "reviews"

urlpatterns = [
    path("", views.projects_page, name="projects"),
    path("<int:project_id>/", views.desk_page, name="desk"),
    path("<int:project_id>/next/", views.next_text, name="next"),
    path("<int:project_id>/decide/", views.decide, name="decide"),
    path("<int:project_id>/undo/", views.undo, name="undo"),
    path("<int:project_id>/keep/", views.keep, name="keep"),
    path("<int:project_id>/leave/", views.leave, name="leave"),
    path("<int:project_id>/keys/", views.keys, name="keys"),
    path("<int:project_id>/similar/<int:text_id>/", views.similar_texts, name="similar"),
    path("<int:project_id>/live/", live_views.live_page, name="live"),
    path("<int:project_id>/live.json", live_views.live_json, name="live_json"),
    path("<int:project_id>/cases/", manager_views.cases_page, name="cases"),
    path("<int:project_id>/cases/<int:text_id>/decide/", manager_views.adjudicate, name="adjudicate"),
    path("<int:project_id>/cases/<int:text_id>/return/", manager_views.return_to_queue, name="return_to_queue"),
    path("<int:project_id>/proposals/accept/", manager_views.accept_proposal, name="accept_proposal"),
    path("<int:project_id>/second-look/", manager_views.second_look_page, name="second_look"),
    path("<int:project_id>/second-look/<int:text_id>/", manager_views.look_again, name="look_again"),
    path("<int:project_id>/new-categories/", manager_views.new_categories_page, name="new_categories"),
    path("<int:project_id>/new-categories/create/", manager_views.create_category, name="create_category"),
    path("<int:project_id>/list/", list_views.list_page, name="list"),
    path("<int:project_id>/list/preview/", list_views.preview, name="list_preview"),
    path("<int:project_id>/list/apply/", list_views.apply, name="list_apply"),
    path("<int:project_id>/list/undo/", list_views.undo, name="list_undo"),
    path("<int:project_id>/near-duplicates/", group_views.near_duplicates_page, name="near_duplicates"),
    path("history/text/<int:text_id>/", history_views.text_history, name="text_history"),
    path("history/reviewer/<int:reviewer_id>/", history_views.reviewer_history, name="reviewer_history"),
]
