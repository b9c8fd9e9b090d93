"""The Service Layer as an HTTP server: sessions, entity sets, actions and service operations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug import Request, Response

from sandbox.service_layer import (
    cancellation,
    changes,
    documents,
    errors,
    jsontext,
    masters,
    payments,
    persistence,
    queries,
    reconciliation,
    services,
)
from sandbox.service_layer.catalogue import DOCUMENTS, PAYMENTS, SETS, EntitySet
from sandbox.service_layer.company import Company
from sandbox.service_layer.control import Control
from sandbox.service_layer.crossjoin import CrossJoin
from sandbox.service_layer.errors import B1Error
from sandbox.service_layer.filters import parse_key
from sandbox.service_layer.languages import ENGLISH, translated
from sandbox.service_layer.sessions import Session, Sessions
from sandbox.service_layer.writing import etag, key_text, write_row
from sandbox.wire import App, Clock, Fault, Refusal, Storage

Row = dict[str, Any]
_PATH = re.compile(r"^(?P<prefix>.*?)/b1s/(?P<version>v1|v2)/(?P<rest>.*)$")
_RESOURCE = re.compile(r"^(?P<name>[A-Za-z][\w]*)(?:\((?P<key>.*)\))?(?:/(?P<action>[\w$]+))?$", re.DOTALL)
_PROXY_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class ServiceLayer(App):
    """Serves companies. `serve(ServiceLayer([Company.default()]))` of `sandbox.wire` starts it on loopback.

    :param companies: what is served, besides what `storage` already holds (those win)
    :param prefix: path in front of /b1s, as behind a reverse proxy; everything else is the proxy's 404
    :param secret_headers: headers a reverse proxy asks for; without them 403
    :param session_limit: how many sessions may be open at once; None for any number
    """

    name = "service_layer"

    def __init__(
        self,
        companies: Iterable[Company] = (),
        *,
        storage: Storage | None = None,
        clock: Clock | None = None,
        prefix: str = "",
        secret_headers: dict[str, str] | None = None,
        session_timeout: int = 30,
        session_limit: int | None = None,
    ) -> None:
        super().__init__(storage, clock)
        self._durable = storage is not None
        self.prefix = prefix.rstrip("/")
        self.secret_headers = secret_headers or {}
        self.sessions = Sessions(self.clock.now, timeout=session_timeout, limit=session_limit)
        self.companies: dict[str, Company] = {}
        for company in persistence.load(self.storage, self.clock.now):
            self.companies[company.database] = company
        for company in companies:
            self.add(company)

    def add(self, company: Company) -> Company:
        """Serve another company; one of that name that was stored before stays as it is."""
        known = self.companies.get(company.database)
        if known is not None:
            return known
        company.clock = self.clock.now
        self.companies[company.database] = company
        self.save()
        return company

    def company(self, database: str = "") -> Company:
        """The company of that name; without a name, the first."""
        return self.companies[database] if database else next(iter(self.companies.values()))

    def save(self) -> None:
        """Make changes durable that were made from Python (those over HTTP are saved by themselves)."""
        for company in self.companies.values() if self._durable else ():
            persistence.save(company, self.storage)

    def proxy_error(self, *, status: int = 502, **how: Any) -> Fault:
        """Switch on an HTML error page of the proxy in front; `how` says when, as for any fault."""
        page = _PROXY_PAGE.format(f"{status} Proxy Error")
        return self.faults.add(
            "answer", status=status, body=page, headers={"Content-Type": "text/html"}, **how
        )

    def outage(self, seconds: float) -> Fault:
        """Everything answers 503 for so many seconds."""
        return self.proxy_error(status=503, count=None, seconds=seconds)

    # --- the wire -----------------------------------------------------------------------------------------

    def dispatch(self, request: Request) -> Response:
        refused = self._proxy(request)
        if refused is not None:
            return refused
        if request.path == f"{self.prefix}/ping/":
            return _json({"message": "pong", "sender": "load balancer", "timestamp": str(self.clock.now())})
        found = _PATH.match(request.path)
        if found is None:
            return Response(_PROXY_PAGE.format("404 Not Found"), status=404, content_type="text/html")
        exchange = Exchange(self, request, found["rest"], v2=found["version"] == "v2")
        try:
            return exchange.answer()
        except B1Error as error:
            raise Refusal(exchange.write_error(error)) from error

    def _proxy(self, request: Request) -> Response | None:
        for name, value in self.secret_headers.items():
            if request.headers.get(name) != value:
                return Response(_PROXY_PAGE.format("403 Forbidden"), status=403, content_type="text/html")
        if not request.path.startswith(f"{self.prefix}/"):
            return Response(_PROXY_PAGE.format("404 Not Found"), status=404, content_type="text/html")
        return None

    def decorate(self, request: Request, response: Response) -> None:
        response.headers.setdefault("Server", "Apache")

    def control(self, request: Request, what: str, data: dict[str, Any]) -> Any:
        return Control(self).run(what, data)

    def reset(self) -> None:
        super().reset()
        self.sessions.lose()
        self.companies.clear()


class Exchange:
    """One request to the Service Layer, inside one storage transaction."""

    def __init__(self, server: ServiceLayer, request: Request, rest: str, *, v2: bool) -> None:
        self.server = server
        self.request = request
        self.rest = rest
        self.v2 = v2
        self.root = f"/b1s/{'v2' if v2 else 'v1'}"
        override = request.headers.get("X-HTTP-Method-Override", "") if request.method == "POST" else ""
        self.method = override.upper() or request.method
        self.session_key = request.cookies.get("B1SESSION", "").strip()
        self.language = ENGLISH

    def answer(self) -> Response:
        """Log in, or do what a logged-in client asks for."""
        if self.method == "POST" and self.rest == "Login":
            return self._log_in()
        self._strike()
        session = self.server.sessions.find(self.session_key)
        self.language = session.company.switches.language
        if self.method == "POST" and self.rest == "Logout":
            self.server.sessions.log_out(self.session_key)
            return Response(status=204)
        with session.company.lock:
            response = self._resource(session)
            if self.method != "GET":
                self.server.save()
        return response

    def write_error(self, error: B1Error) -> Response:
        """An error in the shape of its version: an object with its language in v1, plain texts in v2."""
        message = translated(error.code, error.message, self.language)
        if self.v2:
            details = [{"code": "", "message": ""}]
            body: Row = {"code": str(error.code), "details": details, "message": message}
        else:
            body = {"code": error.code, "message": {"lang": self.language, "value": message}}
        return _json({"error": body}, error.status)

    def _strike(self) -> None:
        """The faults of this service: sessions lost in either shape, and refusals without a reason."""
        fault = self.server.faults.take(self.request, "session_lost", "generic_refusal")
        if fault is None:
            return
        if fault.kind == "generic_refusal":
            raise errors.business(str(fault.params.get("message", "Internal error (-5002) occurred")))
        self.server.sessions.log_out(self.session_key)
        if fault.params.get("shape") == "-5002":
            message = fault.params.get("message", "Invalid session or session already timeout.")
            raise errors.business(str(message))
        raise errors.session_lost()

    def _log_in(self) -> Response:
        body = self._body()
        database = str(body.get("CompanyDB", ""))
        company = self.server.companies.get(database)
        user, password = str(body.get("UserName", "")), str(body.get("Password", ""))
        session = self.server.sessions.log_in(company, database, user, password)
        shown = {
            "SessionId": session.key,
            "Version": "1000110",
            "SessionTimeout": self.server.sessions.timeout,
        }
        response = _json(self._with_metadata(shown, "B1Sessions/@Element"))
        response.headers.add("Set-Cookie", f"B1SESSION={session.key};HttpOnly;")
        response.headers.add("Set-Cookie", f"ROUTEID={session.route}; path=/b1s")
        return response

    def _resource(self, session: Session) -> Response:
        company = session.company
        if self.rest.startswith("$crossjoin(") and self.method == "GET":
            return self._crossjoin(company)
        found = _RESOURCE.match(self.rest)
        if found is None:
            raise errors.no_such_path()
        if f"{self.method} {found['name']}" in company.denied.get(session.user, ()):
            raise errors.not_permitted()
        entity_set = SETS.get(found["name"])
        if entity_set is None:
            return self._service(company, found["name"])
        if found["key"] is None:
            return self._collection(company, entity_set, found["action"])
        key = parse_key(company, entity_set.type_name, entity_set.key, found["key"])
        row = company.get(entity_set.name, *key)
        if row is None:
            raise errors.not_found()
        return self._one(company, entity_set, row, found["action"])

    def _crossjoin(self, company: Company) -> Response:
        query = dict(self.request.args)
        page, more, size = queries.paged(
            company, CrossJoin(company, self.rest, query).rows(), query, self.request.headers
        )
        answer: Row = self._with_metadata({"value": page}, "Collection(Edm.ComplexType)")
        if more is not None:
            at = "@" if self.v2 else ""
            answer[f"{at}odata.nextLink"] = queries.link(company, self.rest, query, more, self.root)
        response = _json(answer)
        if size is not None:
            response.headers["Preference-Applied"] = f"odata.maxpagesize={size}"
        return response

    def _service(self, company: Company, name: str) -> Response:
        if self.method != "POST":
            raise errors.no_such_path()
        result = services.call(company, name, self._body())
        if result is services.NOTHING:
            return Response(status=204)
        if isinstance(result, list):
            return _json(self._with_metadata({"value": result}, name))
        if isinstance(result, dict):
            return _json(self._with_metadata(result, name))
        return _json(self._with_metadata({"value": result}, name) if self.v2 else result)

    def _collection(self, company: Company, entity_set: EntitySet, action: str | None) -> Response:
        query = dict(self.request.args)
        if action == "$count" and self.method == "GET":
            number = queries.count(company, entity_set, query, self.request.headers)
            return Response(str(number), content_type="text/plain")
        if action is not None:
            raise errors.no_such_path()
        if self.method == "POST":
            return self._create(company, entity_set)
        if self.method != "GET":
            raise errors.not_supported()
        page = queries.read_page(company, entity_set, query, self.request.headers, v2=self.v2)
        return self._page(company, entity_set, query, page)

    def _page(
        self, company: Company, entity_set: EntitySet, query: dict[str, str], page: queries.Page
    ) -> Response:
        at = "@" if self.v2 else ""
        answer: Row = self._with_metadata({}, entity_set.name)
        if query.get("$inlinecount") == "allpages":
            answer[f"{at}odata.count"] = str(page.count)
        if query.get("$count") == "true" and self.v2:
            answer["@odata.count"] = page.count
        answer["value"] = page.rows
        if page.next_skip is not None:
            answer[f"{at}odata.nextLink"] = queries.next_link(company, entity_set, query, page, self.root)
        response = _json(answer)
        if page.page_size is not None:
            response.headers["Preference-Applied"] = f"odata.maxpagesize={page.page_size}"
        return response

    def _create(self, company: Company, entity_set: EntitySet) -> Response:
        body = self._body()
        landed = entity_set
        if entity_set.name in DOCUMENTS:
            name, row = documents.post(company, entity_set.name, body)
            landed = SETS[name]
        elif entity_set.name in PAYMENTS:
            name, row = payments.post(company, entity_set.name, body)
            landed = SETS[name]
        elif entity_set.name == reconciliation.NAME:
            row = reconciliation.post(company, body)
        else:
            row = masters.post(company, entity_set.name, body)
        location = f"{self.root}/{landed.name}{key_text(landed, row)}"
        if "return-no-content" in self.request.headers.get("Prefer", ""):
            headers = {"Location": location, "Preference-Applied": "return-no-content"}
            return Response(status=204, headers=headers)
        response = self._row(company, landed, row)
        response.status_code = 201
        response.headers["Location"] = location
        return response

    def _one(self, company: Company, entity_set: EntitySet, row: Row, action: str | None) -> Response:
        if self.method == "GET" and action is None:
            return self._row(
                company, entity_set, row, queries.selected(company, entity_set, dict(self.request.args))
            )
        self._check_etag(row)
        if self.method == "PATCH" and action is None:
            replace = self.request.headers.get("B1S-ReplaceCollectionsOnPatch", "").lower() == "true"
            changes.patch(company, entity_set, row, self._body(), replace_collections=replace)
            return Response(status=204)
        if self.method == "DELETE" and action is None:
            changes.delete(company, entity_set, row)
            return Response(status=204)
        if self.method != "POST" or action is None:
            raise errors.not_supported()
        return self._act(company, entity_set, row, action)

    def _act(self, company: Company, entity_set: EntitySet, row: Row, action: str) -> Response:
        name = entity_set.name
        if name == "PaymentDrafts" and action == "SaveDraftToDocument":
            payments.post_draft(company, row)
        elif name == reconciliation.NAME and action == "Cancel":
            reconciliation.cancel(company, row)
        elif name in PAYMENTS and action in ("Cancel", "CancelbyCurrentSystemDate"):
            payments.cancel(company, name, row)
        elif name in DOCUMENTS and action == "Cancel":
            cancellation.cancel(company, name, row)
        elif name in DOCUMENTS and action == "Close":
            cancellation.close(company, name, row)
        elif name in ("Invoices", "CreditNotes", "DownPayments") and action == "CreateCancellationDocument":
            made = cancellation.cancel(company, name, row)
            return self._row(company, entity_set, made or row)
        else:
            raise errors.not_supported()
        return Response(status=204)

    def _row(
        self, company: Company, entity_set: EntitySet, row: Row, only: set[str] | None = None
    ) -> Response:
        shown = write_row(company, entity_set.type_name, row, only=only, v2=self.v2)
        name = f"{entity_set.name}/{'$entity' if self.v2 else '@Element'}"
        answer = self._with_metadata({}, name)
        headers = {}
        if entity_set.etag:
            headers["ETag"] = answer[f"{'@' if self.v2 else ''}odata.etag"] = etag(row)
        response = _json({**answer, **shown})
        response.headers.extend(headers)
        return response

    def _check_etag(self, row: Row) -> None:
        wanted = self.request.headers.get("If-Match")
        if wanted and wanted != "*" and wanted != etag(row):
            raise errors.changed_meanwhile()

    def _with_metadata(self, answer: Row, name: str) -> Row:
        key = "@odata.context" if self.v2 else "odata.metadata"
        return {key: f"{self.request.host_url.rstrip('/')}{self.root}/$metadata#{name}", **answer}

    def _body(self) -> Row:
        data = self.request.get_data()
        try:
            body = jsontext.loads(data or b"{}")
        except ValueError as error:
            raise B1Error(-1000, "Invalid JSON format") from error
        if not isinstance(body, dict):
            raise B1Error(-1000, "Invalid JSON object")
        return body


def _json(data: Any, status: int = 200) -> Response:
    return Response(jsontext.dumps(data), status=status, content_type="application/json;charset=utf-8")
