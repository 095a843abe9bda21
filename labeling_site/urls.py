"""All addresses of the program."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/review/", include("reviews.urls")),
    path("admin/agreement/", include("analytics.urls")),
    path("admin/budget/", include("analytics.budget_urls")),
    path("admin/", admin.site.urls),
    path("api/", include("labeling_site.api")),
]
