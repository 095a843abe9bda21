"""Every address of the program outside of the admin and the API, what it is, and what its arguments are in a world
that has some of everything. A test fails when an address is added and not listed here."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from labeling import categories, certification, prompts
from labeling.choices import ImportStatus, RunStatus, TextStatus
from labeling.models import Category, ImportRecord, LabelingRun, Project, PromptVersion, Text
from reviews.decisions import Decision, record
from reviews.models import Action, Assignment, QueueReason, Reviewer
from tests.analytics.budgets import add_audited, add_learned

ELSEWHERE = ("admin", "api")  # what stands in the admin and the API has tests of its own


class Kind(Enum):
    PAGE = auto()  # HTML in the program's frame
    PACKAGED = auto()  # HTML that a package draws within the frame
    DATA = auto()  # JSON or a file, for those who may see the page
    VERB = auto()  # a change, by POST only
    OPEN = auto()  # for everybody, without an account
    LEADS_ON = auto()  # to another address


@dataclass(frozen=True)
class Address:
    kind: Kind
    args: tuple[str, ...] = ()  # names of the world's keys
    query: str = ""  # names keys of the world in braces


P, T, IMPORT = ("project",), ("project", "text"), ("project", "import")
CATEGORY, MEMBER = ("project", "category"), ("project", "reviewer")
ADDRESSES = {
    "home": Address(Kind.PAGE),
    "review": Address(Kind.LEADS_ON),
    "login": Address(Kind.OPEN),
    "welcome": Address(Kind.OPEN, ("somebody", "token")),
    "health": Address(Kind.OPEN),
    "health_live": Address(Kind.OPEN),
    "dashboard:live": Address(Kind.DATA),
    "dashboard:proof": Address(Kind.DATA, P),
    "dashboard:label": Address(Kind.VERB, P),
    "projects:list": Address(Kind.PAGE),
    "projects:new": Address(Kind.PAGE, query="?set=topics"),
    "projects:overview": Address(Kind.PAGE, P),
    "projects:edit": Address(Kind.PAGE, P),
    "projects:archive": Address(Kind.VERB, P),
    "projects:categories": Address(Kind.PAGE, P),
    "projects:new_category": Address(Kind.PAGE, P),
    "projects:reorder": Address(Kind.VERB, P),
    "projects:label_anew": Address(Kind.VERB, P),
    "projects:category": Address(Kind.PAGE, CATEGORY),
    "projects:move": Address(Kind.VERB, CATEGORY),
    "projects:retire": Address(Kind.VERB, CATEGORY),
    "projects:bring_back": Address(Kind.VERB, CATEGORY),
    "projects:merge": Address(Kind.PAGE, CATEGORY),
    "projects:members": Address(Kind.PAGE, P),
    "projects:remove_member": Address(Kind.VERB, MEMBER),
    "projects:member_link": Address(Kind.VERB, MEMBER),
    "projects:prompt": Address(Kind.PAGE, P),
    "projects:prompt_preview": Address(Kind.VERB, P),
    "label:page": Address(Kind.PAGE),
    "label:many": Address(Kind.VERB),
    "runs:list": Address(Kind.PAGE),
    "runs:run": Address(Kind.PAGE, ("run",)),
    "runs:progress": Address(Kind.DATA, ("run",)),
    "runs:verb": Address(Kind.VERB, ("run", "verb")),
    "imports:upload": Address(Kind.PAGE, P),
    "imports:import": Address(Kind.PAGE, IMPORT),
    "imports:start": Address(Kind.VERB, IMPORT),
    "imports:cancel": Address(Kind.VERB, IMPORT),
    "imports:label": Address(Kind.VERB, IMPORT),
    "imports:progress": Address(Kind.DATA, IMPORT),
    "imports:rejected": Address(Kind.DATA, IMPORT),
    "exports:page": Address(Kind.PAGE, P),
    "exports:download": Address(Kind.DATA, P, "?only=all&file_format=csv"),
    "reviews:projects": Address(Kind.PAGE),
    "reviews:desk": Address(Kind.PAGE, P),
    "reviews:next": Address(Kind.VERB, P),
    "reviews:decide": Address(Kind.VERB, P),
    "reviews:undo": Address(Kind.VERB, P),
    "reviews:keep": Address(Kind.VERB, P),
    "reviews:leave": Address(Kind.VERB, P),
    "reviews:keys": Address(Kind.VERB, P),
    "reviews:similar": Address(Kind.DATA, ("project", "claimed")),
    "reviews:live": Address(Kind.PAGE, P),
    "reviews:live_json": Address(Kind.DATA, P),
    "reviews:cases": Address(Kind.PAGE, P),
    "reviews:adjudicate": Address(Kind.VERB, T),
    "reviews:return_to_queue": Address(Kind.VERB, T),
    "reviews:accept_proposal": Address(Kind.VERB, P),
    "reviews:second_look": Address(Kind.PAGE, P),
    "reviews:look_again": Address(Kind.VERB, T),
    "reviews:new_categories": Address(Kind.PAGE, P),
    "reviews:create_category": Address(Kind.VERB, P),
    "reviews:list": Address(Kind.PAGE, P),
    "reviews:list_preview": Address(Kind.VERB, P),
    "reviews:list_apply": Address(Kind.VERB, P),
    "reviews:list_undo": Address(Kind.VERB, P),
    "reviews:near_duplicates": Address(Kind.PAGE, P),
    "reviews:text_history": Address(Kind.PAGE, ("text",)),
    "reviews:reviewer_history": Address(Kind.PAGE, ("reviewer",)),
    "docs": Address(Kind.PACKAGED),
    "redoc": Address(Kind.PACKAGED),
    "redoc-script": Address(Kind.OPEN),
    "statistics:page": Address(Kind.PAGE, query="?project=News"),
    "statistics:count": Address(Kind.VERB),
    "statistics:cell": Address(Kind.PAGE, query="?project=News&machine={category}&human={category}"),
    "statistics:report": Address(Kind.DATA, ("format",), "?project=News"),
    "statistics:csv": Address(Kind.DATA, ("figure",), "?project=News"),
    "statistics:svg": Address(Kind.DATA, ("figure",), "?project=News"),
    "analytics:projects": Address(Kind.PAGE),
    "analytics:agreement": Address(Kind.PAGE, P),
    "budget:projects": Address(Kind.PAGE),
    "budget:page": Address(Kind.PAGE, P),
    "budget:plan": Address(Kind.DATA, P),
    "budget:quality": Address(Kind.PAGE, P),
    "budget:draw": Address(Kind.PAGE, P, "?size=10"),
    "budget:certify": Address(Kind.PAGE, P, "?promise=dataset&budget=5&confidence=95"),
    "budget:certificate": Address(Kind.PAGE, ("project", "certificate")),
    "budget:apply": Address(Kind.PAGE, ("project", "certificate")),
    "budget:unapply": Address(Kind.LEADS_ON, ("project", "certificate")),
}


def found_names() -> set[str]:
    """The names of all addresses that the resolver knows, outside of the admin and the API."""
    return set(_names(get_resolver().url_patterns, ()))


def _names(patterns: list[Any], namespaces: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if str(pattern.pattern).strip("/") not in ELSEWHERE and pattern.namespace not in ELSEWHERE:
                below = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
                yield from _names(pattern.url_patterns, below)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield ":".join((*namespaces, pattern.name))


def addresses(world: dict[str, Any], *kinds: Kind) -> list[str]:
    """The paths of these kinds in this world."""
    return [
        reverse(name, args=[world[key] for key in address.args]) + address.query.format(**world)
        for name, address in ADDRESSES.items()
        if address.kind in kinds
    ]


def build_world(manager: User) -> dict[str, Any]:
    """Some of everything, so that no page is empty: for this manager, who reviews as well."""
    project = Project.objects.create(name="News", audit_share=0.0)
    for position, name in enumerate(["Sports", "Business", "Weather"]):
        Category.objects.create(project=project, name=name, position=position, color="#1f77b4")
    Project.objects.create(name="Customer mail, a project with a rather long name")
    reviewer = _reviewer(manager, project)
    colleague = _reviewer(User.objects.create_user("anna", is_staff=True), project)
    add_audited(project, reviewer, texts=400)
    certificate = certification.certify(project, promise="dataset", budget=0.1, user=manager)
    claimed, text = _reviewed(project, reviewer, colleague)
    add_learned(project, accuracy=0.8)
    add_learned(project, accuracy=0.87)
    _dress(project, manager)
    run = LabelingRun.objects.create(
        project=project, provider="keyword", threshold=0.8, audit_share=0.0, total=400, status=RunStatus.PAUSED
    )
    imported = ImportRecord.objects.create(
        project=project, file_name="news.csv", file_format="csv", status=ImportStatus.FINISHED, added=400
    )
    imported.rejected_rows.create(line=7, reason="has no 'text'", values={"id": 7})
    return {
        "project": project.pk,
        "import": imported.pk,
        "run": run.pk,
        "verb": "pause",
        "text": text.pk,
        "claimed": claimed.pk,
        "reviewer": colleague.pk,
        "certificate": certificate.pk,
        "category": project.active_categories()[0].pk,
        "format": "html",
        "figure": "status",
        "somebody": urlsafe_base64_encode(force_bytes(manager.pk)),
        "token": default_token_generator.make_token(manager),
    }


def _reviewer(user: User, project: Project) -> Reviewer:
    user.groups.add(Group.objects.get(name="Reviewers"))
    reviewer = Reviewer.objects.create(user=user)
    reviewer.projects.add(project)
    return reviewer


def _dress(project: Project, manager: User) -> None:
    """Long words, examples, a retired and a merged category, two versions of the prompt."""
    sports, business, weather = project.shown_categories()
    examples = ["The home team won.", "Two goals in the last minute."]
    categories.edit(sports, {"shortcut": "p", "description": "Matches and players.", "examples": examples})
    categories.edit(business, {"color": "#2ca02c", "description": "Companies, markets, jobs and prices. " * 3})
    categories.retire(categories.add(project, "Culture"))
    merged = categories.add(project, "Politics")
    Category.objects.filter(pk=merged.pk).update(is_active=False, merged_into=weather)
    Project.objects.filter(pk=project.pk).update(instructions="Go by what most of the text is about.\n\nDo not guess.")
    prompts.save(PromptVersion(project=project, template="Sort this into {categories}:\n{text}"), user=manager)
    prompts.save(PromptVersion(project=project, template="Decide: {text}", hypothesis="It is about {}."), user=manager)


def _reviewed(project: Project, reviewer: Reviewer, colleague: Reviewer) -> tuple[Text, Text]:
    """A text on the manager's desk, and one that a colleague flagged."""
    unsure = Text.objects.filter(project=project, is_audit=False, status=TextStatus.NEEDS_REVIEW).order_by("pk")
    claimed, text, decided = unsure[:3]
    record(colleague, text.pk, Decision(Action.FLAG, text.current_label_id, comment="What is this?"))
    record(colleague, decided.pk, Decision(Action.APPROVE, decided.current_label_id, seconds_spent=4.0))
    Assignment.objects.create(text=claimed, reviewer=reviewer, reason=QueueReason.UNCERTAIN)
    return claimed, text
