"""The addresses of the API. Each works with and without a slash at its end."""

from rest_framework.routers import SimpleRouter

from reviews.api import ReviewViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("reviews", ReviewViewSet, basename="review")

urlpatterns = router.urls
