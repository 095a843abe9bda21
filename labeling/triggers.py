"""Facts are append-only in the database itself: triggers that refuse UPDATE and DELETE, whoever asks."""

from typing import Any

from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

MESSAGE = "rows are facts: they are inserted, never changed or deleted."


class AppendOnly(Operation):
    """From here on the database refuses UPDATE and DELETE on a model's table, with an IntegrityError.

    Safe to repeat, and it must be repeated: on SQLite many operations (AlterField, AddConstraint, RemoveField, ...)
    build the table anew and drop the old one with its triggers. A later migration that touches the table ends with
    `AppendOnly` again. `tests/labeling/test_triggers.py` and `manage.py verify_audit_trail` find it missing.

    TRUNCATE on PostgreSQL is not refused: `manage.py flush` and the tests need it. Reversing the operation lifts the
    rule.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._execute(app_label, schema_editor, to_state, install=True)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._execute(app_label, schema_editor, from_state, install=False)

    def describe(self) -> str:
        return f"Refuse changes of {self.model_name} rows"

    @property
    def migration_name_fragment(self) -> str:
        return f"append_only_{self.model_name}"

    def _execute(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState, *, install: bool
    ) -> None:
        apps: Apps = state.apps
        model = apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        vendor, table = schema_editor.connection.vendor, model._meta.db_table
        statements = remove_sql(vendor, table) + (install_sql(vendor, table) if install else [])
        for statement in statements:
            schema_editor.execute(statement, params=None)


def install_sql(vendor: str, table: str) -> list[str]:
    """The statements that make a table append-only. It must have no such triggers."""
    if vendor == "postgresql":
        return [
            f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{table}: {MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$",
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse_change()",
        ]
    return [
        f"CREATE TRIGGER {table}_never_{event.lower()} BEFORE {event} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: {MESSAGE}'); END"
        for event in ("UPDATE", "DELETE")
    ]


def remove_sql(vendor: str, table: str) -> list[str]:
    """The statements that lift the rule, whether it holds or not."""
    if vendor == "postgresql":
        return [
            f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
            f"DROP FUNCTION IF EXISTS {table}_refuse_change()",
        ]
    return [f"DROP TRIGGER IF EXISTS {table}_never_{event}" for event in ("update", "delete")]


def are_installed(connection: BaseDatabaseWrapper, table: str) -> bool:
    """Whether the database refuses changes of the table's rows now."""
    if connection.vendor == "postgresql":
        # tgenabled is D after ALTER TABLE ... DISABLE TRIGGER.
        query: tuple[str, list[Any]] = (
            "SELECT count(*) = 1 FROM pg_trigger WHERE tgname = %s AND tgrelid = %s::regclass AND tgenabled <> 'D'",
            [f"{table}_append_only", table],
        )
    else:
        query = (
            "SELECT count(*) = 2 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s AND name IN (%s, %s)",
            [table, f"{table}_never_update", f"{table}_never_delete"],
        )
    with connection.cursor() as cursor:
        cursor.execute(*query)
        return bool(cursor.fetchone()[0])
