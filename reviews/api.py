"""The review API: each verb finds the rows, calls one function, and shows what came out."""

from http import HTTPStatus
from typing import Any, NoReturn

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from labeling import idempotency
from labeling.lookups import find_project
from labeling.models import Category, Project
from labeling.models.api_key import Scope
from labeling.openapi import sent
from labeling.permissions import HasScope
from labeling.problems import Problem
from labeling.requests import asked, checked
from labeling.viewsets import Resource
from reviews import decisions, lookups, pending, problems, queue, refusals, serializers, undoing
from reviews.access import may_manage, reviewer_of
from reviews.decisions import Decision
from reviews.filters import NOT_TOGETHER, Filters
from reviews.models import Action, Review, Reviewer
from reviews.queue import Nothing
from reviews.review_filters import ReviewFilters

KEY_HEADER = "Idempotency-Key"
REPEATED = OpenApiResponse(serializers.ReviewSerializer, "The same key again: the review that was written first.")
ANSWERS = {201: serializers.ReviewSerializer, 200: REPEATED}


class MayReview(HasScope):
    scope = Scope.REVIEW
    permission = "reviews.add_review"


class MayRead(HasScope):
    scope = Scope.READ
    permission = "reviews.view_review"


class ReviewViewSet(Resource):
    """Texts that wait for the signed-in reviewer, what can be decided about them, and what was."""

    queryset = Review.objects.select_related("text", "reviewer__user", "category_before", "category_after")
    serializer_class = serializers.ReviewSerializer
    filterset_class = ReviewFilters
    project_path = "text__project"
    may_read = MayRead
    may_write = MayReview
    repeatable_after = idempotency.QUICK  # one_review_per_idempotency_key

    def get_queryset(self) -> QuerySet[Review]:
        """Managers see everybody's reviews, others their own: those of others could sway them."""
        rows = super().get_queryset().defer("text__content", "text__metadata")
        return rows if may_manage(self.request.user) else rows.filter(reviewer__user_id=self.request.user.pk)

    def list(self, request: Request) -> Response:
        """Reviews that you may see, newest first: your own, or as a manager everybody's."""
        return self.page()

    def retrieve(self, request: Request, pk: str) -> Response:
        """One review. About a text of the blind audit it keeps silent on the model's label."""
        return Response(self.get_serializer(self.get_object()).data)

    def problem_of(self, error: Exception) -> Exception:
        return problems.of(error)

    @extend_schema(parameters=[serializers.PendingQuery], responses=serializers.PendingAnswer)
    @action(detail=False, permission_classes=[MayReview], pagination_class=None, filterset_class=None)
    def pending(self, request: Request) -> Response:
        """Texts that wait for you, most urgent first. With claim=true they are put on your desk."""
        wanted = asked(serializers.PendingQuery, request)
        project = find_project(request, wanted["project"])
        reviewer = reviewer_of(request.user, project)
        find, limit = (pending.claim, 1) if wanted["claim"] else (pending.look, 20)
        found = find(reviewer, project, filters=_filters(project, wanted), limit=wanted.get("limit", limit))
        return Response(_document(project, found))

    @extend_schema(
        request=serializers.ApproveBody, responses=ANSWERS, examples=[sent({"label_id": 31, "comment": "Clear."})]
    )
    @action(detail=False, methods=["post"])
    def approve(self, request: Request) -> Response:
        """The label is right."""
        return _judge(request, Action.APPROVE, serializers.ApproveBody)

    @extend_schema(
        request=serializers.RejectBody, responses=ANSWERS, examples=[sent({"label_id": 31, "category": "Business"})]
    )
    @action(detail=False, methods=["post"])
    def reject(self, request: Request) -> Response:
        """The label is wrong; this is the right category."""
        return _judge(request, Action.REJECT, serializers.RejectBody)

    @extend_schema(
        request=serializers.ModifyBody, responses=ANSWERS, examples=[sent({"label_id": 31, "confidence": 0.95})]
    )
    @action(detail=False, methods=["post"])
    def modify(self, request: Request) -> Response:
        """The label with another category, another confidence, or both."""
        return _judge(request, Action.MODIFY, serializers.ModifyBody)

    @extend_schema(
        request=serializers.DecideBody, responses=ANSWERS, examples=[sent({"text_id": 12, "category": "Weather"})]
    )
    @action(detail=False, methods=["post"])
    def decide(self, request: Request) -> Response:
        """The category of a text whose label was not shown."""
        return _judge(request, Action.DECIDE, serializers.DecideBody)

    @extend_schema(request=serializers.SkipBody, responses=ANSWERS, examples=[sent({"text_id": 12})])
    @action(detail=False, methods=["post"])
    def skip(self, request: Request) -> Response:
        """Not now: the text comes after all others."""
        return _judge(request, Action.SKIP, serializers.SkipBody)

    @extend_schema(
        request=serializers.FlagBody, responses=ANSWERS, examples=[sent({"text_id": 12, "comment": "Unreadable."})]
    )
    @action(detail=False, methods=["post"])
    def flag(self, request: Request) -> Response:
        """Something is wrong with the text: a manager looks at it."""
        return _judge(request, Action.FLAG, serializers.FlagBody)

    @extend_schema(
        request=serializers.UndoBody,
        responses={201: serializers.ReviewSerializer},
        examples=[sent({"review_id": 7})],
    )
    @action(detail=False, methods=["post"], repeatable_after=None)  # an undo carries no key, and may name no review
    def undo(self, request: Request) -> Response:
        """Take a review of yours back. Name it, so that the request sent twice does not undo two."""
        review = _review_to_undo(request, checked(serializers.UndoBody, request.data).get("review_id"))
        reviewer = reviewer_of(request.user, review.text.project)
        undone, _ = undoing.take_back(reviewer, review.pk)
        return _shown(undone, is_new=True)

    @extend_schema(
        request=serializers.ReleaseBody, responses=serializers.CountAnswer, examples=[sent({"text_ids": [12, 15]})]
    )
    @action(detail=False, methods=["post"])
    def release(self, request: Request) -> Response:
        """Take texts off your desk; counts those that lay there."""
        text_ids = checked(serializers.ReleaseBody, request.data).get("text_ids")
        reviewer = lookups.profile_of(request.user)
        return Response({"count": queue.release(reviewer, lookups.on_desk(request, reviewer, text_ids))})

    @extend_schema(
        request=serializers.ExtendBody, responses=serializers.CountAnswer, examples=[sent({"text_ids": [12, 15]})]
    )
    @action(detail=False, methods=["post"])
    def extend(self, request: Request) -> Response:
        """Keep texts on your desk for longer; counts those that are still yours."""
        text_ids = checked(serializers.ExtendBody, request.data)["text_ids"]
        reviewer = lookups.profile_of(request.user)
        return Response({"count": queue.extend(reviewer, lookups.on_desk(request, reviewer, text_ids) or ())})


