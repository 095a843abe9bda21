"""How pages show estimates."""

from django import template

from analytics import agreement
from analytics.agreement import Estimate

register = template.Library()


@register.inclusion_tag("analytics/estimate.html")
def coefficient(estimate: Estimate) -> dict[str, str]:
    """An alpha or a kappa with its interval, or why there is none."""
    return _shown(estimate, "{:.3f}")


@register.inclusion_tag("analytics/estimate.html")
def share(estimate: Estimate) -> dict[str, str]:
    """A share in percent with its interval, or why there is none."""
    return _shown(estimate, "{:.0%}")


@register.filter
def reading(estimate: Estimate) -> str:
    """How to read an alpha or a kappa."""
    return agreement.reading(estimate)


def _shown(estimate: Estimate, form: str) -> dict[str, str]:
    if estimate.value is None:
        return {"undefined": estimate.undefined}
    if estimate.low is None or estimate.high is None:
        return {"value": form.format(estimate.value)}
    interval = f"{form.format(estimate.low)} to {form.format(estimate.high)}"
    return {"value": form.format(estimate.value), "interval": interval}
