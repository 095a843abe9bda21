"""Many rows in one statement: several times faster than `bulk_create`, which builds instances and small statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeAlias, cast

from django.db import DEFAULT_DB_ALIAS, connections, models, router, transaction
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
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    where: Sequence[tuple[str, str, Any]] = (),
    keeps_below: Mapping[str, float] | None = None,
    kept_with: str | None = None,
) -> int:
    """Give many rows values of their own in one statement; `rows` are the values of `columns`, then the primary key.

    `where` are conditions on the row as it is: (column, sign, value), the sign being >=, <= or IN. A column named in
    `keeps_below` keeps a number below that limit; where `kept_with` names a column, only in rows that have something in
    it. Returns how many rows were changed; all or none, as `insert`. Locks them in the order of their keys, as whoever
    locks several does.
    """
    if not rows:
        return 0
    connection = connections[router.db_for_write(model)]
    quote, meta = connection.ops.quote_name, model._meta
    table, key = quote(meta.db_table), f"{quote(meta.db_table)}.{quote(meta.pk.column)}"
    fields = [cast(Field, meta.get_field(name)) for name in columns]
    judged = [f"{table}.{quote(cast(Field, meta.get_field(name)).column)}" for name, _, _ in where]
    limits = [limit for _, sign, value in where for limit in (value if sign == "IN" else [value])]
    is_postgresql = connection.vendor == "postgresql"
    kept_where = f" AND {table}.{quote(cast(Field, meta.get_field(kept_with)).column)} IS NOT NULL" if kept_with else ""
    sets = _sets(table, fields, keeps_below or {}, kept_where, connection)
    changed = f"UPDATE {table} SET {', '.join(sets)}"
    with transaction.atomic(using=connection.alias, savepoint=False), connection.cursor() as cursor:
        if is_postgresql:
            locked = _locked(table, key, fields, judged, connection)
            values = [list(column) for column in zip(*rows, strict=True)]
            conditions = _conditions([f"new.w{number}" for number in range(len(where))], where)
            cursor.execute(f"{changed} FROM ({locked}) AS new WHERE {key} = new.key{conditions}", [*values, *limits])
        else:
            sql = f"{changed} WHERE {key} = %s{_conditions(judged, where)}"
            cursor.executemany(sql, [(*row, *limits) for row in rows])
        return int(cursor.rowcount)


def _sets(
    table: str,
    fields: Sequence[Field],
    keeps_below: Mapping[str, float],
    kept_where: str,
    connection: BaseDatabaseWrapper,
) -> list[str]:
    """What each column is set to; the values are v0, v1 ... of `new` on PostgreSQL, parameters on SQLite."""
    sets = []
    for number, field in enumerate(fields):
        target = connection.ops.quote_name(field.column)
        value = f"new.v{number}" if connection.vendor == "postgresql" else "%s"
        if (least := keeps_below.get(field.name)) is not None:
            value = f"CASE WHEN {table}.{target} < {least!r}{kept_where} THEN {table}.{target} ELSE {value} END"
        sets.append(f"{target} = {value}")
    return sets


def _locked(
    table: str, key: str, fields: Sequence[Field], judged: Sequence[str], connection: BaseDatabaseWrapper
) -> str:
    """The rows of arrays that PostgreSQL is given, with the columns that decide as w0, w1 ...; what they may change is
    locked in the order of its keys.

    OFFSET keeps the conditions outside. Inside, a planner whose statistics say that no text is unlabeled, because they
    are of the moment when all had been labeled, goes through all of those for each row: half a minute for 5,000.
    """
    arrays = ", ".join(f"%s::{_type(field, connection)}[]" for field in fields)
    names = ", ".join(f"v{number}" for number in range(len(fields)))
    kept = "".join(f", {column} AS w{number}" for number, column in enumerate(judged))
    return (
        f"SELECT given.*{kept} FROM unnest({arrays}, %s::bigint[]) AS given({names}, key) "
        f"JOIN {table} ON {key} = given.key ORDER BY given.key OFFSET 0 FOR NO KEY UPDATE OF {table}"
    )


def let_commit_wait() -> None:
    """Let the transaction that is open return before it is on disk: the next one that is not so lets it be there first.

    For work that is done again when what tells of it is lost. It saves PostgreSQL a wait for the disk; SQLite has no
    such choice for a single transaction.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")


def _conditions(judged: Sequence[str], where: Sequence[tuple[str, str, Any]]) -> str:
    """Each begins with AND."""
    return "".join(
        f" AND {column} {sign} {'(' + ', '.join(['%s'] * len(value)) + ')' if sign == 'IN' else '%s'}"
        for column, (_, sign, value) in zip(judged, where, strict=True)
    )


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
