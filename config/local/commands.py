"""Management commands from the launcher, on the database that is meant."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from config.local.folder import DataFolder
from config.local.installation import PROJECT, Installation, NotReady, environment

WITHOUT_A_DATABASE = ("help", "--help", "--version", "version")


def new_secrets(arguments: list[str]) -> int:
    """Print new values for the two secrets that production needs; nothing is stored."""
    print(f"TIEOUT_SECRET_KEY={secrets.token_urlsafe(60)}")
    print(f"TIEOUT_FIELD_KEYS={Fernet.generate_key().decode()}")
    return 0


def prove(arguments: list[str]) -> int:
    """The long run under faults, in its own process: nothing of the product imports it."""
    os.execv(sys.executable, [sys.executable, "-m", "proof", *arguments])


def manage(arguments: list[str]) -> int:
    """Run `manage.py` on the database of the environment, or on a data folder's own.

    A folder whose Tieout runs is used as it is; else its servers run for as long as the command does.

    :raises NotReady: if there is neither
    """
    if os.environ.get("DATABASE_URL") or arguments[0] in WITHOUT_A_DATABASE:
        return _manage(arguments, os.environ)
    folder = _meant_folder()
    if folder.is_running():
        # The address of this process is not a setting of the folder: its environment is.
        port = folder.known_port("web")
        return _manage(
            arguments, {**environment(folder, given=os.environ, web_port=port), **_profile(folder)}
        )
    installation = Installation(folder, given={**os.environ, **_profile(folder)})
    try:
        installation.begin()
        installation.start_servers()
        return _manage(arguments, installation.env)
    finally:
        installation.stop()


def _manage(arguments: list[str], env: Mapping[str, str]) -> int:
    command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
    return subprocess.run(command, env=dict(env), check=False).returncode


def _meant_folder() -> DataFolder:
    if named := os.environ.get("TIEOUT_DATA"):
        return DataFolder(Path(named).resolve())
    begun = [
        folder for name in ("serve", "demo") if (folder := DataFolder(PROJECT / ".tieout" / name)).exists()
    ]
    running = [folder for folder in begun if folder.is_running()]
    if len(running) > 1:
        raise NotReady(
            "Both the demo and `serve` run here. Set TIEOUT_DATA to the data folder that is meant."
        )
    if not begun:
        raise NotReady(
            "There is no database yet: start `./tieout serve` or `./tieout demo`, or set DATABASE_URL."
        )
    return (running or begun)[0]


def _profile(folder: DataFolder) -> dict[str, str]:
    return {"TIEOUT_PROFILE": os.environ.get("TIEOUT_PROFILE") or folder.profile()}
