"""Numbers as people read them."""

MINUTE, HOUR = 60, 3600


def number(value: int) -> str:
    return f"{value:,}"


def percent(value: float, *, digits: int = 3) -> str:
    """A share from 0 to 1 with so many digits: 5 %, 0.833 %, 62.5 %. Hundreds are whole."""
    return f"{100 * value:.{max(digits, 3 if value >= 0.995 else 0)}g} %"


def duration(seconds: float | None) -> str:
    """How long it takes, in minutes up to two hours, then in hours; empty when it is not known."""
    if seconds is None:
        return ""
    if seconds < MINUTE:
        return "under a minute" if seconds else "no time"
    if seconds < 2 * HOUR:
        minutes = round(seconds / MINUTE)
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = seconds / HOUR
    return f"{hours:.1f} hours" if hours < 10 else f"{hours:,.0f} hours"
