"""What the demo's store sells and what the demo's ERP calls it.

Two articles are meant to be missing from the demo's mappings (``mapped=False``): a person fixes those gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sandbox.bigcommerce import BigCommerce, Line, Tax


@dataclass(frozen=True, slots=True)
class Article:
    """One article, as the store and as the ERP know it.

    :ivar item: the ERP's item code
    :ivar mapped: whether the demo's set-up maps it
    """

    product_id: int
    sku: str
    name: str
    price: str
    barcode: str
    item: str
    item_name: str
    mapped: bool = True

    def line(self, quantity: int, *taxes: Tax, **more: object) -> Line:
        """A line of this article."""
        price = Decimal(self.price)
        return Line(self.sku, price, quantity, taxes, name=self.name, product_id=self.product_id, **more)  # type: ignore[arg-type]


MUG = Article(101, "MUG-RED", "Stoneware mug, red", "14.50", "4006381333931", "A-1001", "Mug stoneware red")
BOTTLE = Article(
    102, "BOTTLE-1L", "Steel bottle, 1 l", "29.90", "4006381333948", "A-1002", "Bottle steel 1.0 l"
)
SHIRT = Article(103, "SHIRT-M", "Linen shirt, M", "59.00", "4006381333955", "A-1003", "Shirt linen M")
BAG = Article(104, "BAG-CANVAS", "Canvas bag", "39.95", "4006381333962", "A-1004", "Bag canvas natural")
LAMP = Article(105, "LAMP-DESK", "Desk lamp", "119.00", "4006381333979", "A-1005", "Lamp desk LED")
BOOK = Article(
    106, "EBOOK-7", "Field guide (download)", "12.00", "4006381333986", "A-1006", "Field guide PDF"
)
HAT = Article(
    107, "HAT-BLUE", "Wool hat, blue", "34.00", "4006381333993", "HAT-BLUE", "Hat wool blue", mapped=False
)
SCARF = Article(
    108, "SCARF-WOOL", "Wool scarf", "45.50", "4006381334006", "A-1008", "Scarf wool", mapped=False
)

ARTICLES = (MUG, BOTTLE, SHIRT, BAG, LAMP, BOOK, HAT, SCARF)


def stock_shelves(bigcommerce: BigCommerce, store_hash: str) -> None:
    """Put the articles into a store's catalog."""
    for article in ARTICLES:
        bigcommerce.add_product(
            store_hash,
            article.product_id,
            article.sku,
            article.name,
            upc=article.barcode,
            price=article.price,
        )
