"""The kinds of mappings: what is mapped, and to which typed target of the ERP. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from erp.contract.adapter import ReferenceKind
from mappings.keys import KEY_LENGTH, Pattern, is_unstorable


class Kind(StrEnum):
    ITEM = "item"
    LINE_ACCOUNT = "line_account"
    SHIPPING_ACCOUNT = "account.shipping"
    HANDLING_ACCOUNT = "account.handling"
    WRAPPING_ACCOUNT = "account.wrapping"
    DISCOUNT_ACCOUNT = "account.discount"
    FEE_ACCOUNT = "account.fee"
    GIFT_CERTIFICATE_ACCOUNT = "account.gift_certificate"
    STORE_CREDIT_ACCOUNT = "account.store_credit"
    ROUNDING_ACCOUNT = "account.rounding"
    TAX_LIABILITY_ACCOUNT = "account.tax_liability"
    UNATTRIBUTED_REFUND_ACCOUNT = "account.unattributed_refund"
    CLEARING = "clearing"
    TAX_CODE = "tax_code"
    FREIGHT = "freight"
    WAREHOUSE = "warehouse"
    CUSTOMER_GROUP = "customer_group"
    FIELD_RULE = "field_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A second value of a target, such as the cost center beside the account."""

    name: str
    label: str
    help: str = ""
    reference: ReferenceKind | None = None  # its choices are the ERP's; None: `choices`
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """One kind of mapping.

    `levels` are the prefixes of its keys, strongest first ("sku:HAT-BLUE" beats "category:12"); empty: plain
    keys. `reference` is the kind of ERP value a target must be; None: the target is text (field rules).
    `suggest_key` is the key a person is offered when everything of the kind has one target.
    """

    kind: Kind
    label: str
    help: str
    key_label: str
    key_help: str
    target_label: str
    reference: ReferenceKind | None
    levels: tuple[str, ...] = ()
    extras: tuple[Extra, ...] = ()
    suggest_key: str = ""


COST_CENTER = Extra(
    name="cost_center", label="Cost center", help="Optional.", reference=ReferenceKind.COST_CENTER
)
ANY = "*"
DEFAULT = "default"
_ANY_HELP = "* stands for any text: * alone is the rule for everything that has no rule of its own."


def _account(kind: Kind, what: str, key_label: str, key_help: str, text: str) -> KindSpec:
    return KindSpec(
        kind=kind,
        label=f"{what} → G/L account",
        help=text,
        key_label=key_label,
        key_help=f"{key_help} {_ANY_HELP}",
        target_label="G/L account",
        reference=ReferenceKind.ACCOUNT,
        extras=(COST_CENTER,),
        suggest_key=ANY,
    )


