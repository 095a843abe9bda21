"""What operators and load balancers ask. For everybody, since they have no account."""

from dataclasses import asdict
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from labeling import health


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 while requests can be served, else 503; and what of it is wrong."""
    found = health.look()
    status = HTTPStatus.OK if found.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse({"status": "ok" if found.is_ready else "unavailable", **asdict(found)}, status=status)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all. Asks nothing of others: to start it anew would not mend them."""
    return JsonResponse({"status": "ok"})
