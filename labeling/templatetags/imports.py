"""What templates of imports need."""

from django import template

from labeling import import_words

register = template.Library()


@register.filter
def on_page(message: str) -> str:
    """A message of the import with the labels of the page's fields."""
    return import_words.on_page(message)
