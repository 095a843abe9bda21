"""What every request to the API passes before and after its view: limits, and one effect for what is sent again."""

import hashlib
import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling import idempotency, throttling
from labeling.idempotency import Answer, Hashing
from labeling.models import IdempotentRequest
from labeling.problems import Problem
from labeling.requests import caller_of, is_chunked

KEPT_HEADERS = ("Content-Type", "Location")
REPLAYED = "Idempotency-Replayed"


class AnsweredBefore(Exception):
    """Carries the answer past the view."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Guarded(APIView):
    """`repeatable_after` is a time for POSTs of which a constraint of the database makes once what they do twice.

    None of them takes as long, so that one which was not answered by then is carried out again.

    `secrets` are fields of answers that are shown once: they are not kept, and null where an answer is given again.
    """

    repeatable_after: ClassVar[timedelta | None] = None
    secrets: ClassVar[tuple[str, ...]] = ()

    stream: Hashing | None = None
    noted: IdempotentRequest | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        if request.method == "POST" and idempotency.HEADER in request.headers:
            self.stream = _hashed(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttling.count_address(request)
        super().initial(request, *args, **kwargs)
        if self.stream is not None:
            self._begin(request)

    def check_throttles(self, request: Request) -> None:
        throttling.count_caller(request)

    def handle_exception(self, exc: Exception) -> HttpResponseBase:
        if isinstance(exc, AnsweredBefore):
            headers = exc.answer.headers | {REPLAYED: "true"}
            return HttpResponse(exc.answer.body, status=exc.answer.status, headers=headers)
        self._forget()
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        final: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        if self.noted is not None:
            if final.status_code >= HTTPStatus.BAD_REQUEST or final.streaming:
                self._forget()
            elif isinstance(final, Response):
                final.add_post_render_callback(self._keep)
            else:
                self._keep(final)
        return final

    # --- One effect ---------------------------------------------------------------------------------------------------

    def _begin(self, request: Request) -> None:
        key = request.headers[idempotency.HEADER]
        if not idempotency.KEY.fullmatch(key):
            raise ValidationError({idempotency.HEADER: ["Use 1 to 64 letters, digits and signs, such as a UUID."]})
        try:
            found = idempotency.begin(
                caller_of(request), key, self._fingerprint, repeatable_after=self.repeatable_after
            )
        except idempotency.KeyReused as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", str(error)) from None
        except idempotency.InProgress as error:
            raise Problem(HTTPStatus.CONFLICT, "request_in_progress", str(error)) from None
        except idempotency.OutcomeUnknown as error:
            raise Problem(HTTPStatus.CONFLICT, "outcome_unknown", str(error)) from None
        if isinstance(found, Answer):
            raise AnsweredBefore(found)
        self.noted = found

    def _keep(self, response: Any) -> None:
        assert self.noted is not None
        body = response.content
        if self.secrets:
            body = json.dumps(json.loads(body) | dict.fromkeys(self.secrets)).encode()
        headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        idempotency.keep(self.noted, self._fingerprint(), Answer(response.status_code, headers, body))

    def _forget(self) -> None:
        if self.noted is not None:
            idempotency.forget(self.noted)
            self.noted = None

    def _fingerprint(self) -> str:
        assert self.stream is not None
        if (self.request.content_type or "").startswith("multipart/"):
            return _of_parts(self.request)
        return self.stream.fingerprint()


def _hashed(request: HttpRequest) -> Hashing:
    """The request's body, put in the place of the stream that it is read from."""
    begin_with = f"POST {request.get_full_path()}\n"
    if is_chunked(request.META):  # Django's own stream ends at once, where no length is told
        request.META["wsgi.input"] = hashing = Hashing(request.META["wsgi.input"], begin_with=begin_with)
        return hashing
    request._stream = hashing = Hashing(request._stream, begin_with=begin_with)  # type: ignore[assignment]
    return hashing


def _of_parts(request: Request) -> str:
    """Of a form with files, whose parts are told apart by words that differ each time it is sent."""
    parts = [("POST", request.get_full_path())]
    parts += [(name, value) for name, values in request.POST.lists() for value in values]
    for name, files in request.FILES.lists():
        for file in files:
            file.seek(0)
            digest = hashlib.sha256()
            for piece in file.chunks():
                digest.update(piece)
            file.seek(0)
            parts.append((f"{name}:{file.name}", digest.hexdigest()))
    return hashlib.sha256(json.dumps(sorted(parts)).encode()).hexdigest()
