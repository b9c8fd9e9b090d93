"""``tieout-agent``, or ``python -m agents``: serve, check, new-key, certify."""

from __future__ import annotations

import argparse
import logging
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
    given = parser.parse_args(arguments)
    try:
        return {"serve": _serve, "new-key": _new_key}[given.command](given)
    except BadSettings as error:
        print(f"tieout-agent: {error}", file=sys.stderr)
        return 2


def _serve(given: argparse.Namespace) -> int:
    from agents import serving, settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serving.serve(settings.read(given.settings), lambda url: print(f"listening on {url}", flush=True))
    return 0


def _new_key(given: argparse.Namespace) -> int:
    key = keys.new_key()
    print(f"The key, for Tieout's connection; it is not shown again:\n    {key}")
    print(f'For the settings file, in [access]:\n    key_hashes = ["{keys.hash_of(key)}"]')
    return 0


if __name__ == "__main__":
    sys.exit(main())
