"""What `./tieout` calls inside its virtual environment: `python -m config.local COMMAND ...`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import environ

from config.local import advisories, checks, commands, demo
from config.local.bench import command as bench
from config.local.folder import DataFolder, FolderInUse, PortInUse
from config.local.installation import PROJECT, NotReady, serve
from config.local.postgres import PostgresDidNotStart
from config.local.supervisor import KeepsFailing, Stopped
from config.local.valkey import ValkeyDidNotStart

SENTENCES = (FolderInUse, PortInUse, NotReady, PostgresDidNotStart, ValkeyDidNotStart, KeepsFailing)


def main(arguments: list[str]) -> int:
    """Run one command; its exit status."""
    environ.Env.read_env(PROJECT / ".env")  # what the environment already says stays
    own: dict[str, Callable[[list[str]], int]] = {
        "demo": _demo,
        "serve": _serve,
        "test": checks.run,
        "bench": bench.run,
        "audit-deps": advisories.audit_deps,
        "new_secrets": commands.new_secrets,
        "prove": commands.prove,
    }
    command = arguments[0] if arguments else "help"
    try:
        return own[command](arguments[1:]) if command in own else commands.manage(arguments or ["help"])
    except SENTENCES as refusal:
        print(f"tieout: {refusal}", file=sys.stderr)
        return 1
    except Stopped:
        print("Stopped.")
        return 0


def _demo(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tieout demo", description="A demo of Tieout with a sandbox store and ERP."
    )
    parser.add_argument("--fresh", action="store_true", help="delete the demo's data and start over")
    parser.add_argument("--no-browser-open", action="store_true", help="do not open the console in a browser")
    options = _with_folder(parser, "demo").parse_args(arguments)
    demo.run_demo(
        DataFolder(options.data.resolve()),
        web_port=options.port,
        fresh=options.fresh,
        opens_browser=not options.no_browser_open,
    )
    return 0


def _serve(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tieout serve", description="Tieout for a small installation.")
    options = _with_folder(parser, "serve").parse_args(arguments)
    serve(DataFolder(options.data.resolve()), web_port=options.port)
    return 0


def _with_folder(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    default = Path(os.environ.get("TIEOUT_DATA") or PROJECT / ".tieout" / name)
    parser.add_argument("--data", type=Path, default=default, help=f"the data folder (default: {default})")
    parser.add_argument("--port", type=int, help="the port of the web process on 127.0.0.1")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
