"""``tieout-agent``, or ``python -m agents``: serve, new-key, certify."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from agents import __version__, keys
from agents.errors import BadSettings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    parser = argparse.ArgumentParser(
        prog="tieout-agent", description="The agent next to SAP ECC or Sage 100."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="answer until it is stopped")
    serving.add_argument("settings", type=Path, help="the settings file (TOML)")
    commands.add_parser("new-key", help="make a key, and the line for the settings file")
    _certify_options(commands.add_parser("certify", help="check any agent against the protocol"))
    given = parser.parse_args(arguments)
    try:
        return {"serve": _serve, "new-key": _new_key, "certify": _certify}[given.command](given)
    except BadSettings as error:
        print(f"tieout-agent: {error}", file=sys.stderr)
        return 2


def _serve(given: argparse.Namespace) -> int:
    from agents import serving, settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serving.serve(settings.read(given.settings), lambda url: print(f"listening on {url}", flush=True))
    return 0


def _certify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", choices=["rfc", "sage100"])
    parser.add_argument("url", help="https://agent.example.com:8443")
    parser.add_argument("--key-file", type=Path, help="a file with the agent's key; else TIEOUT_AGENT_KEY")
    parser.add_argument("--ca", type=Path, help="PEM file of the authority of the agent's certificate")
    parser.add_argument("--certificate", type=Path, help="PEM file of the caller's certificate and key")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="only the points whose sentence has these words"
    )
    rfc = parser.add_argument_group("rfc")
    rfc.add_argument("--read-function", default="RFC_READ_TABLE", help="the function that reads tables")
    rfc.add_argument("--read-table", default="T000", help="a table with rows that it may read")
    rfc.add_argument("--read-fields", nargs="+", default=["MANDT", "MTEXT"], help="columns of that table")
    rfc.add_argument("--posting", type=Path, help="JSON file: a unit that posts, in a test system")
    rfc.add_argument("--refused", type=Path, help="JSON file: a unit that SAP refuses with a row E")
    rfc.add_argument(
        "--refused-structure", type=Path, help="the same, of a function whose RETURN is a structure"
    )
    sage = parser.add_argument_group("sage100")
    sage.add_argument("--company", default="ABC", help="the company code; use a test company")
    sage.add_argument("--write", type=Path, help="JSON file: a write that creates a sales order")


def _certify(given: argparse.Namespace) -> int:
    from agents.conformance import rfc, sage
    from agents.conformance.client import Client
    from agents.conformance.points import Run, report

    points, header = {
        "rfc": (rfc.POINTS, ("Authorization", "Bearer ")),
        "sage100": (sage.POINTS, ("X-API-Key", "")),
    }[given.protocol]
    key = (
        given.key_file.read_text(encoding="utf-8").strip()
        if given.key_file
        else os.environ.get("TIEOUT_AGENT_KEY")
    )
    if not key:
        raise BadSettings("give --key-file, or set TIEOUT_AGENT_KEY")
    client = Client(url=given.url, key=key, key_header=header, ca=given.ca, certificate=given.certificate)
    files = ("posting", "refused", "refused_structure", "write")
    documents = {name: json.loads(path.read_bytes()) for name in files if (path := getattr(given, name))}
    print(f"The {given.protocol} protocol, version 1, at {given.url}\n")
    return 0 if report(points, Run(client, {**vars(given), **documents}), print) else 1


def _new_key(given: argparse.Namespace) -> int:
    key = keys.new_key()
    print(f"The key, for Tieout's connection; it is not shown again:\n    {key}")
    print(f'For the settings file, in [access]:\n    key_hashes = ["{keys.hash_of(key)}"]')
    return 0


if __name__ == "__main__":
    sys.exit(main())
