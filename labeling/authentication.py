"""How programs say who they are: `Authorization: Bearer KEY`."""

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from labeling import api_keys
from labeling.models import ApiKey

KEYWORD = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """The key's user; `request.auth` is the key. Requests without one are left to the other ways of signing in."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        keyword, _, key = get_authorization_header(request).decode("latin-1").partition(" ")
        if keyword.lower() != KEYWORD.lower():
            return None
        found = api_keys.authenticate(key.strip())
        if found is None:  # one answer for wrong, expired and revoked: it tells a guesser nothing
            raise AuthenticationFailed("This API key is wrong, expired or revoked. Make one: manage.py create_api_key")
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return f'{KEYWORD} realm="api"'


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes it."""

    target_class = "labeling.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key made by `manage.py create_api_key`."}
