"""Planning: an order, mappings, settings and ledger facts become documents. Pure: no Django, no vendor, no clock, no network."""

from sync.planning.customer_plan import plan_customer
from sync.planning.needs import needs, needs_of_customer
from sync.planning.order_plan import plan_order
from sync.planning.ports import FieldRule, Match, PostedDocument, Rules
from sync.planning.settings import (
    SETTINGS,
    BadSetting,
    PipelineSettings,
    SettingSpec,
    parse_settings,
    plain_settings,
)

__all__ = [
    "SETTINGS",
    "BadSetting",
    "FieldRule",
    "Match",
    "PipelineSettings",
    "PostedDocument",
    "Rules",
    "SettingSpec",
    "needs",
    "needs_of_customer",
    "parse_settings",
    "plain_settings",
    "plan_customer",
    "plan_order",
]
