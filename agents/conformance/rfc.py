"""The points of the RFC agent protocol, version 1."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agents.conformance.client import Reply
from agents.conformance.points import (
    Failed,
    NotChecked,
    Points,
    Run,
    expect,
    expect_error,
    expect_headers,
    expect_locked_out,
    expect_members,
    expect_status,
)

POINTS = Points()
UNITS = "/v1/units"
AT_ONCE = 8
SAID_NO = ("E", "A")


def reading(run: Run, **change: Any) -> dict[str, Any]:
    """A unit that reads two columns of the table that may be read."""
    table, fields = run.given["read_table"], run.given["read_fields"]
    call = {
        "function": run.given["read_function"],
        "importing": {"QUERY_TABLE": table, "ROWCOUNT": 5},
        "tables": {"FIELDS": [{"FIELDNAME": name} for name in fields], "OPTIONS": []},
    }
    return {"unit_id": run.new_id(), "commit": "never", "calls": [call], **change}


def failing(run: Run) -> dict[str, Any]:
    """A unit whose function raises an exception: it reads a column that is not there."""
    unit = reading(run)
    unit["calls"][0]["tables"]["FIELDS"] = [{"FIELDNAME": "NO_SUCH_COLUMN"}]
    return unit


def post(run: Run, unit: Any) -> Reply:
    """POST /v1/units."""
    return run.client.ask("POST", UNITS, unit)


def look(run: Run, unit_id: str) -> Reply:
    """GET /v1/units/{unit_id}."""
    return run.client.ask("GET", f"{UNITS}/{unit_id}")


def expect_no_trace(run: Run, unit: dict[str, Any]) -> None:
    """:raises Failed: the agent remembers a unit of which nothing ran"""
    expect_error(look(run, unit["unit_id"]), 404, "unit_not_found")


# -- who asks, and how ---------------------------------------------------------


@POINTS.point("GET /v1/health names the agent, the protocol, the SAP system and the allow-list")
def _health(run: Run) -> None:
    body = expect_status(run.client.ask("GET", "/v1/health"), 200)
    expect_members(
        body, {"agent": str, "version": str, "protocol": int, "system": dict, "functions": list}, "health"
    )
    expect(body["protocol"] == 1, f"protocol is {body['protocol']}")
    expect_members(body["system"], dict.fromkeys(("sysid", "client", "release", "codepage"), str), "system")
    expect(run.given["read_function"] in body["functions"], f"{run.given['read_function']} is not allowed")


@POINTS.point("without a key, and with a wrong one, every address answers 401 unauthorized")
def _locked(run: Run) -> None:
    paths = [("GET", "/v1/health"), ("POST", UNITS), ("GET", f"{UNITS}/x")]
    expect_locked_out(run, paths, {"Authorization": "Bearer wrong"})


@POINTS.point("every answer, errors too, bears an X-Agent-Request-Id of its own and echoes X-Correlation-Id")
def _ids(run: Run) -> None:
    expect_headers(run, [("GET", "/v1/health"), ("POST", UNITS), ("GET", f"{UNITS}/none")], request_id=True)


# -- what is wrong runs nothing --------------------------------------------------


@POINTS.point("an unknown member of a unit is 400 bad_request, and leaves no trace")
def _unknown_member(run: Run) -> None:
    unit = reading(run, wait=True)
    expect_error(post(run, unit), 400, "bad_request")
    expect_no_trace(run, unit)


@POINTS.point("a unit_id with other characters or longer than 64, and another commit, are 400 bad_request")
def _wrong_shape(run: Run) -> None:
    changes: list[dict[str, Any]] = [
        {"unit_id": "a b"},
        {"unit_id": "x" * 65},
        {"unit_id": ""},
        {"commit": "always"},
        {"calls": {}},
    ]
    for change in changes:
        expect_error(post(run, reading(run, **change)), 400, "bad_request")
    expect_error(run.client.ask("POST", UNITS, b"{"), 400, "bad_request")


@POINTS.point("a unit_id of 64 characters, and of every kind of them, is taken")
def _longest_id(run: Run) -> None:
    unit_id = f"Az0._-{run.new_id()}".ljust(64, "x")
    expect_status(post(run, reading(run, unit_id=unit_id)), 200)


@POINTS.point(
    "a function that is not on the allow-list is 403 function_not_allowed, and no call of the unit runs"
)
def _allow_list(run: Run) -> None:
    unit = reading(run)
    unit["calls"].append({"function": "Z_TIEOUT_NOT_ALLOWED"})
    expect_error(post(run, unit), 403, "function_not_allowed")
    expect_no_trace(run, unit)


@POINTS.point("an unknown parameter, table or field is 400 unknown_parameter, and leaves no trace")
def _unknown_parameter(run: Run) -> None:
    for part, value in (
        ("importing", {"NO_SUCH_PARAMETER": "x"}),
        ("tables", {"NO_SUCH_TABLE": []}),
        ("tables", {"OPTIONS": [{"NO_SUCH_FIELD": "x"}]}),
    ):
        unit = reading(run)
        unit["calls"][0][part] |= value
        expect_error(post(run, unit), 400, "unknown_parameter")
        expect_no_trace(run, unit)


@POINTS.point("a CHAR value that is longer than its field is 400 unknown_parameter, and is never cut")
def _too_long(run: Run) -> None:
    unit = reading(run)
    unit["calls"][0]["tables"]["OPTIONS"] = [{"TEXT": " " * 80}]
    expect_error(post(run, unit), 400, "unknown_parameter")


@POINTS.point("GET of a unit that the agent never got is 404 unit_not_found")
def _never_got(run: Run) -> None:
    expect_error(look(run, run.new_id()), 404, "unit_not_found")


# -- reading ---------------------------------------------------------------------


def expect_answer(body: Any, unit: dict[str, Any], *outcomes: str) -> None:
    """:raises Failed: it is not the answer of a unit as the protocol describes it"""
    expect_members(body, {"unit_id": str, "outcome": str, "calls": list}, "the answer")
    expect(body["unit_id"] == unit["unit_id"], f"unit_id is {body['unit_id']}")
    expect(body["outcome"] in outcomes, f"outcome is {body['outcome']}")
    expect("commit" in body, "the answer has no commit")
    for call, sent in zip(body["calls"], unit["calls"], strict=False):
        kinds: dict[str, Any] = {"function": str, "exporting": dict, "tables": dict, "return": list}
        expect_members(call, {**kinds, "duration_ms": int}, "a call")
        expect(call["function"] == sent["function"], f"function is {call['function']}")
        expect(
            "RETURN" not in call["exporting"] and "RETURN" not in call["tables"],
            "RETURN stands outside return",
        )
        for name in sent.get("tables", {}):
            expect(name == "RETURN" or name in call["tables"], f"table {name} was sent and is not returned")
        expect(all(isinstance(row, dict) for row in call["return"]), "return is no array of rows")


@POINTS.point("commit never gives read_only with commit null; rows keep their width")
def _read(run: Run) -> None:
    unit = reading(run)
    body = expect_status(post(run, unit), 200)
    expect_answer(body, unit, "read_only")
    expect(body["commit"] is None, "commit is not null")
    tables = body["calls"][0]["tables"]
    fields, rows = tables["FIELDS"], tables.get("DATA", [])
    expect(
        [field["FIELDNAME"] for field in fields] == list(run.given["read_fields"]),
        "FIELDS are not those asked for",
    )
    expect(bool(rows), f"{run.given['read_table']} has no rows to look at")
    end = int(fields[-1]["OFFSET"]) + int(fields[-1]["LENGTH"])
    for row in rows:
        expect(len(row["WA"]) >= end, f"a row of {len(row['WA'])} characters cannot be cut at {end}")


# -- the same unit again -----------------------------------------------------------


@POINTS.point("the same body again gives the stored answer with Idempotent-Replay: true")
def _replay(run: Run) -> None:
    unit = reading(run)
    first, again = post(run, unit), post(run, unit)
    expect_status(first, 200)
    expect(not first.replayed, "the first answer says that it is a replay")
    expect(again.replayed, "Idempotent-Replay is missing")
    expect(again.body == first.body, "the second answer is another one")
    expect_same(run, unit, first)


def expect_same(run: Run, unit: dict[str, Any], first: Reply) -> None:
    """:raises Failed: GET tells something else than POST told"""
    expect(expect_status(look(run, unit["unit_id"]), 200) == first.body, "GET gives another answer than POST")


@POINTS.point("a body is the same in any order of its names and with any blanks between them")
def _canonical(run: Run) -> None:
    unit = reading(run)
    expect_status(post(run, unit), 200)
    turned = dict(reversed(unit.items())) | {
        "calls": [dict(reversed(call.items())) for call in unit["calls"]]
    }
    expect(post(run, turned).replayed, "turning the names round made it another body")


@POINTS.point("another body under the unit_id of a stored answer is 409 unit_mismatch")
def _mismatch(run: Run) -> None:
    unit = reading(run)
    first = post(run, unit)
    other = reading(run, unit_id=unit["unit_id"])
    other["calls"][0]["importing"]["ROWCOUNT"] = 1
    expect_error(post(run, other), 409, "unit_mismatch")
    expect_same(run, unit, first)


@POINTS.point(
    "a function's exception is 422 abap_exception with SAP's key; the unit is rolled back and runs again"
)
def _exception(run: Run) -> None:
    unit = failing(run)
    for _ in range(2):
        reply = post(run, unit)
        expect_error(reply, 422, "abap_exception")
        expect(not reply.replayed, "the second answer is a replay")
        expect_members(reply.body["error"], {"message": str, "rfc": dict}, "error")
        expect_members(reply.body["error"]["rfc"], {"key": str}, "rfc")
    told = look(run, unit["unit_id"])
    expect(told.status == 200 and told.body.get("outcome") == "rolled_back", f"GET says {told.short()}")
    right = post(run, reading(run, unit_id=unit["unit_id"]))
    expect(right.status == 200 and not right.replayed, f"another body did not run: {right.short()}")


def at_once(run: Run, unit: dict[str, Any]) -> None:
    """Send one unit many times at the same moment. :raises Failed: more or fewer than one ran"""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(lambda _: post(run, unit), range(AT_ONCE)))
    ran = [reply for reply in replies if reply.status == 200 and not reply.replayed]
    waited = [reply for reply in replies if (reply.status, reply.code) == (409, "unit_in_progress")]
    replayed = [reply for reply in replies if reply.status == 200 and reply.replayed]
    odd = [reply.short() for reply in replies if reply not in [*ran, *waited, *replayed]]
    expect(not odd, f"answered {odd}")
    expect(len(ran) == 1, f"{len(ran)} of {AT_ONCE} ran")
    expect(all(reply.body == ran[0].body for reply in replayed), "a replay is another answer")


@POINTS.point(
    "of many requests for one unit at the same moment one runs; the others replay or are 409 unit_in_progress"
)
def _at_once(run: Run) -> None:
    at_once(run, reading(run))


# -- what is written -----------------------------------------------------------------


def given_unit(run: Run, name: str, option: str) -> dict[str, Any]:
    """A unit from the command line under a new id. :raises NotChecked: none was given"""
    given = run.need(name, option)
    if not isinstance(given, dict) or "calls" not in given:
        raise NotChecked(f"{option} is no unit")
    return {**given, "unit_id": run.new_id(), "commit": "on_success"}


@POINTS.point("on_success commits, tells the rows of the commit, and posts once however often it is sent")
def _commit(run: Run) -> None:
    unit = given_unit(run, "posting", "--posting with a unit for a test system")
    first = post(run, unit)
    expect_answer(expect_status(first, 200), unit, "committed")
    expect_members(first.body["commit"], {"return": list, "duration_ms": int}, "commit")
    again = post(run, unit)
    expect(again.replayed and again.body == first.body, "the second answer is no replay of the first")
    other = {**unit, "calls": [*unit["calls"], unit["calls"][0]]}
    expect_error(post(run, other), 409, "unit_mismatch")
    expect_same(run, unit, first)


@POINTS.point("of many requests for one posting at the same moment one posts")
def _commit_at_once(run: Run) -> None:
    at_once(run, given_unit(run, "posting", "--posting with a unit for a test system"))


@POINTS.point("an error row is HTTP 200 rolled_back; later calls are not run; the unit runs again")
def _refused(run: Run) -> None:
    unit = given_unit(run, "refused", "--refused with a unit that SAP refuses")
    unit["calls"] = [*unit["calls"], *reading(run)["calls"]]
    for _ in range(2):
        reply = post(run, unit)
        expect_answer(expect_status(reply, 200), unit, "rolled_back")
        expect(not reply.replayed, "the second answer is a replay")
        calls = reply.body["calls"]
        expect(len(calls) == len(unit["calls"]) - 1, f"{len(calls)} calls were run")
        expect(
            any(row.get("TYPE") in SAID_NO for row in calls[-1]["return"]), "the last call has no row E or A"
        )


@POINTS.point("the RETURN of a function that has a structure is an array of rows too")
def _structure(run: Run) -> None:
    unit = given_unit(run, "refused_structure", "--refused-structure with a unit whose RETURN is a structure")
    body = expect_status(post(run, unit), 200)
    expect_answer(body, unit, "rolled_back")
    rows = body["calls"][-1]["return"]
    if len(rows) != 1:
        raise Failed(f"return has {len(rows)} rows")


def _by_hand(sentence: str, how: str) -> None:
    @POINTS.point(sentence)
    def _not_checked(run: Run) -> None:
        raise NotChecked(how)


_by_hand(
    "a session that breaks during the commit gives unknown, for good",
    "by hand, docs/agents.md: pull the cable",
)
_by_hand(
    "an agent that is killed during the commit gives unknown when it is started again",
    "by hand: docs/agents.md",
)
_by_hand("a unit is remembered for at least 7 days", "ask for one of last week")
