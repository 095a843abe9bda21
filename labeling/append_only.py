"""Facts: rows that are inserted once and never changed or deleted."""

from typing import Any, NoReturn, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete a fact."""


class AppendOnlyQuerySet(models.QuerySet[Row]):
    """Refuses every change of rows that exist."""

    def update(self, **changes: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed. Insert a new version.")

    def bulk_update(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed. Insert a new version.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted.")

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class AppendOnlyModel(models.Model):
    """A row that can be inserted and read, nothing else."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} {self.pk} is a fact and is never changed.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnlyError(f"{type(self).__name__} {self.pk} is a fact and is never deleted.")
