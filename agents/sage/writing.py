"""One write, from its request to its answer: read this top to bottom.

Only what was saved is remembered. Before Sage is told to save, the store gets the key that it will have (also the
number that Sage gave), so that after a crash the agent can look whether it was saved, and need not guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from agents import exact
from agents.errors import ProtocolError, bad_request
from agents.sage.driver import NEXT, Driver, Key, SageBroken, Write, sage_unavailable
from agents.sage.tables import DECIMAL, OBJECTS, PLAIN_DECIMAL, Business, Column
from agents.store import FINISHED, SAVING, STARTED, AlreadyRunning, Record, Store, StoreUnwritable
from agents.web import REPLAY, Answer

CREATE, UPDATE = "create", "update"
WRITE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def run(
    write: Write, driver: Driver, store: Store, turn: Callable[[], AbstractContextManager[None]]
) -> Answer:
    """Carry a write out, or repeat what is remembered of it.

    :param turn: what to hold while Sage is spoken to; may refuse
    :raises ProtocolError: every answer that is not 200 or 201
    """
    known = store.find(_id(write))
    if known is not None and known.phase == FINISHED:
        return _replay(write, known)
    try:
        with store.claim(_id(write)):
            known = store.find(_id(write))  # it may have ended while we came here
            if known is not None and known.phase == FINISHED:
                return _replay(write, known)
            with turn():
                if known is not None and known.phase == SAVING:
                    return _after_a_crash(write, known, driver, store)
                return _save(write, _key(write, driver), driver, store)
    except AlreadyRunning:
        raise ProtocolError(409, "write_in_progress", "this write is running now") from None
    except SageBroken as error:
        raise sage_unavailable(f"Sage does not answer: {error}") from None


def _replay(write: Write, known: Record) -> Answer:
    _check_body(write, known)
    return _answer(known, write, REPLAY)


def _check_body(write: Write, known: Record) -> None:
    if known.body != write.body:
        raise ProtocolError(409, "write_mismatch", "this write_id was used for another body")


def look(company: str, write_id: str, store: Store) -> Answer:
    """What became of a write. :raises ProtocolError: 404 ``write_not_found``"""
    running = store.is_running(
        f"{company}/{write_id}"
    )  # asked first: what did not run then has written its end
    known = store.find(f"{company}/{write_id}")
    if known is not None and known.phase == FINISHED:
        assert known.answer is not None
        return Answer(known.answer)
    if running or (known is not None and known.phase == SAVING):
        return Answer({"write_id": write_id, "result": "running"}, 202)
    raise ProtocolError(404, "write_not_found", f"nothing is remembered of {write_id}")


def _id(write: Write) -> str:
    return f"{write.company}/{write.id}"


def _key(write: Write, driver: Driver) -> Key:
    """The key as given, or with the number that Sage gives now and never again."""
    if NEXT in write.key.values():
        return driver.next_key(write.company, write.business, write.key)
    return write.key


def _save(write: Write, key: Key, driver: Driver, store: Store) -> Answer:
    """Look, write that the saving begins, save, write how it ended."""
    _check_existence(write, key, driver)
    began = Record(id=_id(write), body=write.body, phase=SAVING, answer={"key": dict(key)})
    try:
        store.write(began)
    except StoreUnwritable as error:
        raise sage_unavailable(
            f"the agent cannot write its own store, so nothing was saved: {error}"
        ) from None
    try:
        warnings = driver.save(write, key)
    except ProtocolError:
        store.finish(Record(id=_id(write), body="", phase=STARTED))  # a refused write leaves no trace
        raise
    return _remember(write, key, warnings, store)


def _check_existence(write: Write, key: Key, driver: Driver) -> None:
    """What lives in history exists too, but cannot be changed."""
    header, history = write.business.header, write.business.history
    found = driver.find(write.company, header, key)
    name = " ".join(key.values())
    if write.mode == UPDATE and found is None:
        raise ProtocolError(404, "not_found", f"{header.name} has no {name}")
    if write.mode == CREATE:
        if found is None and history is not None:
            found = driver.find(write.company, history, key)
        if found is not None:
            raise ProtocolError(409, "already_exists", f"{name} is there already")


def _remember(write: Write, key: Key, warnings: list[str], store: Store) -> Answer:
    result = "saved_with_warning" if warnings else "saved"
    answer = {"write_id": write.id, "key": dict(key), "result": result, "warnings": warnings}
    status = 201 if write.mode == CREATE else 200
    record = Record(id=_id(write), body=write.body, phase=FINISHED, status=status, answer=answer)
    store.finish(record)
    return _answer(record, write, {})


def _answer(record: Record, write: Write, headers: Mapping[str, str]) -> Answer:
    assert record.answer is not None
    about = {"write": write.id, "object": write.business.name, "result": record.answer["result"]}
    return Answer(record.answer, record.status, headers, about)


def _after_a_crash(write: Write, known: Record, driver: Driver, store: Store) -> Answer:
    """Sage was told to save and nobody heard the end. Look before doing anything.

    A key that is there now was not there before, and carries what was sent: it is this write. One that is not there
    was not saved. A change leaves no such mark; it runs again only if running twice is the same as once.
    """
    _check_body(write, known)
    assert known.answer is not None
    key = known.answer["key"]
    if write.mode == UPDATE:
        if write.adds:
            message = "the agent stopped while Sage saved this; look at the record, then use another write_id"
            raise ProtocolError(409, "write_in_progress", message)
        return _save(write, key, driver, store)
    found = driver.find(write.company, write.business.header, key)
    if found is not None and _carries(found, write):
        answer = _remember(write, key, [], store)
        return Answer(answer.body, answer.status, REPLAY, answer.about)
    return _save(write, key, driver, store)


def _carries(found: Mapping[str, str], write: Write) -> bool:
    """Whether a record has the values that were sent for it, as far as it shows them."""
    columns = write.business.header.columns
    return all(
        _same(columns[name], found[name], value)
        for name, value in write.values.items()
        if name in columns and name in found
    )


def _same(column: Column, found: str, sent: str) -> bool:
    if column.kind != DECIMAL:
        return found.strip() == sent.strip()
    return bool(PLAIN_DECIMAL.fullmatch(sent)) and Decimal(found) == Decimal(sent)


# -- reading a request -------------------------------------------------------


def read_write(company: str, body: Mapping[str, Any]) -> Write:
    """Check the shape of a request; what Sage thinks of the values, Sage says.

    :raises ProtocolError: 400 ``bad_request``
    """
    if unknown := sorted(set(body) - {"write_id", "object", "mode", "key", "values", "lines"}):
        raise bad_request(f"a write has no {', '.join(unknown)}")
    write_id, name, mode = body.get("write_id"), body.get("object"), body.get("mode")
    if not isinstance(write_id, str) or not WRITE_ID.fullmatch(write_id):
        raise bad_request("write_id takes 1 to 64 of A-Z a-z 0-9 . _ -")
    business = OBJECTS.get(name) if isinstance(name, str) else None
    if business is None:
        raise bad_request(f"object is one of {', '.join(OBJECTS)}")
    if mode not in (CREATE, UPDATE):
        raise bad_request("mode is create or update")
    values = _texts(body.get("values", {}), "values")
    lines = _lines(business, mode, body.get("lines", []))
    key = _read_key(business, mode, body.get("key"))
    return Write(write_id, company, business, mode, key, values, lines, exact.fingerprint(body))


def _read_key(business: Business, mode: str, given: Any) -> dict[str, str]:
    key = _texts(given, "key")
    parts = business.header.key
    if set(key) != set(parts) or not all(key.values()):
        raise bad_request(f"key takes {', '.join(parts)}, none of them empty")
    if NEXT in key.values() and (
        mode == UPDATE or [name for name in parts if key[name] == NEXT] != [parts[-1]]
    ):
        raise bad_request(f'"{NEXT}" is for create, and for {parts[-1]} only')
    return {name: key[name] for name in parts}


def _lines(business: Business, mode: str, given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        raise bad_request("lines is an array")
    if given and business.lines is None:
        raise bad_request(f"{business.name} has no lines")
    lines = []
    for line in given:
        values = dict(line) if isinstance(line, dict) else line
        delete = values.pop("delete", False) if isinstance(values, dict) else False
        if not isinstance(delete, bool) or (delete and (mode == CREATE or "LineKey" not in values)):
            raise bad_request("delete is true or false, on an update, for a line with its LineKey")
        lines.append({**_texts(values, "a line"), **({"delete": True} if delete else {})})
        if mode == CREATE and "LineKey" in values:
            raise bad_request("a new order has no LineKey yet")
    return lines


def _texts(given: Any, what: str) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise bad_request(f"{what} is an object of texts; amounts and quantities are text too")
    return dict(given)
