"""Where a new person chooses a password, by the link that a manager passed on."""

from django.contrib.auth.views import PasswordResetConfirmView
from django.urls import reverse_lazy


class Welcome(PasswordResetConfirmView):
    """The link works once. Who has chosen a password is signed in and sent to the review desk."""

    template_name = "reviews/welcome.html"
    post_reset_login = True
    success_url = reverse_lazy("review")
    title = "Choose a password"
