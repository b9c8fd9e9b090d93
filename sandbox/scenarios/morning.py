"""The demo's morning: about thirty orders as a store sees them, with two missing mappings and one wrong total."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sandbox.bigcommerce import (
    BigCommerce,
    Coupon,
    Fee,
    GiveBack,
    Line,
    PayBack,
    Person,
    Refund,
    Shopping,
    Store,
    Tender,
)
from sandbox.scenarios.case import CA, NY, TX
from sandbox.scenarios.catalogue import BAG, BOOK, BOTTLE, HAT, LAMP, MUG, SCARF, SHIRT, stock_shelves
from sandbox.scenarios.money import BANK, PAYPAL

ANA = Person("Ana", "Lima", "ana.lima@example.com", street_1="18 River Road", city="Houston", zip="77002")
BEN = Person(
    "Ben", "Okafor", "ben@okafor.example", "Okafor Design", "4 Mill Lane", city="Dallas", zip="75201"
)
CLO = Person("Chloé", "Martin", "chloe@example.org", street_1="90 Pine St", city="San Diego", state="California",
             zip="92101")  # fmt: skip
DEV = Person("Dev", "Patel", "dev.patel@example.net", street_1="7 Broadway", city="New York", state="New York",
             zip="10004")  # fmt: skip
EVA = Person("Eva", "Schmidt", "eva.schmidt@example.de", street_1="Hauptstr. 5", city="Köln", state="", zip="50667",
             country="Germany", country_iso2="DE")  # fmt: skip
KEN = Person("健", "田中", "ken@example.jp", street_1="1-2-3 Ginza", city="Tokyo", state="Tokyo", zip="104-0061",
             country="Japan", country_iso2="JP")  # fmt: skip
BOBBY = Person("<b>Bobby</b>", "=cmd|' /C calc'!A0", "bobby@example.com", "Zoë & Söhne 🎩")

TEXAS = Shopping(
    lines=(),
    shipping="6.90",
    shipping_taxes=(TX,),
    shipping_method="UPS Ground",
    person=ANA,
    store_currency="USD",
)


def morning(bigcommerce: BigCommerce, store: Store) -> list[int]:
    """Place the morning's orders; webhooks go out. Returns their ids."""
    stock_shelves(bigcommerce, store.hash)
    bigcommerce.add_group(store.hash, 1, "Wholesale")
    ben = store.add_customer(BEN, customer_group_id=1)
    clo = store.add_customer(CLO)
    placed = [
        store.place(shopping) for shopping in [*_ordinary(ben, clo), *_special(ben), *_abroad(), *_gaps(clo)]
    ]
    return [*placed, *_later(store)]


def _ordinary(ben: Person, clo: Person) -> list[Shopping]:
    californian = replace(TEXAS, person=clo, shipping_taxes=(CA,))
    return [
        replace(TEXAS, lines=(MUG.line(2, TX),)),
        replace(TEXAS, lines=(MUG.line(1, TX), BOTTLE.line(3, TX)), person=ben),
        replace(TEXAS, lines=(LAMP.line(1, TX), BAG.line(1, TX)), tenders=(PAYPAL,)),
        replace(californian, lines=(SHIRT.line(2, CA), MUG.line(4, CA))),
        replace(californian, lines=(BAG.line(1, CA),)),
        replace(TEXAS, lines=(SHIRT.line(1, NY),), person=DEV, shipping_taxes=(NY,)),
        replace(TEXAS, lines=(BOOK.line(1, TX, kind="digital"),), shipping="0", person=DEV),
        replace(
            TEXAS, lines=(BOTTLE.line(7, TX), MUG.line(12, TX)), tenders=(Tender("captured"),), person=ben
        ),
    ]