_SPECS = (
    KindSpec(
        kind=Kind.ITEM,
        label="SKU → item",
        help="Which item of the ERP a product of the store is.",
        key_label="SKU",
        key_help="The SKU as the store has it; * stands for any text, as in HAT-*.",
        target_label="Item",
        reference=ReferenceKind.ITEM,
    ),
    KindSpec(
        kind=Kind.LINE_ACCOUNT,
        label="Order line → G/L account",
        help="The revenue account and cost center of a line, where they are not the item's own. "
        "SKU beats category, category beats customer segment, and default is for the rest.",
        key_label="Applies to",
        key_help="sku:HAT-BLUE, category:12, segment:Wholesale, or default. * is any text: sku:HAT-*.",
        target_label="G/L account",
        reference=ReferenceKind.ACCOUNT,
        levels=("sku", "category", "segment", DEFAULT),
        extras=(COST_CENTER,),
        suggest_key=DEFAULT,
    ),
    _account(
        Kind.SHIPPING_ACCOUNT,
        "Shipping",
        "Shipping method",
        "The method's name as the store has it.",
        "Where shipping revenue is booked.",
    ),
    _account(
        Kind.HANDLING_ACCOUNT,
        "Handling",
        "Handling",
        "The shipping method's name, or *.",
        "Where handling charges are booked.",
    ),
    _account(
        Kind.WRAPPING_ACCOUNT,
        "Gift wrapping",
        "Wrapping",
        "The wrapping's name, or *.",
        "Where gift wrapping is booked.",
    ),
    _account(
        Kind.DISCOUNT_ACCOUNT,
        "Discount",
        "Discount",
        "The coupon's code or the discount's source (coupon, promotion, manual, order).",
        "Where discounts are booked that are shown as lines of their own.",
    ),
    _account(
        Kind.FEE_ACCOUNT, "Fee", "Fee", "The fee's name as the store has it.", "Where order fees are booked."
    ),
    _account(
        Kind.GIFT_CERTIFICATE_ACCOUNT,
        "Gift certificate",
        "Gift certificate",
        "*",
        "The liability account: gift certificates sold raise it, gift certificates redeemed lower it.",
    ),
    _account(
        Kind.STORE_CREDIT_ACCOUNT,
        "Store credit",
        "Store credit",
        "*",
        "The liability account that store credit is paid from and refunded to.",
    ),
    _account(
        Kind.ROUNDING_ACCOUNT,
        "Rounding",
        "Rounding",
        "The currency, or *.",
        "Where a residue of rounding within the pipeline's limit is booked.",
    ),
    _account(
        Kind.TAX_LIABILITY_ACCOUNT,
        "Tax liability",
        "Tax",
        "The store's tax class or rate name, or *.",
        "Where the store's tax is booked by pipelines that post exempt lines with a tax-liability line.",
    ),
    _account(
        Kind.UNATTRIBUTED_REFUND_ACCOUNT,
        "Unattributed refund",
        "Refund",
        "*",
        "Where a refund is booked that no order line explains.",
    ),
    KindSpec(
        kind=Kind.CLEARING,
        label="Payment method → clearing account",
        help="The clearing account captured money arrives on and refunds are paid out of.",
        key_label="Payment method",
        key_help=f"credit_card, or with its gateway braintree:credit_card, as the store names them. {_ANY_HELP}",
        target_label="G/L account",
        reference=ReferenceKind.ACCOUNT,
    ),
    KindSpec(
        kind=Kind.TAX_CODE,
        label="Tax → tax code",
        help="Which tax code of the ERP a tax of the store is.",
        key_label="Tax",
        key_help=f"The store's tax class or rate name; exempt for what carries no tax. {_ANY_HELP}",
        target_label="Tax code",
        reference=ReferenceKind.TAX_CODE,
    ),
    KindSpec(
        kind=Kind.FREIGHT,
        label="Shipping method → freight code",
        help="Carries shipping as freight of the document instead of a line.",
        key_label="Shipping method",
        key_help=f"The method's name as the store has it. {_ANY_HELP}",
        target_label="Freight code",
        reference=ReferenceKind.FREIGHT,
    ),
    KindSpec(
        kind=Kind.WAREHOUSE,
        label="Channel → warehouse",
        help="The warehouse that ships what a channel of the store sells.",
        key_label="Channel",
        key_help=f"The id of the store's channel. {_ANY_HELP}",
        target_label="Warehouse",
        reference=ReferenceKind.WAREHOUSE,
    ),
    KindSpec(
        kind=Kind.CUSTOMER_GROUP,
        label="Customer group → business partner group",
        help="The group a new business partner is put in.",
        key_label="Customer group",
        key_help=f"The group's name or id in the store. {_ANY_HELP}",
        target_label="Business partner group",
        reference=ReferenceKind.PARTNER_GROUP,
    ),
    KindSpec(
        kind=Kind.FIELD_RULE,
        label="Store field → ERP field",
        help="Writes a field of the store, or a fixed text, into a field or user field of an ERP document.",
        key_label="Document and ERP field",
        key_help="invoice:U_Channel: the kind of document, a colon, the ERP's field.",
        target_label="Store field or text",
        reference=None,
        levels=("partner", "invoice", "sales_order", "down_payment", "payment", "credit_memo", "payout"),
        extras=(
            Extra(
                name="source",
                label="Takes",
                choices=(("field", "a field of the store"), ("constant", "this text")),
                required=True,
            ),
        ),
    ),
)

SPECS: Mapping[Kind, KindSpec] = MappingProxyType({spec.kind: spec for spec in _SPECS})
EXTRA_NAMES: tuple[str, ...] = tuple(dict.fromkeys(extra.name for spec in _SPECS for extra in spec.extras))


def label_of(kind: str) -> str:
    """The kind as people read it; history may hold kinds that are no more."""
    return SPECS[Kind(kind)].label if kind in SPECS else kind


class BadKey(ValueError):
    """A key that its kind does not allow; the text is a sentence with the way out."""


def check_key(kind: Kind, key: str) -> None:
    """Whether `key` can be the key of a mapping of this kind.

    :raises BadKey: with what to write instead
    """
    spec = SPECS[kind]
    if not key:
        raise BadKey(f"{spec.key_label} is empty. {spec.key_help}")
    if any(is_unstorable(character) for character in key):
        raise BadKey(f"{spec.key_label} {key!r} holds characters that cannot be stored.")
    if len(key) > KEY_LENGTH and Pattern.parse(key).is_wildcard:
        raise BadKey(
            f"{spec.key_label} has {len(key)} characters; with a wildcard at most {KEY_LENGTH} are possible."
        )
    if not spec.levels:
        return
    level, colon, rest = key.partition(":")
    if level not in spec.levels or (level == DEFAULT) == bool(colon) or (colon and not rest):
        raise BadKey(f"{key!r} does not say what it applies to. {spec.key_help}")
    if kind is Kind.FIELD_RULE and Pattern.parse(key).is_wildcard:
        raise BadKey(f"{key!r} names no single ERP field: wildcards have no meaning here.")
