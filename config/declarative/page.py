"""`docs/configuration.md`, written from the declarations themselves. A test compares the two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from config.declarative.schema import (
    AlertDestinationEntry,
    CompanyEntry,
    FlowEntry,
    MappingSetEntry,
    PipelineEntry,
    RetentionEntry,
    RuleEntry,
    Section,
    SetUp,
    StoreEntry,
    StoreFlowEntry,
    TenantEntry,
    UserEntry,
)
from erp.contract.adapter import Field
from erp.registry import SPECS
from mappings.kinds import SPECS as KINDS
from mappings.kinds import KindSpec
from sync.models import FlowKind, StoreFlowKind
from sync.pipelines import DEFAULT_FLOWS
from sync.planning import SETTINGS, SettingSpec
from sync.schedules import DEFAULT_STORE_FLOWS

PROSE = Path(__file__).parent / "page_prose.md"

SECTIONS: tuple[tuple[str, type[Section]], ...] = (
    ("The file", SetUp),
    ("`tenants`", TenantEntry),
    ("`retention` of a tenant", RetentionEntry),
    ("`users`", UserEntry),
    ("`stores`", StoreEntry),
    ("`flows` of a store", StoreFlowEntry),
    ("`companies`", CompanyEntry),
    ("`mappings` of a company", MappingSetEntry),
    ("`rules` of a set of mappings", RuleEntry),
    ("`pipelines`", PipelineEntry),
    ("`flows` of a pipeline", FlowEntry),
    ("`alert_destinations`", AlertDestinationEntry),
)

# One mapping of each kind, as it stands under `rules`; a test applies them.
EXAMPLES = {
    "item": "{kind: item, key: HAT-BLUE, target: A1001}",
    "line_account": '{kind: line_account, key: "sku:HAT-*", target: "400000", extra: {cost_center: WEB}}',
    "account.shipping": '{kind: account.shipping, key: "*", target: "402000"}',
    "account.handling": '{kind: account.handling, key: "*", target: "403000"}',
    "account.wrapping": '{kind: account.wrapping, key: "*", target: "404000"}',
    "account.discount": '{kind: account.discount, key: "*", target: "409000"}',
    "account.fee": '{kind: account.fee, key: "*", target: "405000"}',
    "account.gift_certificate": '{kind: account.gift_certificate, key: "*", target: "221000"}',
    "account.store_credit": '{kind: account.store_credit, key: "*", target: "222000"}',
    "account.rounding": '{kind: account.rounding, key: "*", target: "499000"}',
    "account.tax_liability": '{kind: account.tax_liability, key: "*", target: "224000"}',
    "account.unattributed_refund": '{kind: account.unattributed_refund, key: "*", target: "490000"}',
    "clearing": '{kind: clearing, key: "braintree:credit_card", target: "111000"}',
    "tax_code": "{kind: tax_code, key: exempt, target: EX}",
    "freight": '{kind: freight, key: "UPS Ground", target: "1"}',
    "warehouse": '{kind: warehouse, key: "1", target: WEST}',
    "customer_group": '{kind: customer_group, key: Wholesale, target: "102"}',
    "field_rule": '{kind: field_rule, key: "invoice:U_Channel", target: order.channel_id, extra: {source: field}}',
}


def configuration_page() -> str:
    """The whole page as Markdown."""
    parts = [PROSE.read_text(encoding="utf-8").strip(), "## Keys"]
    for title, section in SECTIONS:
        parts += [f"### {title}", (section.__doc__ or "").strip(), _keys(section)]
    parts += ["## Flows", _flows(), "## Policies of a pipeline", _POLICIES]
    for title, specs in groupby(SETTINGS, key=lambda spec: spec.section):
        parts += [f"### {title}", *map(_policy, specs)]
    parts += ["## Kinds of mappings", _KINDS, *map(_kind, KINDS.values())]
    for spec in SPECS.values():
        parts += [f"## Fields of {spec.label} (`{spec.key}`)", _FIELDS]
        for title, fields in groupby(
            sorted(spec.fields, key=lambda f: _first(spec.fields, f.section)), lambda f: f.section
        ):
            parts += [f"### {spec.label}: {title}", _fields(fields)]
    return "\n\n".join(parts) + "\n"


_POLICIES = (
    "They stand under `settings` of a pipeline. A default is what counts without an entry. The plan of each order "
    "shows the policies it was made under."
)
_KINDS = (
    "They stand under `rules` of a set of mappings. `*` in a key stands for any text; the most specific key counts, and "
    "a literal star is written `\\*`. A target is checked against the company's own lists as soon as these were read once."
)
_FIELDS = (
    "Secret ones stand under `credentials`, all others under `settings` of the ERP company. Numbers and yes/no may be "
    "written without quotes."
)


def _keys(section: type[Section]) -> str:
    rows = [
        (f"`{name}`", _wanted(field), _default(field), field.description or "")
        for name, field in section.model_fields.items()
    ]
    return _table(("Key", "Is", "Default", "Means"), rows)


def _wanted(field: FieldInfo) -> str:
    text = str(field.annotation)
    if "list[str]" in text:
        return "list of texts"
    for part, word in (
        ("list[", "list"),
        ("dict[", "section"),
        ("bool", "true or false"),
        ("int", "whole number"),
        ("AwareDatetime", "moment"),
        ("date", "date"),
        ("time", "time of day"),
    ):
        if part in text:
            return word
    return "text"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*needed*"
    value: Any = field.get_default(call_default_factory=True)
    if value in (None, "", [], {}):
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _flows() -> str:
    rows = [(f"`{kind.value}`", str(kind.label), f"every {DEFAULT_FLOWS[kind]} minutes") for kind in FlowKind]
    rows += [(f"`{kind.value}`", f"For a store: {kind.label}", _at_first(kind)) for kind in StoreFlowKind]
    return "A new pipeline has all of its own, a new store those of a store.\n\n" + _table(
        ("Flow", "Does", "Runs, at first"), rows
    )


def _at_first(kind: StoreFlowKind) -> str:
    schedule = DEFAULT_STORE_FLOWS[kind]
    return f"at {schedule['at']:%H:%M}" if "at" in schedule else f"every {schedule['every_minutes']} minutes"


def _policy(spec: SettingSpec) -> str:
    lines = [f"**`{spec.name}`** · {spec.label}. {spec.help}", ""]
    if spec.choices:
        for value, label in spec.choices:
            default = " (default)" if value == spec.default else ""
            lines.append(f"- `{value}`{default}: {label}")
    else:
        kind = {
            "text": "A text",
            "number": "A whole number",
            "list": "A list",
            "rates": "Currencies with rates",
        }
        lines.append(f"- {kind[spec.kind]}; default {_plain_default(spec)}.")
    return "\n".join(lines)


def _plain_default(spec: SettingSpec) -> str:
    if isinstance(spec.default, tuple) and spec.default:
        return "`[" + ", ".join(f'"{value}"' for value in spec.default) + "]`"
    return f"`{spec.default}`" if spec.default not in ("", ()) else "empty"


def _kind(spec: KindSpec) -> str:
    lines = [
        f"**`{spec.kind.value}`** · {spec.label}. {_escaped(spec.help)}",
        "",
        f"- `key`: {spec.key_label}. {_escaped(spec.key_help)}",
        f"- `target`: {spec.target_label}.",
    ]
    for extra in spec.extras:
        choices = "; ".join(f"`{value}`: {label}" for value, label in extra.choices)
        lines.append(f"- `extra: {extra.name}`: {extra.label}. {extra.help or choices}")
    return "\n".join([*lines, f"- Example: `- {EXAMPLES[spec.kind]}`"])


def _escaped(text: str) -> str:
    """A star that is a star, not Markdown's."""
    return text.replace("*", "\\*")


def _fields(fields: Iterable[Field]) -> str:
    rows = []
    for f in fields:
        is_ = "secret" if f.secret else " or ".join(f"`{value}`" for value, _ in f.choices) or _KIND[f.kind]
        default = f"`{f.default}`" if f.default else "*needed*" if f.required else "empty"
        help_ = f"{f.label}. {f.help}".strip()
        rows.append((f"`{f.name}`", is_, default, help_))
    return _table(("Field", "Is", "Default", "Means"), rows)


_KIND = {
    "text": "text",
    "url": "address",
    "number": "whole number",
    "boolean": "yes or no",
    "lines": "lines of text",
}


def _first(fields: Sequence[Field], section: str) -> int:
    return next(i for i, f in enumerate(fields) if f.section == section)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)
