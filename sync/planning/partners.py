"""Who an order is booked to: the one-time business partner for guests, the customer's own for registered accounts."""

from __future__ import annotations

from erp.contract.documents import Origin, PartnerDocument
from erp.contract.order import Address, Customer
from erp.contract.plan import Outcome, Problem
from sync.planning.case import Stop
from sync.planning.lookup import Lookup
from sync.planning.references import partner_code
from sync.planning.settings import PipelineSettings

_SEVERAL_CURRENCIES = "##"  # one account in any currency: an order's currency is not the customer's for ever


def one_time_partner(settings: PipelineSettings) -> str:
    """The code of the business partner that guests are booked to.

    :raises Stop: refused, if the pipeline names none
    """
    if settings.one_time_partner:
        return settings.one_time_partner
    raise Stop(
        Outcome.REFUSED,
        Problem(
            code="no_one_time_partner",
            sentence="The order is a guest's, and the pipeline names no one-time business partner.",
            way_out="Set the one-time business partner on the pipeline, then reprocess.",
        ),
    )


def partner(
    customer: Customer, store_key: str, settings: PipelineSettings, lookup: Lookup
) -> PartnerDocument:
    """The business partner of a registered customer. Its reference and its code are a function of store key and customer id."""
    reference = partner_code(store_key, customer.id)
    by_store_code = settings.customer_match == "erp_code" and customer.erp_code
    group = lookup.may("customer_group", *_group_keys(customer)) if _group_keys(customer) else None
    return PartnerDocument(
        reference=reference,
        code=customer.erp_code if by_store_code else reference,
        name=_name(customer),
        email=customer.email,
        phone=customer.phone,
        tax_number=customer.tax_number,
        group=group.target if group else "",
        currency=_SEVERAL_CURRENCIES,
        billing=customer.addresses[0] if customer.addresses else _address_of(customer),
        shipping=customer.addresses[1:] or customer.addresses[:1],
        match_by="code" if settings.customer_match == "erp_code" else settings.customer_match,
        origins=(
            Origin(field="customer.id", value=customer.id),
            *(
                [
                    Origin(
                        field="customer.group",
                        value=customer.group_name or customer.group_id,
                        rule=group.rule,
                    )
                ]
                if group
                else []
            ),
        ),
    )


def _group_keys(customer: Customer) -> list[str]:
    return [key for key in (customer.group_name, customer.group_id) if key]


def _name(customer: Customer) -> str:
    person = f"{customer.first_name} {customer.last_name}".strip()
    return customer.company or person or customer.email


def _address_of(customer: Customer) -> Address:
    return Address(
        first_name=customer.first_name,
        last_name=customer.last_name,
        company=customer.company,
        phone=customer.phone,
        email=customer.email,
    )


def customer_fields(customer: Customer) -> dict[str, str]:
    """The flat store fields that field rules of business partners may read."""
    texts = ("id", "email", "first_name", "last_name", "company", "phone", "tax_number", "erp_code")
    groups = ("group_id", "group_name")
    return {f"customer.{name}": getattr(customer, name) for name in (*texts, *groups)}
