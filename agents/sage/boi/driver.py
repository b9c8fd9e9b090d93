"""Everything that touches Sage, in the one thread that COM allows."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from agents.sage.boi import com as component_objects
from agents.sage.boi import reading
from agents.sage.boi.com import Com
from agents.sage.boi.writing import FAILED, Writing
from agents.sage.driver import NEXT, Condition, Key, Query, SageBroken, Write, sage_unavailable
from agents.sage.tables import Business, Table

# module, task of the screen, and what gives the next number
TASKS = {
    "SO_SalesOrder_bus": ("S/O", "SO_SalesOrder_ui", "nGetNextSalesOrderNo"),
    "AR_Customer_bus": ("A/R", "AR_Customer_ui", "nGetNextCustomerNo"),
}
Result = TypeVar("Result")


class SageBoi:
    """The driver ``sage-boi``.

    :param home: the folder MAS90\\Home
    :param user: a Sage user for the agent alone, with rights to the two tasks
    :param odbc: the connection string of the tables; ``{company}`` is replaced
    :param version: of Sage, for the caller's information
    """

    def __init__(
        self,
        companies: Sequence[str],
        password: str,
        home: str,
        user: str,
        odbc: str = "DSN=SOTAMAS90;COMPANY={company};UID={user};PWD={password}",
        version: str = "",
        edition: str = "",
        com: Com | None = None,
    ) -> None:
        self._com = com or component_objects.windows()
        self._companies, self._home, self._user, self._password = companies, home, user, password
        self._odbc, self._about = odbc, {"version": version, "edition": edition}
        self._script: Any = None
        self._sessions: dict[str, Any] = {}
        self._connections: dict[str, Any] = {}
        # COM objects belong to the thread that made them, and Sage's are made for one at a time.
        self._thread = ThreadPoolExecutor(1, "sage", initializer=self._com.initialize)

    def about(self) -> dict[str, str]:
        """What the settings say of Sage, if a company can be opened."""
        self._in_its_thread(lambda: self._session(self._companies[0]))
        return dict(self._about)

    def now(self) -> datetime:
        """The agent runs on Sage's server: its time is the server's."""
        return datetime.now().astimezone()

    def query(self, company: str, query: Query) -> list[dict[str, str]]:
        """Read one page."""
        return self._in_its_thread(lambda: self._read(company, query))

    def find(self, company: str, table: Table, key: Key) -> dict[str, str] | None:
        """Read one row."""
        conditions = [Condition(name, "=", value) for name, value in key.items()]
        rows = self.query(company, Query(table, list(table.columns), conditions, 1, None))
        return rows[0] if rows else None

    def next_key(self, company: str, business: Business, key: Key) -> Key:
        """Sage's next number."""
        number = self._in_its_thread(lambda: self._next_number(company, business))
        return {name: number if part == NEXT else part for name, part in key.items()}

    def save(self, write: Write, key: Key) -> list[str]:
        """Save one record. Up to its last step nothing is saved, whatever breaks."""

        def prepared() -> Writing:
            writing = Writing(self._new(write.company, write.business.name), write)
            writing.prepare(key)
            return writing

        try:
            writing = self._in_its_thread(prepared)
        except SageBroken as error:
            raise sage_unavailable(f"Sage does not answer, nothing was saved: {error}") from None
        return self._in_its_thread(writing.finish)

    def close(self) -> None:
        """Close what is open, so that Sage has its seats back."""
        with contextlib.suppress(SageBroken):
            self._in_its_thread(self._let_go)
        self._thread.shutdown()

    # -- in the thread -----------------------------------------------------------

    def _in_its_thread(self, work: Callable[[], Result]) -> Result:
        """Run it there. After a COM error nothing that was open is trusted any more. :raises SageBroken:"""

        def guarded() -> Result:
            try:
                return work()
            except self._com.error as error:
                with contextlib.suppress(self._com.error):
                    self._let_go()
                raise SageBroken(str(error)) from error

        return self._thread.submit(guarded).result()

    def _let_go(self) -> None:
        connections, self._connections = self._connections, {}
        self._sessions, self._script = {}, None
        for connection in connections.values():
            connection.Close()

    def _session(self, company: str) -> Any:
        """The session of a company, opened when it is first needed. :raises SageBroken: Sage refuses the logon"""
        if company not in self._sessions:
            if self._script is None:
                self._script = self._com.dispatch("ProvideX.Script")
                self._script.Init(self._home)
            session = self._script.NewObject("SY_Session")
            self._expect(session.nSetUser(self._user, self._password), session)
            self._expect(session.nSetCompany(company), session)
            self._sessions[company] = session
        return self._sessions[company]

    def _new(self, company: str, name: str) -> Any:
        """A business object for one record."""
        module, task, _ = TASKS[name]
        session = self._session(company)
        self._expect(session.nSetDate(module, self.now().strftime("%Y%m%d")), session)
        self._expect(session.nSetModule(module), session)
        self._expect(session.nSetProgram(session.nLookupTask(task)), session)
        return self._script.NewObject(name, session)

    def _next_number(self, company: str, business: Business) -> str:
        bus, number = self._new(company, business.name), self._com.by_reference()
        self._expect(getattr(bus, TASKS[business.name][2])(number), bus)
        return str(number.value)

    def _expect(self, said: int, by: Any) -> None:
        if said == FAILED:
            raise SageBroken(str(by.sLastErrorMsg))

    def _read(self, company: str, query: Query) -> list[dict[str, str]]:
        if company not in self._connections:
            connection = self._com.dispatch("ADODB.Connection")
            given = {"company": company, "user": self._user, "password": self._password}
            connection.Open(self._odbc.format(**given))
            self._connections[company] = connection
        records = self._com.dispatch("ADODB.Recordset")
        records.Open(reading.sql_of(query), self._connections[company])
        try:
            return list(itertools.islice(reading.rows_of(records, query), query.limit))
        finally:
            records.Close()