# --- The queue --------------------------------------------------------------------------------------------------------


def _filters(project: Project, wanted: dict[str, Any]) -> Filters:
    category = wanted.get("category")
    filters = Filters(
        category_id=None if category is None else lookups.find_category(project, category).pk,
        min_confidence=wanted.get("min_confidence"),
        max_confidence=wanted.get("max_confidence"),
        run_id=wanted.get("run"),
        source=wanted.get("source"),
        language=wanted.get("language"),
        words=wanted.get("q"),
        only_audit=wanted["only_audit"] or None,
    )
    if filters.leave_nothing:
        raise ValidationError({"only_audit": [NOT_TOGETHER]})
    return filters


def _document(project: Project, found: list[pending.Pending] | Nothing) -> dict[str, Any]:
    nothing = found if isinstance(found, Nothing) else None
    rows = [] if isinstance(found, Nothing) else found
    document = {"results": rows, "empty_reason": nothing}
    names = {category.pk: category.name for category in project.shown_categories()}
    return dict(serializers.PendingAnswer(document, context={"category_names": names}).data)


# --- Decisions --------------------------------------------------------------------------------------------------------


def _judge(request: Request, verb: Action, body: type[Serializer]) -> Response:
    """Read a decision, record it, and show the review."""
    wanted = checked(body, _with_key(request))
    text = lookups.find_text(request, wanted)
    reviewer = reviewer_of(request.user, text.project)
    category = wanted.get("category")
    decision = Decision(
        verb,
        label_id=wanted.get("label_id"),
        category_id=None if category is None else lookups.find_category(text.project, category).pk,
        confidence=wanted.get("confidence"),
        comment=wanted["comment"],
        idempotency_key=wanted["idempotency_key"],
    )
    review, is_new = _record_once(reviewer, text.pk, decision)
    return _shown(review, is_new=is_new)


def _record_once(reviewer: Reviewer, text_id: int, decision: Decision) -> tuple[Review, bool]:
    """The review, and whether it is new."""
    repeated = decisions.written_before(reviewer, decision.idempotency_key)
    review = repeated or decisions.record(reviewer, text_id, decision)
    if not _says(review, text_id, decision):
        _refuse_key(review)
    return review, repeated is None


def _says(review: Review, text_id: int, decision: Decision) -> bool:
    """Whether the review is of this decision, also where its category has been merged into another one since."""
    said = (review.text_id, review.action, review.confidence_after)
    if said != (text_id, decision.action, decision.confidence):
        return False
    if decision.category_id in (None, review.category_after_id):
        return True
    chosen = Category.objects.filter(pk__in=(decision.category_id, review.category_after_id))
    return len({category.merged_into_id or category.pk for category in chosen}) == 1


def _refuse_key(review: Review) -> NoReturn:
    """Answering with a review of something else would drop this decision in silence."""
    detail = f"Review {review.pk} of text {review.text_id} has this key. Use a new one."
    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)


def _review_to_undo(request: Request, review_id: int | None) -> Review:
    """A review of this user, so that its project can be asked for the right to change it."""
    mine = lookups.within_key(request, Review.objects.filter(reviewer__user_id=request.user.pk), "text__project")
    mine = mine.filter(reverted_by__isnull=True)
    if review_id is not None:
        mine = mine.filter(pk=review_id)
    review = mine.exclude(action=Action.UNDO).select_related("text__project").order_by("-pk").first()
    if review is None:
        raise refusals.NothingToUndo("There is no such review of yours that is not undone.")
    return review


# --- In and out -------------------------------------------------------------------------------------------------------


def _with_key(request: Request) -> Any:
    """The body, with the key of the header where it has none of its own, or an empty one. A form stays a form."""
    header = request.headers.get(KEY_HEADER)
    if header is None or not isinstance(request.data, dict) or request.data.get("idempotency_key", "") != "":
        return request.data
    body = request.data.copy()
    body["idempotency_key"] = header
    return body


def _shown(review: Review, *, is_new: bool) -> Response:
    return Response(serializers.ReviewSerializer(review).data, status=201 if is_new else 200)
