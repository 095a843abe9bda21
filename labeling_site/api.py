"""The addresses of the API. Each works with and without a slash at its end."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from analytics.api import BudgetViewSet, CertificateViewSet
from analytics.statistics_api import StatisticsViewSet
from labeling.api import RunViewSet
from labeling.category_api import CategoryViewSet
from labeling.classifier_api import ClassifierViewSet
from labeling.export_api import ExportViewSet
from labeling.import_api import ImportViewSet
from labeling.key_api import KeyViewSet
from labeling.label_api import LabelingViewSet
from labeling.text_api import LabelViewSet, TextViewSet
from labeling_site.documentation import SchemaView
from reviews.api import ReviewViewSet
from reviews.assignment_api import AssignmentViewSet
from reviews.project_api import ProjectViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("reviews", ReviewViewSet, basename="review")
router.register("label", LabelingViewSet, basename="labeling")
router.register("texts", TextViewSet, basename="text")
router.register("labels", LabelViewSet, basename="label")
router.register("assignments", AssignmentViewSet, basename="assignment")
router.register("classifiers", ClassifierViewSet, basename="classifier")
router.register("keys", KeyViewSet, basename="key")
router.register("runs", RunViewSet, basename="run")
router.register("imports", ImportViewSet, basename="import")
router.register("exports", ExportViewSet, basename="export")
router.register("certificates", CertificateViewSet, basename="certificate")
router.register("projects", ProjectViewSet, basename="project")
router.register("statistics", StatisticsViewSet, basename="statistics")
router.register("projects", BudgetViewSet, basename="budget")
router.register("categories", CategoryViewSet, basename="category")

urlpatterns = [re_path(r"^schema/?$", SchemaView.as_view(), name="schema"), *router.urls]
