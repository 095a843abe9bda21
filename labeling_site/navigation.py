"""The menu at the side of every page: the program's pages, then what the admin lists for this person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from labeling import workers
from labeling.models import Project
from reviews.access import may_manage


def may_enter(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_staff", False))


def may_review(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("reviews.add_review")) or is_manager(request)


def may_label(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("labeling.change_labelingrun"))


def may_see_runs(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("labeling.view_labelingrun"))


def is_manager(request: HttpRequest) -> bool:
    return may_manage(request.user)


@dataclass(frozen=True)
class Entry:
    """One line of the menu: where it leads, who sees it, and other pages that belong to it."""

    title: str
    icon: str
    page: str
    is_for: Callable[[HttpRequest], bool]
    pages_below: tuple[str, ...] = ()

    def for_menu(self, request: HttpRequest) -> dict[str, Any]:
        link = reverse(self.page)
        beginnings = [link, *map(reverse, self.pages_below)]
        is_active = request.path == link or any(request.path.startswith(one) for one in beginnings if one != "/")
        shown = {"title": self.title, "icon": self.icon, "link": link}
        return shown | {"active": is_active, "permission": self.is_for}


ENTRIES = (
    Entry("Dashboard", "dashboard", "home", may_enter),
    Entry("Projects", "folder_open", "projects:list", may_enter),
    Entry("Label", "new_label", "label:page", may_label),
    Entry("Runs", "play_circle", "runs:list", may_see_runs),
    Entry("Review", "rate_review", "review", may_review, ("reviews:projects",)),
    Entry("Statistics", "monitoring", "statistics:page", is_manager),
    Entry("Error budget", "verified", "budget:projects", is_manager),
    Entry("Agreement", "balance", "analytics:projects", is_manager),
    Entry("API", "api", "docs", may_enter, ("redoc",)),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    pages = [entry.for_menu(request) for entry in ENTRIES]
    groups = [_group(app) for app in admin.site.get_app_list(request)]
    return [{"items": pages}, *(group for group in groups if group["items"])]


def worker_notice(request: HttpRequest) -> list[str] | None:
    """A mark on every page for staff while nothing works in the background; the text and the theme's colour."""
    if not getattr(request.user, "is_staff", False) or workers.alive().exists():
        return None
    return ["No worker running", "danger"]


def _group(app: dict[str, Any]) -> dict[str, Any]:
    # Who may only read the admin's list of projects has the page of that name, which says more, above.
    models = [m for m in app["models"] if m["admin_url"] and (m["model"] is not Project or m["perms"]["change"])]
    return {"title": app["name"], "items": [{"title": m["name"], "link": m["admin_url"]} for m in models]}
