"""What a request to the API may do."""

from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from labeling.models import ApiKey
from labeling.models.api_key import Scope


class HasScope(BasePermission):
    """The user has the Django permission, and a key, where there is one, has the scope besides.

    A key is asked for both, so that it ends with its user's rights. To be subclassed with the two names.
    """

    scope: ClassVar[Scope]
    permission: ClassVar[str]

    def has_permission(self, request: Request, view: Any) -> bool:
        key = request.auth
        if isinstance(key, ApiKey) and self.scope not in key.scopes:
            self.message = f"This API key lacks the scope '{self.scope}'. Make one that has it."
            return False
        self.message = f"You lack the permission '{self.permission}'. Ask a manager for it."
        return bool(request.user.is_active and request.user.has_perm(self.permission))
