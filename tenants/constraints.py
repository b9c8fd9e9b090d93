"""The database's own refusal of a foreign key from one tenant's row to another tenant's."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.ddl_references import Columns, Statement, Table

LONGEST_NAME = 63  # PostgreSQL cuts longer identifiers in silence


class SameTenant(models.BaseConstraint):
    """A composite foreign key: (tenant_id, field) refers to (tenant_id, id) of the other table.

    `SameTenant("store")` in `Meta.constraints` of a `TenantOwned` model whose field `store` refers to another
    `TenantOwned` model. A row whose field is NULL is not checked. The check is deferred to the commit, as
    Django's own foreign keys are.
    """

    violation_error_code = "same_tenant"

    def __init__(self, field: str, *, name: str | None = None, **kwargs: Any) -> None:
        self.field = field
        super().__init__(name=name or f"%(app_label)s_%(class)s_{field}_tenant", **kwargs)

    def constraint_sql(self, model: type[models.Model], schema_editor: Any) -> str | None:
        """Nothing inside CREATE TABLE: the constraint is added at the end of the migration.

        The other table, or its unique (tenant, id), may be made later in the same migration.
        """
        self.create_sql(model, schema_editor)
        return None

    def create_sql(self, model: type[models.Model], schema_editor: Any) -> None:
        """Put ALTER TABLE ... ADD CONSTRAINT among the statements that end the migration."""
        schema_editor.deferred_sql.append(self._statement(model, schema_editor))

    def remove_sql(self, model: type[models.Model], schema_editor: Any) -> Any:
        """The statement that drops the constraint."""
        return schema_editor._delete_fk_sql(model, self.name)

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Say in a form what the database would refuse, in the words used for an id that does not exist."""
        if exclude and self.field in exclude:
            return
        field = model._meta.get_field(self.field)
        key = getattr(instance, field.attname)
        tenant_id = getattr(instance, "tenant_id", None)
        if key is None or tenant_id is None:
            return
        others = field.remote_field.model._base_manager.using(using)
        if not others.filter(pk=key, tenant_id=tenant_id).exists():
            unknown = field.error_messages["invalid"] % {
                "model": field.remote_field.model._meta.verbose_name,
                "pk": key,
                "field": "id",
                "value": key,
            }
            raise ValidationError({self.field: ValidationError(unknown, code=self.violation_error_code)})

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """How a migration writes it down."""
        path, _, kwargs = super().deconstruct()
        return path, (self.field,), kwargs

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SameTenant):
            return (self.name, self.field) == (other.name, other.field)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.field))

    def _statement(self, model: type[models.Model], schema_editor: Any) -> Statement:
        if len(self.name) > LONGEST_NAME:
            raise ValueError(
                f"{self.name} is longer than {LONGEST_NAME} characters: give SameTenant a shorter name="
            )
        field = model._meta.get_field(self.field)
        other = field.remote_field.model._meta
        table = model._meta.db_table
        quote = schema_editor.quote_name
        return Statement(
            "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (%(column)s) "
            "REFERENCES %(to_table)s (%(to_column)s)%(deferrable)s",
            table=Table(table, quote),
            name=quote(self.name),
            column=Columns(table, ["tenant_id", field.column], quote),
            to_table=Table(other.db_table, quote),
            to_column=Columns(other.db_table, ["tenant_id", other.pk.column], quote),
            deferrable=schema_editor.connection.ops.deferrable_sql(),
        )
