"""The form by which people sign in."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

WRONG = "The user name or the password is wrong. Both may be case-sensitive."
NO_PART = "Your account has no part in this program yet. Ask a manager to make you a reviewer."


class SignInForm(AuthenticationForm):
    """Lets staff in: managers, and reviewers, who are made staff when they are added."""

    error_messages = AuthenticationForm.error_messages | {"invalid_login": WRONG}

    def confirm_login_allowed(self, user: User) -> None:
        """Who knows the password is told the reason, and what to do."""
        if user.is_active and not user.is_staff:
            raise ValidationError(NO_PART, code="no_part")
        super().confirm_login_allowed(user)
