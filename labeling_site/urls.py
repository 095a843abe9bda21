"""All addresses of the program."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from analytics.dashboard_views import dashboard_page
from labeling import health_views
from labeling_site import documentation
from reviews.entry_views import review
from reviews.welcome_views import Welcome

urlpatterns = [
    path("", dashboard_page, name="home"),
    path("dashboard/", include("analytics.dashboard_urls")),
    path("projects/", include("reviews.project_urls")),
    path("label/", include("labeling.label_urls")),
    path("runs/", include("labeling.run_urls")),
    path("review/", review, name="review"),
    path("welcome/<uidb64>/<token>/", Welcome.as_view(), name="welcome"),
    re_path(r"^health/?$", health_views.ready, name="health"),
    re_path(r"^health/live/?$", health_views.live, name="health_live"),
    path("login/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="login"),
    path("statistics/", include("analytics.statistics_urls")),
    path("admin/review/", include("reviews.urls")),
    path("admin/agreement/", include("analytics.urls")),
    path("admin/budget/", include("analytics.budget_urls")),
    path("admin/", RedirectView.as_view(pattern_name="home")),  # the menu lists what the admin's index would
    path("admin/", admin.site.urls),
    path("projects/<int:project_id>/import/", include("labeling.import_urls")),
    re_path(r"^docs/?$", documentation.swagger, name="docs"),
    re_path(r"^redoc/?$", documentation.redoc, name="redoc"),
    path("redoc/redoc.js", documentation.redoc_script, name="redoc-script"),
    path("projects/<int:project_id>/export/", include("labeling.export_urls")),
    path("api/", include("labeling_site.api")),
]

handler400 = "labeling_site.errors.bad_request"
handler403 = "labeling_site.errors.permission_denied"
handler404 = "labeling_site.errors.not_found"
handler500 = "labeling_site.errors.server_error"
