"""The OpenAPI document, and the pages that show it. Both pages are made of local files and run no script of a page."""

import functools
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated

from labeling.guarding import Guarded
from labeling.pages import render_page, staff_page
from labeling_site.policy import STRICT, header

# ReDoc puts its styles into the page by script, and searches in a worker that it builds in memory.
OF_REDOC = STRICT | {"style-src": "'self' 'unsafe-inline'", "worker-src": "'self' blob:"}
REDOC_PICTURE = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@functools.cache
def whole_document() -> dict[str, Any]:
    """It is the same for everybody, and takes a second to make."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


class MadeOnce(SchemaGenerator):
    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        return whole_document()


class SchemaView(Guarded, SpectacularAPIView):
    """The document as YAML, or as JSON with `?format=json` or by `Accept`."""

    generator_class = MadeOnce
    permission_classes = [IsAuthenticated]


@staff_page
def swagger(request: HttpRequest) -> HttpResponseBase:
    """Read the API and try it out."""
    return render_page(request, "labeling_site/swagger.html", {"title": "API"})


@cache_control(max_age=24 * 3600)
def redoc_script(request: HttpRequest) -> HttpResponse:
    """ReDoc as its package has it, without the picture that it would fetch from its maker."""
    return HttpResponse(_redoc_without_pictures(), content_type="text/javascript; charset=utf-8")


@functools.cache
def _redoc_without_pictures() -> str:
    path = finders.find("drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js")
    return Path(str(path)).read_text(encoding="utf-8").replace(REDOC_PICTURE, "data:,")


@staff_page
def redoc(request: HttpRequest) -> HttpResponseBase:
    """Read the API, with everything beside each other."""
    page: HttpResponse = render_page(request, "labeling_site/redoc.html", {"title": "API reference"})
    page.headers["Content-Security-Policy"] = header(OF_REDOC)
    return page
