"""The control API of this server (`POST /_control/<what>`), for tests and demos in other processes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.service_layer import people
from sandbox.service_layer.reference_data import add_item, set_stock

if TYPE_CHECKING:
    from sandbox.service_layer.company import Company
    from sandbox.service_layer.server import ServiceLayer


class Control:
    """`company` in the data names the company; without it, the first one is meant."""

    def __init__(self, server: ServiceLayer) -> None:
        self.server = server

    def run(self, what: str, data: dict[str, Any]) -> Any:
        """Carry out one control request.

        :raises LookupError: if there is none such
        """
        action = self._actions()[what]
        with self.server.storage.transaction():
            result = action(data)
            self.server.save()
        return result

    def _actions(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        return {
            "companies": self._companies,
            "switch": self._switch,
            "rate": self._rate,
            "period": self._period,
            "item": self._item,
            "stock": self._stock,
            "change": self._change,
            "rows": self._rows,
            "invoice-order": self._invoice_order,
            "user-field": self._user_field,
            "restart": self._restart,
            "lose-sessions": self._lose_sessions,
            "sessions": self._sessions,
        }

    def _sessions(self, data: dict[str, Any]) -> Any:
        return {"open": len(self.server.sessions), "logins": self.server.sessions.logins}

    def _company(self, data: dict[str, Any]) -> Company:
        return self.server.company(data.get("company", ""))

    def _companies(self, data: dict[str, Any]) -> Any:
        return sorted(self.server.companies)

    def _switch(self, data: dict[str, Any]) -> None:
        company = self._company(data)
        for name, value in data.get("switches", {}).items():
            if not hasattr(company.switches, name):
                raise LookupError(name)
            setattr(company.switches, name, set(value) if name == "approvals" else value)

    def _rate(self, data: dict[str, Any]) -> None:
        rate = data.get("rate")
        self._company(data).set_rate(
            data["currency"], None if rate is None else Decimal(str(rate)), data.get("day")
        )

    def _period(self, data: dict[str, Any]) -> None:
        self._company(data).set_period(data["code"], data["status"])

    def _item(self, data: dict[str, Any]) -> None:
        more = data.get("properties", {})
        add_item(
            self._company(data),
            data["code"],
            data.get("name", ""),
            stock=str(data.get("stock", "1000")),
            **more,
        )

    def _stock(self, data: dict[str, Any]) -> None:
        company = self._company(data)
        set_stock(company, data["code"], str(data["quantity"]), data.get("warehouse", ""))
        company.touch("Items", company.tables["Items"][data["code"],])

    def _change(self, data: dict[str, Any]) -> None:
        """Change a row as a user of the B1 client might: `set`, `key` (a list) and `properties`."""
        company = self._company(data)
        row = company.tables[data["set"]][tuple(data["key"])]
        row.update(data["properties"])
        company.touch(data["set"], row)

    def _rows(self, data: dict[str, Any]) -> Any:
        return self._company(data).documents(data["set"], **data.get("where", {}))

    def _invoice_order(self, data: dict[str, Any]) -> Any:
        """Invoice a sales order as the ERP's people do: `order`, and `quantities` by line number where it is a part."""
        given = data.get("quantities") or {}
        quantities = {int(number): Decimal(str(quantity)) for number, quantity in given.items()}
        draw = {
            int(entry): None if amount is None else Decimal(str(amount))
            for entry, amount in (data.get("draw") or {}).items()
        }
        row = people.invoice_order(
            self._company(data), int(data["order"]), quantities=quantities or None, draw=draw
        )
        return {"DocEntry": row["DocEntry"], "DocNum": row["DocNum"], "DocTotal": str(row["DocTotal"])}

    def _user_field(self, data: dict[str, Any]) -> None:
        self._company(data).add_user_field(data["table"], data["name"], length=int(data.get("length", 50)))

    def _restart(self, data: dict[str, Any]) -> None:
        self._company(data).restart()
        self.server.sessions.lose()

    def _lose_sessions(self, data: dict[str, Any]) -> None:
        self.server.sessions.lose(self._company(data) if "company" in data else None)
