"""One store: what happens in it (orders, captures, refunds, customers) and the events that tells of it.

This is the Python side for tests and the demo; the HTTP side (``api_v2``, ``api_v3``) reads and changes
the same state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.bigcommerce.calculator import ZERO, price
from sandbox.bigcommerce.hooks import Hooks
from sandbox.bigcommerce.payloads import STATUSES, order_payloads, rfc2822
from sandbox.bigcommerce.refunds import PayBack, Refund, facts, give_back
from sandbox.bigcommerce.shopping import Person, Shopping, Tender
from sandbox.bigcommerce.tenders import TransactionWriter, iso, later
from sandbox.wire import Clock, Storage

Row = dict[str, Any]
FIRST_ORDER = 100


class Store:
    """A store of the sandbox.

    :ivar hash: its store hash
    :ivar hooks: its webhooks
    """

    def __init__(self, storage: Storage, clock: Clock, store_hash: str, wake: Callable[[], None]) -> None:
        self.hash = store_hash
        self.hooks = Hooks(storage, clock, store_hash, wake)
        self._storage, self._clock = storage, clock

    # -- settings -----------------------------------------------------------------------------------

    @property
    def settings(self) -> Row:
        """Token, client id and secret, currency, quota, ...: see ``BigCommerce.add_store``."""
        return self._storage.get("stores", self.hash) or {}

    def change(self, **settings: Any) -> None:
        """Change settings of the store; KeyError for an unknown one."""
        with self._storage.transaction():
            row = self.settings
            for name, value in settings.items():
                if name not in row:
                    raise KeyError(name)
                row[name] = value
            self._storage.put("stores", self.hash, row)

    # -- orders -------------------------------------------------------------------------------------

    def place(self, shopping: Shopping, *, unreadable_reads: int = 0, silent: bool = False) -> int:
        """A shopper checks out. Returns the order's id; ``store/order/created`` goes out.

        :param unreadable_reads: so many reads of the order answer 404 at first, as if a replica lagged behind
        :param silent: no event: BigCommerce lost it
        """
        with self._storage.transaction():
            order_id = self._storage.next_number(f"orders:{self.hash}", FIRST_ORDER)
            now = self._clock.now()
            self._have_account(shopping.person)
            record = self._record(shopping, order_id, now, earlier=None)
            self._save(record | {"unreadable_reads": unreadable_reads, "created": shopping.placed_at or now})
            if not silent:
                self.hooks.emit("store/order/created", {"type": "order", "id": order_id}, record)
        return order_id

    def _record(self, shopping: Shopping, order_id: int, at: datetime, earlier: list[Row] | None) -> Row:
        payloads = order_payloads(shopping, order_id=order_id, at=at, earlier=earlier)
        line_ids = [row["id"] for row in payloads["products"]]
        return {
            "id": order_id,
            "payloads": payloads,
            "facts": facts(shopping, price(shopping), line_ids, order_id),
            "modified": shopping.placed_at or at,
            "shipments": [],
        }

    def order_count(self) -> int:
        """How many orders were ever placed."""
        series = self._storage.get("_series", f"orders:{self.hash}")
        return int(series["next"]) - FIRST_ORDER if series else 0

    def order(self, order_id: int) -> Row:
        """Everything about an order as plain JSON data: order, products, taxes, transactions, refunds, ...

        :raises LookupError: when there is no such order
        """
        payloads: Row = self._get(order_id)["payloads"]
        return payloads

    def edit(self, order_id: int, shopping: Shopping, *, keep_money: bool = True) -> None:
        """A merchant edits an order: new lines and amounts, the same id. ``store/order/updated`` goes out.

        :param keep_money: the transactions stay as they are (editing does not charge); else they are made
            anew
        """
        with self._storage.transaction():
            old = self._get(order_id)
            now = self._clock.now()
            new = self._record(shopping, order_id, now, old["payloads"]["products"])
            kept = ["refunds", *(("transactions",) if keep_money else ())]
            new["payloads"] |= {name: old["payloads"][name] for name in kept}
            order, before = new["payloads"]["order"], old["payloads"]["order"]
            order["date_created"] = before["date_created"]
            if keep_money:
                order |= {name: before[name] for name in ("payment_status", "status_id", "status")}
            new |= {"created": old["created"], "unreadable_reads": 0, "shipments": old["shipments"]}
            self._touch(new)

    def set_status(self, order_id: int, status_id: int) -> None:
        """The merchant, or the store itself, moves the order to another status."""
        with self._storage.transaction():
            record = self._get(order_id)
            self._move(record, status_id)
            self._touch(record)

    def update(self, order_id: int, **fields: Any) -> None:
        """Change fields of the order as they stand in its payload (``staff_notes``, ...)."""
        with self._storage.transaction():
            record = self._get(order_id)
            status_id = fields.pop("status_id", None)
            record["payloads"]["order"] |= fields
            if status_id is not None:
                self._move(record, status_id)
            self._touch(record)

    def archive(self, order_id: int) -> None:
        """The merchant archives the order (deletes it, as the control panel says)."""
        with self._storage.transaction():
            record = self._get(order_id)
            record["payloads"]["order"]["is_deleted"] = True
            self._touch(record, "archived")

    def ship(self, order_id: int, *, tracking_number: str = "1Z999") -> int:
        """Ship everything; returns the shipment's id. The order becomes Shipped."""
        with self._storage.transaction():
            record = self._get(order_id)
            shipment = self._shipment(record, tracking_number)
            record["shipments"].append(shipment)
            order = record["payloads"]["order"]
            order |= {"date_shipped": rfc2822(self._clock.now()), "items_shipped": order["items_total"]}
            shipped = {"type": "shipment", "id": shipment["id"], "orderId": order_id}
            self.hooks.emit("store/shipment/created", shipped)
            self._move(record, 2)
            self._touch_by_part(record)
        number: int = shipment["id"]
        return number

    def _shipment(self, record: Row, tracking_number: str) -> Row:
        payloads = record["payloads"]
        items = [
            {"order_product_id": row["id"], "product_id": row["product_id"], "quantity": row["quantity"]}
            for row in payloads["products"]
            if row["type"] == "physical"
        ]
        address = (payloads["shipping_addresses"] or [{"id": 0, "shipping_method": ""}])[0]
        who = {
            name: payloads["order"]["billing_address"][name]
            for name in asdict(Person())
            if name != "customer_id"
        }
        return {
            "id": self._storage.next_number(f"shipments:{self.hash}"),
            "order_id": record["id"],
            "customer_id": payloads["order"]["customer_id"],
            "order_address_id": address["id"],
            "date_created": rfc2822(self._clock.now()),
            "tracking_number": tracking_number,
            "merchant_shipping_cost": "0.0000",
            "shipping_method": address["shipping_method"],
            "shipping_provider": "",
            "tracking_carrier": "",
            "tracking_link": "",
            "comments": "",
            "billing_address": who,
            "shipping_address": {name: address.get(name, "") for name in who},
            "items": items,
        }

    # -- money --------------------------------------------------------------------------------------

    def capture(self, order_id: int, amount: Decimal | None = None) -> None:
        """Capture what was authorised, or a part of it."""
        with self._storage.transaction():
            record = self._get(order_id)
            rows = record["payloads"]["transactions"]
            authorized = sum((row["amount"] for row in rows if row["event"] == "authorization"), ZERO)
            captured = sum((row["amount"] for row in rows if row["event"] == "capture"), ZERO)
            part = authorized - captured if amount is None else Decimal(amount)
            rows.append(later(rows, "capture", part, of="authorization", at=self._clock.now()))
            if captured + part >= authorized:
                record["payloads"]["order"]["payment_status"] = "captured"
                self._move(record, 11)
            self._announce_money(record, rows[-1])

    def void(self, order_id: int) -> None:
        """Void what was authorised; the order is cancelled."""
        with self._storage.transaction():
            record = self._get(order_id)
            rows = record["payloads"]["transactions"]
            amount = next((row["amount"] for row in rows if row["event"] == "authorization"), ZERO)
            rows.append(later(rows, "void", amount, of="authorization", at=self._clock.now()))
            record["payloads"]["order"]["payment_status"] = "void"
            self._move(record, 5)
            self._announce_money(record, rows[-1])

    def settle(self, order_id: int) -> None:
        """The gateway settles the capture or purchase. No money moves a second time."""
        with self._storage.transaction():
            record = self._get(order_id)
            rows = record["payloads"]["transactions"]
            of = "capture" if any(row["event"] == "capture" for row in rows) else "purchase"
            amount = next(row["amount"] for row in reversed(rows) if row["event"] == of)
            rows.append(later(rows, "settled", amount, of=of, at=self._clock.now()))
            self._announce_money(record, rows[-1])

    def pay(self, order_id: int, amount: Decimal, tender: Tender | None = None) -> None:
        """Further money comes in (paying an edit, or an order placed on account)."""
        with self._storage.transaction():
            record = self._get(order_id)
            rows = record["payloads"]["transactions"]
            currency = record["facts"]["currency"]
            writer = TransactionWriter(
                order_id=order_id, currency=currency, at=self._clock.now(), written=len(rows)
            )
            writer("purchase", tender or Tender(), amount)
            rows.extend(writer.rows)
            record["payloads"]["order"]["payment_status"] = "captured"
            self._move(record, 11)
            self._announce_money(record, rows[-1])

    def refund(self, order_id: int, refund: Refund | None = None) -> int:
        """Refund an order, wholly when ``refund`` is not given. Returns the refund's id; events go out.

        :raises ValueError: when more would go back than was paid
        """
        refund = refund or Refund()
        with self._storage.transaction():
            record = self._get(order_id)
            payloads = record["payloads"]
            given = give_back(record["facts"], payloads["refunds"], refund)
            to_wallet = any(pay.provider_id == "storecredit" for pay in refund.payments)
            if to_wallet and not payloads["order"]["customer_id"]:
                raise ValueError("Unable to provide store credit for a guest customer.")
            number = self._storage.next_number(f"refunds:{self.hash}")
            payments = [self._pay_back(record, pay, given.total) for pay in refund.payments]
            row = {
                "id": number, "order_id": order_id, "user_id": 1, "created": iso(self._clock.now()),
                "reason": refund.reason, "total_amount": given.total, "total_tax": given.tax,
                "uses_merchant_override_values": refund.override is not None,
                "items": given.items, "payments": payments,
            }  # fmt: skip
            payloads["refunds"].append(row)
            self._after_refund(record)
            told = {"type": "order", "id": order_id, "refund": {"refund_id": number}}
            self.hooks.emit("store/order/refund/created", told, record)
            self._touch_by_part(record)
        return number

    def _pay_back(self, record: Row, pay: PayBack, total: Decimal) -> Row:
        amount = total if pay.amount is None else pay.amount
        rows = record["payloads"]["transactions"]
        transaction_id = ""
        came = [
            row["event"] for row in rows if row["event"] in ("capture", "purchase") and row["status"] == "ok"
        ]
        if came and not pay.offline and not pay.declined and pay.provider_id != "storecredit":
            rows.append(later(rows, "refund", amount, of=came[-1], at=self._clock.now()))
            transaction_id = str(rows[-1]["id"])
        return {
            "id": self._storage.next_number(f"refund-payments:{self.hash}"),
            "provider_id": pay.provider_id,
            "amount": amount,
            "offline": pay.offline,
            "is_declined": pay.declined,
            "declined_message": "The card was declined." if pay.declined else "",
            "transaction_id": transaction_id,
        }

    def _after_refund(self, record: Row) -> None:
        payloads = record["payloads"]
        paid_back = [p["amount"] for r in payloads["refunds"] for p in r["payments"] if not p["is_declined"]]
        for product in payloads["products"]:
            items = (item for refund in payloads["refunds"] for item in refund["items"])
            mine = (
                item for item in items if (item["item_type"], item["item_id"]) == ("PRODUCT", product["id"])
            )
            product["quantity_refunded"] = sum(item["quantity"] for item in mine)
            product["is_refunded"] = product["quantity_refunded"] == product["quantity"]
        if paid_back:
            whole = sum(paid_back, ZERO) >= record["facts"]["total"]["inc"]
            payloads["order"]["payment_status"] = "refunded" if whole else "partially refunded"
            self._move(record, 4 if whole else 14)

    # -- customers ----------------------------------------------------------------------------------

    def add_customer(self, person: Person, **more: Any) -> Person:
        """A shopper registers. Returns the person with its id; ``more`` are fields of the v3 customer."""
        with self._storage.transaction():
            number = self._storage.next_number(f"customers:{self.hash}", 1)
            while self._storage.get(f"customers:{self.hash}", number):
                number = self._storage.next_number(f"customers:{self.hash}", 1)
            row = self._customer(person, number) | more
            self._storage.put(f"customers:{self.hash}", number, row)
            self.hooks.emit("store/customer/created", {"type": "customer", "id": number})
        return Person(**{**asdict(person), "customer_id": number})

    def _have_account(self, person: Person) -> None:
        """Who orders as a registered customer has an account; it may be older than the sandbox."""
        number = person.customer_id
        if number and self._storage.get(f"customers:{self.hash}", number) is None:
            self._storage.put(f"customers:{self.hash}", number, self._customer(person, number))

    def change_customer(self, customer_id: int, **fields: Any) -> None:
        """Change fields of a customer; ``store/customer/updated`` goes out."""
        with self._storage.transaction():
            row = self._customer_row(customer_id)
            row |= fields | {"date_modified": iso(self._clock.now())}
            self._storage.put(f"customers:{self.hash}", customer_id, row)
            self.hooks.emit("store/customer/updated", {"type": "customer", "id": customer_id})

    def change_address(self, customer_id: int, address_id: int, **fields: Any) -> None:
        """Change an address; only the address event goes out ("customer/updated ignores addresses")."""
        with self._storage.transaction():
            row = self._customer_row(customer_id)
            address = next(address for address in row["addresses"] if address["id"] == address_id)
            address |= fields
            self._storage.put(f"customers:{self.hash}", customer_id, row)
            told = {"type": "customer", "id": address_id, "address": {"customer_id": customer_id}}
            self.hooks.emit("store/customer/address/updated", told)

    def _customer_row(self, customer_id: int) -> Row:
        row = self._storage.get(f"customers:{self.hash}", customer_id)
        if row is None:
            raise LookupError(f"no customer {customer_id}")
        return row

    def _customer(self, person: Person, number: int) -> Row:
        now = iso(self._clock.now())
        address = {
            "id": number * 10 + 1, "customer_id": number, "first_name": person.first_name,
            "last_name": person.last_name, "company": person.company, "address1": person.street_1,
            "address2": person.street_2, "city": person.city, "state_or_province": person.state,
            "postal_code": person.zip, "country": person.country, "country_code": person.country_iso2,
            "phone": person.phone, "address_type": "residential", "form_fields": [],
        }  # fmt: skip
        return {
            "id": number, "email": person.email, "first_name": person.first_name, "last_name":
            person.last_name, "company": person.company, "phone": person.phone, "registration_ip_address":
            "192.0.2.10", "notes": "", "tax_exempt_category": "", "customer_group_id": 0, "date_created": now,
            "date_modified": now, "address_count": 1, "attribute_count": 0, "authentication":
            {"force_password_reset": False}, "addresses": [address], "attributes": [], "form_fields": [],
            "store_credit_amounts": [{"amount": ZERO}], "accepts_product_review_abandoned_cart_emails":
            True, "origin_channel_id": 1, "channel_ids": [1],
        }  # fmt: skip

    # -- plumbing -----------------------------------------------------------------------------------

    def read(self, order_id: int) -> Row | None:
        """The record of an order as a reader over HTTP finds it; None while it cannot be read yet."""
        record = self._storage.get(f"orders:{self.hash}", order_id)
        if record and not self._is_readable(record):
            self._storage.counters[self._reads(record)] += 1
            return None
        return record

    def records(self, where: Callable[[Row], bool] | None = None) -> list[Row]:
        """The records of all orders that can be read."""
        return self._storage.rows(
            f"orders:{self.hash}", lambda row: self._is_readable(row) and (where is None or where(row))
        )

    def _is_readable(self, record: Row) -> bool:
        return bool(self._storage.counters[self._reads(record)] >= record["unreadable_reads"])

    def _reads(self, record: Row) -> str:
        return f"reads of {self.hash}/{record['id']} that came too early"

    def _get(self, order_id: int) -> Row:
        record = self._storage.get(f"orders:{self.hash}", order_id)
        if record is None:
            raise LookupError(f"no order {order_id}")
        return record

    def _save(self, record: Row) -> None:
        self._storage.put(f"orders:{self.hash}", record["id"], record)

    def _touch(self, record: Row, event: str = "updated") -> None:
        record["modified"] = self._clock.now()
        record["payloads"]["order"]["date_modified"] = rfc2822(record["modified"])
        self._save(record)
        self.hooks.emit(f"store/order/{event}", {"type": "order", "id": record["id"]}, record)

    def _move(self, record: Row, status_id: int) -> None:
        order = record["payloads"]["order"]
        if order["status_id"] == status_id:
            return
        change = {"previous_status_id": order["status_id"], "new_status_id": status_id}
        order |= {"status_id": status_id, "status": STATUSES[status_id]}
        told = {"type": "order", "id": record["id"], "status": change}
        self.hooks.emit("store/order/statusUpdated", told, record)

    def _announce_money(self, record: Row, transaction: Row) -> None:
        told = {
            "type": "transaction",
            "order_id": str(record["id"]),
            "transaction_id": str(transaction["id"]),
            "transaction_status": "complete",
            "transaction_type": transaction["event"],
            "result": {"code": "00", "message": "Transaction Approved", "type": "success"},
            "platform_transaction_id": str(transaction["id"]),
            "provider_transaction_id": transaction["gateway_transaction_id"],
        }
        self.hooks.emit("store/order/transaction/created", told)
        self._touch_by_part(record)

    def _touch_by_part(self, record: Row) -> None:
        """A part of the order came or changed; whether that touches the order itself is a setting."""
        if self.settings["parts_touch_order"]:
            self._touch(record)
        else:
            self._save(record)
