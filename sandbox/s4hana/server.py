"""SAP S/4HANA as an HTTP server: tokens, OData V2 services with CSRF, and the journal entry service."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from werkzeug import Request, Response

from sandbox.s4hana import company, filters, ledger, odata, partners, sales_orders, soap, wrapper
from sandbox.wire import App, Clock, Refusal, Storage, answer_json, loads

Row = dict[str, Any]
TOKEN = "/sap/bc/sec/oauth2/token"
JOURNAL = "/sap/bc/srt/scs_ext/sap/journalentrycreaterequestconfi"
_PATH = re.compile(r"^/sap/opu/odata/sap/(?P<service>\w+)/(?P<set>\w*)(?:\((?P<key>.*)\))?$")
# Which sets a service shows.
SERVICES = {
    "API_COMPANYCODE_SRV": (company.COMPANIES,),
    "API_GLACCOUNTINCHARTOFACCOUNTS_SRV": (company.ACCOUNTS,),
    "API_COSTCENTER_SRV": (company.CENTERS,),
    "API_BUSINESS_PARTNER": partners.SETS,
    "API_PRODUCT_SRV": (company.PRODUCTS,),
    "API_SALES_ORDER_SRV": (sales_orders.ORDERS, sales_orders.ITEMS),
    wrapper.SERVICE: (wrapper.ENTRIES,),
    "API_OPLACCTGDOCITEMCUBE_SRV": ("A_OperationalAcctgDocItemCube",),
}
SINGLE_KEYS = {company.COMPANIES: "CompanyCode", partners.PARTNERS: "BusinessPartner"}


class S4Hana(App):
    """One tenant. `serve(S4Hana())` of `sandbox.wire` starts it on loopback.

    :param client_id: who may sign in, with OAuth or as a communication user with Basic; everybody may know the secret, the sandbox
        listens on loopback alone
    :param token_seconds: how long a token lives; told as `expires_in` unless `tells_life` is off
    """

    name = "s4hana"

    def __init__(
        self,
        storage: Storage | None = None,
        clock: Clock | None = None,
        *,
        client_id: str = "sb-tieout",
        client_secret: str = "sandbox",
        token_seconds: int = 3600,
        tells_life: bool = True,
    ) -> None:
        super().__init__(storage, clock)
        self.client_id, self.client_secret = client_id, client_secret
        self.token_seconds, self.tells_life = token_seconds, tells_life
        self.arrangements: set[str] = {*SERVICES, "journal"}  # what the communication arrangements open
        self.shows_after = timedelta(0)  # how long a new journal entry stays out of the look-up
        self.tokens_given = 0
        self._tokens: dict[str, Any] = {}
        self._csrf: dict[str, tuple[str, str]] = {}  # CSRF token to its session cookie and service
        if not self.storage.rows(company.COMPANIES):
            company.set_up_company(self.storage)

    def lose_tokens(self) -> None:
        """Every token is refused from now on."""
        self._tokens.clear()

    def lose_csrf(self) -> None:
        """Every CSRF token is stale from now on."""
        self._csrf.clear()

    def journal(self, **where: Any) -> list[Row]:
        """The rows of all journal entries with these values."""
        rows = ledger.journal_rows(self.storage)
        return [row for row in rows if all(row[name] == value for name, value in where.items())]

    # --- the wire -----------------------------------------------------------------------------------------

    def dispatch(self, request: Request) -> Response:
        if request.path == TOKEN and request.method == "POST":
            return self._token(request)
        self._authenticate(request)
        if request.path == JOURNAL:
            return self._journal(request)
        found = _PATH.match(request.path)
        if found is None or found["service"] not in SERVICES:
            raise Refusal(
                Response("<html><h1>404 Not found</h1></html>", status=404, content_type="text/html")
            )
        self._open(found["service"])
        if request.method == "GET":
            return self._read(request, found["service"], found["set"], found["key"])
        self._check_csrf(request, found["service"])
        return self._write(request, found["set"], found["key"])

    def _token(self, request: Request) -> Response:
        given = parse_qs(request.get_data(as_text=True))
        if given.get("grant_type") != ["client_credentials"] or not self._is_client(request):
            return answer_json(
                {"error": "invalid_client", "error_description": "Client authentication failed"}, 401
            )
        token = secrets.token_urlsafe(24)
        self.tokens_given += 1
        self._tokens[token] = self.clock.now() + timedelta(seconds=self.token_seconds)
        told: Row = {"access_token": token, "token_type": "Bearer"}
        return answer_json(told | ({"expires_in": str(self.token_seconds)} if self.tells_life else {}))

    def _is_client(self, request: Request) -> bool:
        wanted = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return request.headers.get("Authorization", "") == f"Basic {wanted}"

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if self.faults.take(request, "token_lost"):
            self._tokens.pop(token, None)
        ends = self._tokens.get(token) if scheme == "Bearer" else None
        if (scheme == "Basic" and self._is_client(request)) or (ends and ends > self.clock.now()):
            return
        page = "<html><head><title>Logon Error Message</title></head><body>401 Unauthorized</body></html>"
        raise Refusal(Response(page, status=401, content_type="text/html"))

    def _open(self, service: str) -> None:
        """A service without an arrangement answers 403, just as a stale CSRF token does, but without its header."""
        if service not in self.arrangements:
            raise odata.refusal(403, "/IWFND/MED/170", f"No authorization to access service {service}")

    def _check_csrf(self, request: Request, service: str) -> None:
        kept = self._csrf.get(request.headers.get("X-CSRF-Token", ""))
        if self.faults.take(request, "csrf_stale"):
            kept = None
        if kept is None or kept != (request.cookies.get("SAP_SESSIONID_S4H_100", ""), service):
            headers = {"X-CSRF-Token": "Required"}
            raise Refusal(
                Response(
                    "CSRF token validation failed", status=403, headers=headers, content_type="text/plain"
                )
            )

    # --- OData --------------------------------------------------------------------------------------------

    def _read(self, request: Request, service: str, name: str, key: str | None) -> Response:
        if not name:
            response = answer_json({"d": {"EntitySets": list(SERVICES[service])}})
        elif name not in SERVICES[service]:
            raise odata.refusal(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for the segment '{name}'")
        elif key is not None:
            keys = _keys(name, key)
            matching = (
                row for row in self._rows(name) if all(str(row.get(k, "")) == v for k, v in keys.items())
            )
            response = odata.one(request, next(matching, None))
        else:
            response = odata.collection(request, self._rows(name), request.path)
        if request.headers.get("X-CSRF-Token", "").lower() == "fetch":
            token, session = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
            self._csrf[token] = (session, service)
            response.headers["X-CSRF-Token"] = token
            response.headers.add("Set-Cookie", "sap-usercontext=sap-client=100; path=/")
            response.headers.add(
                "Set-Cookie",
                f"SAP_SESSIONID_S4H_100={session}; path=/; expires=Fri, 27-Nov-2099 12:00:00 GMT; secure; HttpOnly",
            )
        return response

    def _rows(self, name: str) -> list[Row]:
        if name == "A_OperationalAcctgDocItemCube":
            seen = self.clock.now() - self.shows_after
            return [
                row
                for row in ledger.journal_rows(self.storage)
                if row["AccountingDocumentCreationDate"] <= seen
            ]
        if name == sales_orders.ITEMS:
            return sales_orders.items(self.storage)
        return partners.rows(self.storage, name) if name in partners.SETS else self.storage.rows(name)

    def _write(self, request: Request, name: str, key: str | None) -> Response:
        body = loads(request.get_data() or b"{}")
        if request.method == "POST" and name == partners.PARTNERS and key is None:
            made = partners.create(self.storage, body, self.clock.now())
            return answer_json({"d": odata.as_json(made, {})}, 201)
        if request.method == "POST" and name == sales_orders.ORDERS and key is None:
            made = sales_orders.create(self.storage, body, self.clock.now())
            return answer_json({"d": odata.as_json(made, {"$expand": "to_Item"})}, 201)
        if request.method == "PATCH" and name == sales_orders.ITEMS and key is not None:
            sales_orders.change_item(
                self.storage, _keys(name, key), body, request.headers.get("If-Match", "")
            )
            return Response(status=204)
        if request.method == "POST" and name == wrapper.ENTRIES and key is None:
            return answer_json({"d": wrapper.post(self.storage, body, self.clock.now())}, 201)
        if request.method in ("PATCH", "MERGE") and key is not None and name in partners.SETS:
            partners.change(self.storage, name, _keys(name, key), body, request.headers.get("If-Match", ""))
            return Response(status=204)
        raise odata.refusal(405, "/IWBEP/CM_MGW_RT/061", "Method not allowed on this set")

    # --- SOAP ---------------------------------------------------------------------------------------------

    def _journal(self, request: Request) -> Response:
        if "journal" not in self.arrangements:
            raise Refusal(
                Response(soap.fault("Server", "No authorization"), status=403, content_type="text/xml")
            )
        if request.method != "POST" or request.headers.get("SOAPAction", "").strip('"') != soap.ACTION:
            raise Refusal(_xml(soap.fault("Client", "Operation not found"), 500))
        if self.faults.take(request, "soap_fault"):
            raise Refusal(
                _xml(soap.fault("Server", "SRT: Processing error in Internet Communication Framework"), 500)
            )
        try:
            message, entry = soap.parse(request.get_data())
        except soap.NotTaken as error:
            raise Refusal(
                _xml(soap.fault("Client", f"Web service processing error; {error}"), 500)
            ) from error
        if self.faults.take(request, "locked"):
            lock = ledger.Message("601(MC)", "Object requested is currently locked by user CB9980000010")
            result = ledger.Result((ledger.Message("609(RW)", "Error in document: BKPFF $ S4H"), lock))
        else:
            result = ledger.Ledger(self.storage).post(entry, self.clock.now())
        if self.faults.take(request, "blank_number"):
            result = ledger.Result((ledger.Message("000(RW)", "Processed", 1),))
        return _xml(soap.confirmation(message, result, self.clock.now()), 200)


def _keys(name: str, text: str) -> Row:
    """The values a row is addressed by: `('1710')` or `(BusinessPartner='1',AddressID='2')`."""
    if text.startswith("'"):
        return {SINGLE_KEYS[name]: _padded(SINGLE_KEYS[name], text[1:-1].replace("''", "'"))}
    pairs = (part.partition("=") for part in text.split(","))
    return {key: _padded(key, value[1:-1].replace("''", "'")) for key, _, value in pairs}


def _padded(key: str, value: str) -> str:
    return value.zfill(10) if key in filters.PADDED and value.isdigit() else value


def _xml(body: str, status: int) -> Response:
    return Response(body, status=status, content_type="text/xml; charset=utf-8")
