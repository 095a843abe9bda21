"""Many rows in one statement: several times faster than `bulk_create`, which builds instances and small statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias, cast

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

Field: TypeAlias = "models.Field[Any, Any]"


def insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    shared: Mapping[str, Any] | None = None,
) -> int:
    """Insert all rows or none; returns how many. A row that breaks a constraint raises IntegrityError, after which a
    transaction around this can only be rolled back.

    `columns` names the fields of the values in `rows` (relations hold primary keys), `shared` holds values that are the
    same in every row. Fields named in neither get their default, computed once for all rows. Instances, `save()` and
    signals are not involved, and the new primary keys are not returned.
    """
    return _insert(model, columns, rows, shared or {}, "")


def insert_ignoring_duplicates(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    shared: Mapping[str, Any] | None = None,
) -> int:
    """As `insert`, but leaves out rows whose unique key exists already; returns how many rows are new.

    Only unique keys are forgiven: a row that breaks another constraint raises IntegrityError. Writers that insert the
    same keys in different orders at the same time can deadlock on PostgreSQL: lock something first, or sort the rows.
    """
    return _insert(model, columns, rows, shared or {}, " ON CONFLICT DO NOTHING")


def update(
    model: type[models.Model],
    column: str,
    rows: Sequence[tuple[Any, int]],
    *,
    least: float | None = None,
    most: float | None = None,
) -> int:
    """Give one number of many rows a value each, where it is from `least` to `most`; `rows` are (value, primary key).

    Returns how many rows were changed; all or none, as `insert`. Locks them in the order of their keys, as whoever
    locks several does.
    """
    if not rows:
        return 0
    connection = connections[router.db_for_write(model)]
    field, key = cast(Field, model._meta.get_field(column)), model._meta.pk
    quote = connection.ops.quote_name
    table, target, by = quote(model._meta.db_table), quote(field.column), quote(key.column)
    limits = [
        (f"{table}.{target} {sign} %s", limit) for sign, limit in ((">=", least), ("<=", most)) if limit is not None
    ]
    within, bounds = "".join(f" AND {text}" for text, _ in limits), [limit for _, limit in limits]
    with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = f"unnest(%s::{_type(field, connection)}[], %s::bigint[]) AS given(value, key)"
            locked = (
                f"SELECT given.key, given.value FROM {arrays} JOIN {table} ON {table}.{by} = given.key{within} "
                f"ORDER BY given.key FOR NO KEY UPDATE OF {table}"
            )
            columns = [list(values) for values in zip(*rows, strict=True)]
            cursor.execute(
                f"UPDATE {table} SET {target} = new.value FROM ({locked}) AS new WHERE {table}.{by} = new.key",
                [*columns, *bounds],
            )
        else:
            sql = f"UPDATE {table} SET {target} = %s WHERE {table}.{by} = %s{within}"
            cursor.executemany(sql, [(*row, *bounds) for row in rows])
        return int(cursor.rowcount)


def _insert(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    shared: Mapping[str, Any],
    on_conflict: str,
) -> int:
    connection = connections[router.db_for_write(model)]
    fields = [cast(Field, model._meta.get_field(name)) for name in columns]
    values = [
        _prepared(field, column, connection) for field, column in zip(fields, zip(*rows, strict=True), strict=False)
    ]
    if not values:
        return 0
    constants = {field: shared.get(field.name, _default(field)) for field in _other_fields(model, columns)}
    fixed = [_prepared(field, [value], connection)[0] for field, value in constants.items()]
    write = _unnest if connection.vendor == "postgresql" else _execute_many
    with transaction.atomic(using=connection.alias, savepoint=False):
        return write(connection, model, (fields, values), (list(constants), fixed), on_conflict)


def _execute_many(
    connection: BaseDatabaseWrapper,
    model: type[models.Model],
    varying: tuple[list[Field], list[list[Any]]],
    constant: tuple[list[Field], list[Any]],
    on_conflict: str,
) -> int:
    """One prepared statement, run once a row inside the database library."""
    fields = varying[0] + constant[0]
    sql = f"{_into(connection, model, fields)} VALUES ({', '.join(['%s'] * len(fields))}){on_conflict}"
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(zip(*varying[1], *map(repeat, constant[1]), strict=False)))
        return int(cursor.rowcount)


def _unnest(
    connection: BaseDatabaseWrapper,
    model: type[models.Model],
    varying: tuple[list[Field], list[list[Any]]],
    constant: tuple[list[Field], list[Any]],
    on_conflict: str,
) -> int:
    """One statement with one array a column."""
    names = ", ".join(f"c{number}" for number in range(len(varying[0])))
    arrays = ", ".join(f"%s::{_type(field, connection)}[]" for field in varying[0])
    values = ", ".join([names, *(f"%s::{_type(field, connection)}" for field in constant[0])])
    into = _into(connection, model, varying[0] + constant[0])
    with connection.cursor() as cursor:
        cursor.execute(
            f"{into} SELECT {values} FROM unnest({arrays}) AS rows({names}){on_conflict}", [*constant[1], *varying[1]]
        )
        return int(cursor.rowcount)


def _into(connection: BaseDatabaseWrapper, model: type[models.Model], fields: Sequence[Field]) -> str:
    quote = connection.ops.quote_name
    return f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(field.column) for field in fields)})"


def _type(field: Field, connection: BaseDatabaseWrapper) -> str:
    """The column's type without its length: a cast to varchar(5) would cut a longer value in silence."""
    return str(field.db_type(connection)).split("(")[0]


def _prepared(field: Field, values: Iterable[Any], connection: BaseDatabaseWrapper) -> list[Any]:
    return [field.get_db_prep_save(value, connection=connection) for value in values]


def _other_fields(model: type[models.Model], columns: Sequence[str]) -> Iterator[Field]:
    for field in model._meta.concrete_fields:
        if field.name not in columns and not field.generated and not isinstance(field, models.AutoField):
            yield field


def _default(field: Field) -> Any:
    return field.get_default()
