"""Categories to begin with, for tasks that many people have."""

from typing import NamedTuple


class CategorySet(NamedTuple):
    """A name for the set, what the texts are, and its categories with one sentence each."""

    key: str
    title: str
    instructions: str
    categories: tuple[tuple[str, str], ...]

    def as_lines(self) -> str:
        """As people write them: one on each line, the sentence after a colon."""
        return "\n".join(f"{name}: {description}" for name, description in self.categories)


SETS = (
    CategorySet(
        "sentiment",
        "Sentiment",
        "Decide which mood the writer is in, not whether the matter is good or bad.",
        (
            ("Positive", "The writer is pleased, praises or recommends."),
            ("Neutral", "Facts, questions, or praise and blame in balance."),
            ("Negative", "The writer is annoyed, disappointed or warns others."),
        ),
    ),
    CategorySet(
        "topics",
        "News topics",
        "Go by what most of the text is about.",
        (
            ("Politics", "Governments, elections, laws and parties."),
            ("Business", "Companies, markets, jobs and prices."),
            ("Sports", "Matches, players, clubs and results."),
            ("Science and technology", "Research, computers, space and medicine."),
            ("Culture", "Films, music, books, art and celebrities."),
            ("Weather", "Rain, sun, storms and forecasts."),
        ),
    ),
    CategorySet(
        "support",
        "Support requests",
        "Go by what the customer wants done. If there are several wishes, take the first.",
        (
            ("Delivery", "Where a parcel is and when it comes."),
            ("Payment", "Invoices, refunds, cards and prices."),
            ("Account", "Signing in, passwords, addresses and subscriptions."),
            ("Product", "How something works, or that it is broken."),
            ("Other", "What fits none of the others."),
        ),
    ),
    CategorySet(
        "spam",
        "Spam",
        "When in doubt, a message is wanted.",
        (
            ("Wanted", "A person or a service that the reader knows and expects."),
            ("Spam", "Advertising, fraud and chain letters that nobody asked for."),
        ),
    ),
    CategorySet(
        "stars",
        "Stars",
        "Give the stars that the writer would give.",
        (
            ("1 star", "Very dissatisfied."),
            ("2 stars", "Rather dissatisfied."),
            ("3 stars", "So-so."),
            ("4 stars", "Rather satisfied."),
            ("5 stars", "Very satisfied."),
        ),
    ),
)
BY_KEY = {one.key: one for one in SETS}
