"""Order lines and charges as document lines: placed on items and accounts, each figure with where it came from."""

from __future__ import annotations

from collections.abc import Iterator

from erp.contract.documents import DocumentLine, Origin, Use
from erp.contract.order import Charge, ChargeKind, LineKind, OrderLine
from sync.planning.case import ONE, OrderCase
from sync.planning.lookup import Given, Lookup
from sync.planning.ports import Match
from sync.planning.tax import tax_code

_CHARGE_USES = {
    ChargeKind.SHIPPING: (Use.SHIPPING, "account.shipping"),
    ChargeKind.HANDLING: (Use.HANDLING, "account.handling"),
    ChargeKind.WRAPPING: (Use.WRAPPING, "account.wrapping"),
    ChargeKind.FEE: (Use.FEE, "account.fee"),
}


def sale_lines(case: OrderCase, lookup: Lookup) -> Iterator[DocumentLine]:
    """One document line for each order line and each charge, as paid: discounts are inside."""
    for line in case.order.lines:
        if line.kind is LineKind.GIFT_CERTIFICATE:
            yield _gift_certificate(case, lookup, line)
        else:
            yield _goods(case, lookup, line)
    for charge in case.order.charges:
        yield _charge(case, lookup, charge)


def line_key(line: OrderLine) -> str:
    return f"line:{line.id}"


def charge_key(charge: Charge) -> str:
    """`shipping:91`; ids that already say what they are the id of stay as they are."""
    prefix = f"{charge.kind.value}:"
    return charge.id if charge.id.startswith(prefix) else prefix + charge.id


def sku_of(line: OrderLine) -> str:
    """The key a line's item is mapped by; a product without SKU is known by its name."""
    return line.sku or f"no SKU: {line.name}"


def _goods(case: OrderCase, lookup: Lookup, line: OrderLine) -> DocumentLine:
    tax = tax_code(case, lookup, line.taxes, line.net)
    item = _item(case, lookup, line)
    account = _account(case, lookup, line)
    warehouse = lookup.may("warehouse", case.order.channel_id) if case.order.channel_id else None
    return DocumentLine(
        key=line_key(line),
        use=Use.GOODS,
        text=" ".join([line.name, *(f"({option})" for option in line.options)]),
        quantity=line.quantity,
        net=line.net,
        tax=line.tax,
        item=item.target if item else "",
        account=account.target if account else "",
        cost_center=account.extra.get("cost_center", "") if account else "",
        warehouse=warehouse.target if warehouse and item else "",
        tax_code=tax.target,
        list_net=line.list_net,
        origins=(
            *_amount_origins(line, tax),
            Origin(field=f"{_place(line)}.sku", value=line.sku, rule=item.rule if item else ""),
            *(
                [Origin(field=f"{_place(line)}.account", value=account.target, rule=account.rule)]
                if account
                else []
            ),
            *(
                [Origin(field="channel_id", value=case.order.channel_id, rule=warehouse.rule)]
                if warehouse
                else []
            ),
        ),
    )


def _item(case: OrderCase, lookup: Lookup, line: OrderLine) -> Match | None:
    if case.settings.goods_lines == "accounts":
        return None
    sku = sku_of(line)
    found = lookup.may("item", sku)
    if found is None and case.settings.unmapped_items == "same_code" and line.sku in case.facts.items:
        return Given(line.sku, rule="the item whose code is the SKU")
    label = f"SKU {line.sku}" if line.sku else f"Product without SKU: {line.name}"
    return found or lookup.missing(
        "item", sku, label=f"{label}: {line.name}", sentence=f"{label} has no item in the ERP."
    )


def _account(case: OrderCase, lookup: Lookup, line: OrderLine) -> Match | None:
    """The G/L account of a goods line: by SKU, category, customer segment, default. Items bring their own where no rule says otherwise."""
    keys = [f"sku:{sku_of(line)}", *(f"category:{category}" for category in line.category_ids)]
    customer = case.order.customer
    if customer and (customer.group_name or customer.group_id):
        keys.append(f"segment:{customer.group_name or customer.group_id}")
    keys.append("default")
    if case.settings.goods_lines == "items":
        return lookup.may("line_account", *keys)
    found = lookup.may("line_account", *keys)
    label = f"SKU {line.sku}" if line.sku else f"Product without SKU: {line.name}"
    return found or lookup.missing(
        "line_account", keys[0], label=f"{label}: {line.name}", sentence=f"{label} has no G/L account."
    )


def _gift_certificate(case: OrderCase, lookup: Lookup, line: OrderLine) -> DocumentLine:
    tax = tax_code(case, lookup, line.taxes, line.net)
    account = gift_certificate_account(lookup)
    return DocumentLine(
        key=line_key(line),
        use=Use.GIFT_CERTIFICATE,
        text=line.name,
        quantity=line.quantity,
        net=line.net,
        tax=line.tax,
        account=account.target,
        cost_center=account.extra.get("cost_center", ""),
        tax_code=tax.target,
        list_net=line.list_net,
        origins=(
            *_amount_origins(line, tax),
            Origin(field=f"{_place(line)}.type", value="gift certificate", rule=account.rule),
        ),
    )


def gift_certificate_account(lookup: Lookup) -> Match:
    """The liability account that gift certificates sold raise and gift certificates redeemed lower."""
    return lookup.need(
        "account.gift_certificate",
        "gift certificate",
        label="Gift certificates",
        sentence="Gift certificates have no liability account.",
    )


def _charge(case: OrderCase, lookup: Lookup, charge: Charge) -> DocumentLine:
    use, kind = _CHARGE_USES[charge.kind]
    tax = tax_code(case, lookup, charge.taxes, charge.net)
    freight = lookup.may("freight", charge.name) if charge.kind is ChargeKind.SHIPPING else None
    placed = freight or charge_account(lookup, kind, charge.name or charge.kind.value, charge.kind.value)
    return DocumentLine(
        key=charge_key(charge),
        use=use,
        text=charge.name or charge.kind.value.capitalize(),
        quantity=ONE,
        net=charge.net,
        tax=charge.tax,
        account="" if freight else placed.target,
        cost_center=placed.extra.get("cost_center", ""),
        tax_code=tax.target,
        freight_code=freight.target if freight else "",
        origins=(
            *_amount_origins(charge, tax),
            Origin(field=f"{_place(charge)}.name", value=charge.name, rule=placed.rule),
        ),
    )


def charge_account(lookup: Lookup, kind: str, key: str, what: str) -> Match:
    return lookup.need(
        kind, key, label=f"{what.capitalize()}: {key}", sentence=f"The {what} {key} has no G/L account."
    )


def _amount_origins(source: OrderLine | Charge, tax: Match) -> tuple[Origin, ...]:
    names = ", ".join(share.name or share.key for share in source.taxes)
    return (
        Origin(field=_place(source), value=f"{source.net:f} + {source.tax:f} tax = {source.gross:f}"),
        Origin(field=f"{_place(source)}.taxes", value=names, rule=tax.rule),
    )


def _place(source: OrderLine | Charge) -> str:
    return source.source or f"{source.kind.value} {source.id}"
