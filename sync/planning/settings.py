"""The policies of a pipeline: each declared once, with its default, label, help and choices.

The admin form, `apply`, `export` and the configuration page are generated from this declaration.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from erp.contract.money import parse_amount

Choices = tuple[tuple[str, str], ...]


class BadSetting(ValueError):
    """A setting that does not exist or cannot have that value. `name` is the key it was given under."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingSpec:
    """One policy as forms and documents show it. `kind`: choice | text | number | list | rates."""

    name: str
    kind: str
    default: Any
    section: str
    label: str
    help: str
    choices: Choices = ()


def _declare(kind: str, default: Any, section: str, label: str, help: str, choices: Choices = ()) -> Any:
    metadata = {"kind": kind, "section": section, "label": label, "help": help, "choices": choices}
    return field(default=default, metadata=metadata)


def _choice(section: str, label: str, help: str, *choices: tuple[str, str]) -> Any:
    """A choice; the first one is the default."""
    return _declare("choice", choices[0][0], section, label, help, choices)


_HOLD = ("hold", "Hold: a person decides")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """Every policy of a pipeline; the defaults suit a store that sells from stock and is paid when the card is captured."""

    # When
    posting_moment: str = _choice(
        "When",
        "Posting moment",
        "When an order becomes due. Orders of zero total are due at once, orders paid offline when their status says so.",
        ("captured", "When money is captured"),
        ("status", "When the order's status is in the list below"),
        ("shipped", "When the order is shipped"),
    )
    posting_statuses: tuple[str, ...] = _declare(
        "list",
        ("2", "10", "11"),
        "When",
        "Posting statuses",
        "Status ids that make an order due, where the posting moment is a status (2 Shipped, 10 Completed, 11 Awaiting Fulfillment).",
    )
    partly_captured: str = _choice(
        "When",
        "Partly captured orders",
        "What happens while less than the total is captured, where the posting moment is the capture.",
        ("post", "Post the whole sale; the rest stays receivable"),
        ("wait", "Wait until everything is captured"),
        _HOLD,
    )
    posting_date: str = _choice(
        "When",
        "Posting date",
        "The day a sale is posted on, in the ERP company's time zone. Payments are posted on the day of their capture, refunds on their own "
        "day, neither before the document they settle.",
        ("capture", "Day of the first capture"),
        ("order", "Day of the order"),
        ("shipment", "Day of the shipment"),
        ("today", "Day of posting"),
    )
    closed_period: str = _choice(
        "When",
        "Closed period",
        "What happens when the posting date lies in a period that is closed in the ERP.",
        _HOLD,
        ("next_open_day", "Post on the next open day"),
    )
    due_days: int = _declare(
        "number", 0, "When", "Days until due", "Added to the posting date for the due date of invoices."
    )

    # What
    posting_style: str = _choice(
        "What",
        "Posting style",
        "Which document a sale becomes.",
        ("invoice", "A/R invoice"),
        ("sales_order", "Sales order; the ERP invoices it"),
    )
    sales_order_money: str = _choice(
        "What",
        "Money for sales orders",
        "What a capture becomes while the ERP has not invoiced the sales order. What is captured later is always on account.",
        ("on_account", "Incoming payment on account, applied to the ERP's invoices when they are there"),
        ("down_payment", "A/R down payment, drawn by whoever makes the invoice"),
    )
    sales_order_refunds: str = _choice(
        "What",
        "Refunds of sales orders",
        "What a refund becomes, whether the ERP has invoiced the sales order or not.",
        _HOLD,
        ("pay_out", "Outgoing payment only; the ERP corrects the sale"),
        ("credit_and_pay_out", "Credit memo and outgoing payment"),
    )
    goods_lines: str = _choice(
        "What",
        "Goods",
        "How products are written on documents.",
        ("items", "As items of the ERP (SKU mapped to item)"),
        ("accounts", "As amounts on G/L accounts (SKU, category or segment mapped to account)"),
    )
    unmapped_items: str = _choice(
        "What",
        "SKU without a mapping",
        "What happens when no rule maps a SKU to an item.",
        ("gap", "A gap: a person maps it"),
        ("same_code", "Take the item whose code equals the SKU, if the ERP has one"),
    )
    discounts: str = _choice(
        "What",
        "Discounts",
        "Where discounts stand on documents.",
        ("in_price", "In the line's price"),
        ("own_lines", "As discount lines, one per tax code"),
    )
    zero_total: str = _choice(
        "What",
        "Orders of zero total",
        "An order that discounts made free still moves stock.",
        ("post", "Post as any other"),
        ("skip", "Post nothing"),
    )
    archived: str = _choice(
        "What",
        "Archived orders",
        "Orders that were archived in the store before they were posted.",
        ("post", "Post as any other: archiving hides an order, the money stays"),
        _HOLD,
        ("skip", "Post nothing"),
    )

    # Money
    tax_mode: str = _choice(
        "Money",
        "Tax",
        "Who computes the tax of documents. The store's tax is what must come out, to the cent.",
        ("erp", "The ERP computes it from its tax codes"),
        ("override", "The store's tax amounts are sent; the ERP company must allow it"),
        ("liability_line", "Exempt lines, and a line on a tax-liability account for each tax"),
    )
    rounding_limit: int = _declare(
        "number",
        5,
        "Money",
        "Rounding limit",
        "The most that may go to the rounding account of one document, in minor units of its currency (5 is 0.05 USD).",
    )
    rounding_scope: str = _choice(
        "Money",
        "Tax differences of rounding",
        "A store that rounds the tax of each unit or line and an ERP that rounds it for the document differ, without any "
        "money being wrong. A pair of rounding lines closes that difference.",
        ("explained", "Above the limit, close what rounding of the order's own lines and units can explain"),
        ("strict", "Never close more than the limit"),
    )
    exchange_rate: str = _choice(
        "Money",
        "Exchange rate",
        "The rate of documents in a currency that is not the ERP company's own.",
        ("erp", "The ERP's rate for the posting date"),
        ("store", "The store's rate at the time of the order"),
        ("stored", "The rates stored below"),
    )
    stored_rates: tuple[tuple[str, Decimal], ...] = _declare(
        "rates",
        (),
        "Money",
        "Stored rates",
        "Units of the ERP company's currency for one unit of the foreign one, such as EUR: 1.08.",
    )
    offline_methods: tuple[str, ...] = _declare(
        "list",
        (
            "Bank Deposit",
            "Cash on Delivery",
            "Check",
            "Cheque",
            "Money Order",
            "Pay in Store",
            "Purchase Order",
            "Manual",
            "cod",
            "cheque",
        ),
        "Money",
        "Offline payment methods",
        "Methods whose money no transaction of the store reports. Upper and lower case do not matter.",
    )
    offline_statuses: tuple[str, ...] = _declare(
        "list",
        ("2", "3", "8", "9", "10", "11"),
        "Money",
        "Statuses of accepted offline orders",
        "An order to be paid offline is due when its status is one of these (11 Awaiting Fulfillment, 10 Completed).",
    )
    offline_paid: str = _choice(
        "Money",
        "Offline money without a transaction",
        "What an accepted offline order says about its money.",
        ("open", "Nothing: the invoice stays open until the ERP books the money"),
        ("paid", "It is paid: an incoming payment is posted with the invoice"),
        _HOLD,
    )

    # Changes
    edits: str = _choice(
        "Changes",
        "Orders edited after posting",
        "What happens when the lines or amounts of a posted order change in the store.",
        _HOLD,
        ("credit_and_repost", "Credit the posted document and post a new one"),
    )
    cancelled_after_posting: str = _choice(
        "Changes",
        "Orders cancelled after posting",
        "What happens to the posted document of an order that is cancelled without being refunded in full.",
        _HOLD,
        ("credit", "Credit it; captured money stays the customer's balance until it is refunded"),
    )
    declined_after_posting: str = _choice(
        "Changes",
        "Orders declined after posting",
        "The same for an order that is declined.",
        _HOLD,
        ("credit", "Credit it; captured money stays the customer's balance until it is refunded"),
    )
    cancelled_with_money: str = _choice(
        "Changes",
        "Orders cancelled before posting whose money was captured",
        "Money that came and went back passes both times through the clearing account; money that stayed needs a person.",
        ("post", "Post sale and refunds where all of it went back; else hold"),
        ("skip", "Post nothing where all of it went back; else hold"),
    )
    before_go_live_money: str = _choice(
        "Changes",
        "Orders from before go-live",
        "What happens to captures and refunds after go-live of orders from before it.",
        _HOLD,
        ("post", "Post them on account: payments and credit memos without an invoice of ours"),
        ("ignore", "Leave them to whoever posted the order"),
    )
    credit_accounts: str = _choice(
        "Changes",
        "Accounts of credit memos",
        "Which items, accounts and tax codes a credit memo uses.",
        ("original", "Those of the document it corrects"),
        ("current", "Accounts and cost centers of today's mappings"),
    )

    # Customers
    one_time_partner: str = _declare(
        "text",
        "",
        "Customers",
        "One-time business partner",
        "The ERP's code of the business partner that guest orders are posted to.",
    )
    customer_match: str = _choice(
        "Customers",
        "Match customers by",
        "How a registered customer finds its business partner before one is made.",
        ("code", "Tieout's own code only"),
        ("erp_code", "The ERP code that the store holds for the customer"),
        ("marker", "A marker field in the ERP that holds the store's customer id"),
        ("email", "E-mail address"),
        ("tax_number", "Tax number"),
        ("phone", "Phone number"),
    )
    new_customers: str = _choice(
        "Customers",
        "New customers",
        "When a registered customer becomes a business partner.",
        ("with_first_order", "With the first order"),
        ("always", "At once, also without an order"),
    )

    def stored_rate(self, currency: str) -> Decimal | None:
        return dict(self.stored_rates).get(currency)

    def in_force(self) -> tuple[tuple[str, str], ...]:
        """Every policy and its value as text, for the plan."""
        return tuple((spec.name, _text(getattr(self, spec.name))) for spec in SETTINGS)