def _special(ben: Person) -> list[Shopping]:
    """Discounts, charges, gift certificates, money in several ways, text from a hostile shopper."""
    wrapped = replace(MUG.line(2, TX), wrapping=Decimal("3.50"), wrapping_taxes=(TX,))
    certificate = Line("", "50.00", name="Gift certificate", kind="giftcertificate")
    bundle = (LAMP.line(1, TX), replace(MUG.line(1, TX, parent=0), price=Decimal("0.00")))
    return [
        replace(TEXAS, lines=(SHIRT.line(1, TX), MUG.line(3, TX)), coupons=(Coupon("SPRING10", 1, "10"),)),
        replace(
            TEXAS, lines=(LAMP.line(2, TX),), order_discount="15.00", coupons=(Coupon("SHIPFREE", 4, "0"),)
        ),
        replace(TEXAS, lines=(wrapped, BAG.line(1, TX)), handling="2.00", handling_taxes=(TX,)),
        replace(TEXAS, lines=(BOTTLE.line(1, TX),), fees=(Fee("Eco fee", "0.75", (TX,)),)),
        replace(TEXAS, lines=(certificate, MUG.line(1, TX))),
        replace(
            TEXAS, lines=(SHIRT.line(2, TX),), gift_certificate="40.00", store_credit="10.00", person=ben
        ),
        replace(TEXAS, lines=(BAG.line(3, TX),), tenders=(BANK,)),
        replace(TEXAS, lines=(LAMP.line(1, TX),), tenders=(Tender("authorized"),)),
        replace(TEXAS, lines=bundle),
        replace(TEXAS, lines=(MUG.line(1, TX),), person=BOBBY, customer_message="<script>alert(1)</script>"),
    ]


def _abroad() -> list[Shopping]:
    """Exports: no tax, other currencies, and yen without decimals."""
    export = replace(
        TEXAS, shipping_taxes=(), shipping="19.00", shipping_method="DHL Express", display_currency="USD"
    )
    return [
        replace(export, lines=(SHIRT.line(1), BAG.line(2)), currency="EUR", store_rate="0.91", person=EVA),
        replace(export, lines=(MUG.line(6),), currency="GBP", store_rate="0.80", person=EVA, tenders=(PAYPAL,)),
        replace(export, lines=(Line(MUG.sku, 2200, 3, name=MUG.name),), currency="JPY", store_rate="149.2537",
                shipping=1800, person=KEN),
    ]  # fmt: skip


def _gaps(clo: Person) -> list[Shopping]:
    """Five orders that wait for two mappings."""
    return [
        replace(TEXAS, lines=(HAT.line(1, TX),)),
        replace(TEXAS, lines=(HAT.line(2, TX), MUG.line(1, TX)), person=DEV),
        replace(TEXAS, lines=(HAT.line(1, CA), SHIRT.line(1, CA)), person=clo, shipping_taxes=(CA,)),
        replace(TEXAS, lines=(SCARF.line(1, TX),)),
        replace(TEXAS, lines=(SCARF.line(2, TX), BAG.line(1, TX)), tenders=(PAYPAL,)),
    ]


def _later(store: Store) -> list[int]:
    """Orders with a story: captured later, refunded, shipped, cancelled, left, and one that does not tie out."""
    captured = store.place(replace(TEXAS, lines=(BAG.line(2, TX),), tenders=(Tender("authorized"),)))
    store.capture(captured)
    refunded = store.place(replace(TEXAS, lines=(MUG.line(4, TX), BOTTLE.line(1, TX))))
    store.refund(
        refunded, Refund((GiveBack("PRODUCT", 0, quantity=1, reason="Broken on arrival"),), (PayBack(),))
    )
    shipped = store.place(replace(TEXAS, lines=(SHIRT.line(3, TX),)))
    store.ship(shipped)
    cancelled = store.place(replace(TEXAS, lines=(LAMP.line(1, TX),), tenders=(Tender("authorized"),)))
    store.void(cancelled)
    left = store.place(replace(TEXAS, lines=(LAMP.line(1, TX),), tenders=(), status_id=0))
    odd = store.place(
        replace(
            TEXAS, lines=(BOTTLE.line(2, TX),), tamper={"total_inc_tax": "-3.00", "total_ex_tax": "-3.00"}
        )
    )
    return [captured, refunded, shipped, cancelled, left, odd]
