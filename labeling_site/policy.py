"""What browsers may do with the program's pages: nothing that comes from elsewhere, and no script within a page."""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse

STRICT = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# The theme's frame around the admin's own pages is built by Alpine.js, which compiles what stands in attributes, and
# writes its colours into the page. Neither is needed by the program's pages, which have a frame of their own.
OF_THE_ADMIN = STRICT | {"script-src": "'self' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
UNUSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
PERMISSIONS = ", ".join(f"{feature}=()" for feature in UNUSED)

Answer = Callable[[HttpRequest], HttpResponse]


def browser_policy(get_response: Answer) -> Answer:
    """Middleware: a policy with every answer. A view that needs another one sets its header itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if not _is_for_developers(response):
            response.headers.setdefault("Content-Security-Policy", header(_policy_for(request)))
        return response

    return middleware


def header(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


def _policy_for(request: HttpRequest) -> Mapping[str, str]:
    found = request.resolver_match
    return OF_THE_ADMIN if found and "admin" in found.namespaces else STRICT


def _is_for_developers(response: HttpResponse) -> bool:
    """Django's own pages about errors have their styles and scripts within."""
    return bool(settings.DEBUG) and response.status_code in (404, 500)
