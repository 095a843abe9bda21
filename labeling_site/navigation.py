"""The menu at the side of every page: the review desk, then what the admin lists for this person."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from labeling import workers
from reviews.access import may_manage


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    link = reverse("reviews:projects")
    desk = {
        "title": "Review desk",
        "icon": "rate_review",
        "link": link,
        "active": request.path.startswith(link),
        "permission": may_review,
    }
    figures = reverse("analytics:projects")
    agreement = {
        "title": "Agreement",
        "icon": "balance",
        "link": figures,
        "active": request.path.startswith(figures),
        "permission": is_manager,
    }
    budget = reverse("budget:projects")
    proof = {
        "title": "Error budget",
        "icon": "verified",
        "link": budget,
        "active": request.path.startswith(budget),
        "permission": is_manager,
    }
    return [{"items": [desk, agreement, proof]}, *(_group(app) for app in admin.site.get_app_list(request))]


def worker_notice(request: HttpRequest) -> list[str] | None:
    """A mark on every page for staff while nothing works in the background; the text and the theme's colour."""
    if not getattr(request.user, "is_staff", False) or workers.alive().exists():
        return None
    return ["No worker running", "danger"]


def may_review(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("reviews.add_review"))


def is_manager(request: HttpRequest) -> bool:
    return may_manage(request.user)


def _group(app: dict[str, Any]) -> dict[str, Any]:
    models = [model for model in app["models"] if model["admin_url"]]
    return {"title": app["name"], "items": [{"title": m["name"], "link": m["admin_url"]} for m in models]}
