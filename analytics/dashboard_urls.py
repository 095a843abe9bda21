"""What the start page asks while somebody looks at it, under dashboard/."""

from django.urls import path

from analytics import dashboard_views as views

app_name = "dashboard"

urlpatterns = [
    path("live.json", views.live_json, name="live"),
    path("<int:project_id>/label/", views.label, name="label"),
    path("<int:project_id>/proof.json", views.proof_json, name="proof"),
]
