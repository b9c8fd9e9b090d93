"""Who may do what in a tenant. A person may hold several roles in one tenant; their rights add up."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models


class May(models.TextChoices):
    """One thing a person may do in a tenant. Every screen and every action asks for one of these."""

    VIEW = "view", "see everything of the tenant, secrets excepted"
    REPROCESS = "reprocess", "reprocess orders"
    IGNORE_GAPS = "ignore_gaps", "ignore gaps"
    EXCLUDE = "exclude", "exclude an order with a reason"
    RESOLVE = "resolve", "resolve an order as already in the ERP"
    PAUSE = "pause", "pause and resume stores, ERP companies and flows"
    ANSWER_ALERTS = "answer_alerts", "acknowledge and mute alerts"
    EDIT_MAPPINGS = "edit_mappings", "change mappings"
    EDIT_CONNECTIONS = "edit_connections", "change stores and ERP companies, their credentials, and test them"
    EDIT_PIPELINES = "edit_pipelines", "change pipelines and their flows"
    EDIT_ALERTS = "edit_alerts", "say who is told of alerts, and send tests"
    EDIT_USERS = "edit_users", "say who works for the tenant, in which role"
    EDIT_TENANT = "edit_tenant", "change the tenant's name, time zone and retention"
    ERASE = "erase", "erase a person's data"


class Role(models.TextChoices):
    """What a person is to a tenant. Not a ladder: an operator does not edit mappings."""

    VIEWER = "viewer", "viewer"
    OPERATOR = "operator", "operator"
    ACCOUNTANT = "accountant", "accountant"
    ADMINISTRATOR = "administrator", "administrator"


RIGHTS: dict[Role, frozenset[May]] = {
    Role.VIEWER: frozenset({May.VIEW}),
    Role.OPERATOR: frozenset(
        {May.VIEW, May.REPROCESS, May.IGNORE_GAPS, May.EXCLUDE, May.RESOLVE, May.PAUSE, May.ANSWER_ALERTS}
    ),
    Role.ACCOUNTANT: frozenset({May.VIEW, May.EDIT_MAPPINGS}),
    Role.ADMINISTRATOR: frozenset(May),
}


def rights_of(roles: Iterable[str]) -> frozenset[May]:
    """The rights of somebody who holds all these roles; an unknown role gives none."""
    granted = [RIGHTS[Role(role)] for role in roles if role in Role.values]
    return frozenset().union(*granted)