def _specs() -> tuple[SettingSpec, ...]:
    return tuple(SettingSpec(name=f.name, default=f.default, **f.metadata) for f in fields(PipelineSettings))


SETTINGS: tuple[SettingSpec, ...] = _specs()
_BY_NAME = {spec.name: spec for spec in SETTINGS}


def parse_settings(values: Mapping[str, Any]) -> PipelineSettings:
    """Settings from plain values (YAML, JSON, form data); what is not given keeps its default.

    :raises BadSetting: for an unknown key, with the nearest right one, and for a value of the wrong type or outside the choices
    """
    unknown = [name for name in values if name not in _BY_NAME]
    if unknown:
        raise BadSetting(
            str(unknown[0]), f"There is no setting {unknown[0]!r}.{_nearest(str(unknown[0]), list(_BY_NAME))}"
        )
    return PipelineSettings(**{name: _parse(_BY_NAME[name], value) for name, value in values.items()})


def plain_settings(settings: PipelineSettings) -> dict[str, Any]:
    """The settings that differ from their defaults, as `parse_settings` reads them."""
    return {
        spec.name: _plain(spec, getattr(settings, spec.name))
        for spec in SETTINGS
        if getattr(settings, spec.name) != spec.default
    }


def _parse(spec: SettingSpec, value: Any) -> Any:
    match spec.kind, value:
        case "choice", str():
            return _one_of(spec, value)
        case "text", str():
            return value.strip()
        case "number", int() if not isinstance(value, bool) and value >= 0:
            return value
        case "number", str() if value.isascii() and value.isdecimal():
            return int(value)
        case "list", list() | tuple():
            return tuple(str(v).strip() for v in value if not isinstance(v, (dict, list)))
        case "rates", dict():
            return tuple(sorted((_currency(spec, c), _rate(spec, r)) for c, r in value.items()))
    wanted = {
        "choice": "one of " + ", ".join(v for v, _ in spec.choices),
        "text": "text",
        "number": "a whole number, zero or more",
        "list": "a list",
        "rates": 'currencies with their rates, such as EUR: "1.08"',
    }[spec.kind]
    raise BadSetting(spec.name, f"{spec.name} must be {wanted}, not {value!r}.")


def _one_of(spec: SettingSpec, value: str) -> str:
    allowed = [v for v, _ in spec.choices]
    if value not in allowed:
        raise BadSetting(
            spec.name,
            f"{spec.name} cannot be {value!r}: one of {', '.join(allowed)}.{_nearest(value, allowed)}",
        )
    return value


def _currency(spec: SettingSpec, code: object) -> str:
    if not (
        isinstance(code, str) and len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()
    ):
        raise BadSetting(spec.name, f"{spec.name}: {code!r} is not a currency code such as EUR.")
    return code


def _rate(spec: SettingSpec, value: object) -> Decimal:
    try:
        rate = parse_amount(value)
    except ValueError as error:
        raise BadSetting(spec.name, f'{spec.name}: {error}; write rates as text, such as "1.08".') from error
    if rate <= 0:
        raise BadSetting(spec.name, f"{spec.name}: a rate is greater than zero, not {rate}.")
    return rate


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


def _plain(spec: SettingSpec, value: Any) -> Any:
    if spec.kind == "rates":
        return {currency: format(rate, "f") for currency, rate in value}
    return list(value) if spec.kind == "list" else value


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{v[0]} {v[1]}" if isinstance(v, tuple) else str(v) for v in value)
    return str(value)
