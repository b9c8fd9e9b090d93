"""The database itself refuses a foreign key from one tenant's row to another's, for every model there is."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from tenants.constraints import SameTenant
from tenants.models import Tenant, TenantOwned
from tests.factories import World, tenant_owned_models


def links(model: type[models.Model]) -> list[models.ForeignKey]:
    """The foreign keys of a model to other tenant-owned models."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.is_relation
        and isinstance(field.related_model, type)
        and issubclass(field.related_model, TenantOwned)
    ]


ALL_LINKS = [
    pytest.param(model, field, id=f"{model._meta.label}.{field.name}")
    for model in tenant_owned_models()
    for field in links(model)
]


@pytest.fixture
def alpha(db: None) -> World:
    return World(Tenant.objects.create(slug="alpha", name="Alpha"), "mark-alpha", "AL")


@pytest.fixture
def beta(db: None) -> World:
    return World(Tenant.objects.create(slug="beta", name="Beta"), "mark-beta", "BE")


@pytest.mark.parametrize("model", tenant_owned_models(), ids=lambda model: model._meta.label)
def test_every_tenant_owned_model_can_be_referred_to_together_with_its_tenant(
    model: type[models.Model],
) -> None:
    uniques = [
        c.fields
        for c in model._meta.constraints
        if isinstance(c, models.UniqueConstraint) and not c.condition
    ]
    assert ("tenant", "id") in uniques


@pytest.mark.parametrize("model,field", ALL_LINKS)
def test_every_link_between_tenant_owned_models_is_guarded(
    model: type[models.Model], field: models.ForeignKey
) -> None:
    guarded = {
        constraint.field for constraint in model._meta.constraints if isinstance(constraint, SameTenant)
    }
    assert field.name in guarded


@pytest.mark.parametrize("model", tenant_owned_models(), ids=lambda model: model._meta.label)
def test_many_to_many_between_tenants_has_a_table_of_its_own_that_is_guarded(
    model: type[models.Model],
) -> None:
    for field in model._meta.local_many_to_many:
        assert issubclass(field.remote_field.through, TenantOwned), (
            f"{field} needs a tenant-owned through model"
        )


@pytest.mark.parametrize("model,field", ALL_LINKS)
def test_postgresql_refuses_a_link_to_another_tenants_row(
    model: type[models.Model], field: models.ForeignKey, alpha: World, beta: World
) -> None:
    theirs = beta.row(field.related_model)
    mine = alpha.row(model)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what was made so far is right
        # Some tables refuse every UPDATE; here it is the foreign key that is asked.
        cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")
    with pytest.raises(IntegrityError, match="tenant"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {field.column} = %s WHERE id = %s", [theirs.pk, mine.pk]
        )


def test_a_form_says_of_another_tenants_row_what_it_says_of_one_that_does_not_exist(
    alpha: World, beta: World
) -> None:
    mine = alpha.row("mappings.MappingSet")

    def said(pk: Any) -> list[str]:
        mine.company_id = pk
        with pytest.raises(ValidationError) as caught:
            mine.full_clean()
        return [message.replace(str(pk), "N") for message in caught.value.message_dict["company"]]

    theirs = said(beta.row("erp.ErpConnection").pk)
    assert len(theirs) == 1
    assert theirs[0] in said(987654321)
