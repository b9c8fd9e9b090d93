"""Where the web processes of one machine put their counters, so that whichever is asked can sum them.

prometheus-client writes one small file per process and kind into the folder that this environment variable names, and
chooses how it counts when it is imported: nothing here may import it. The files lie in memory where the system has
/dev/shm. Nothing is lost with them but counts that Prometheus has not fetched yet.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "tieout-metrics-"


def prepare() -> None:
    """Make the folder for the processes that will be forked from here, unless the environment names one.

    What a master that was killed left behind is removed. A master that was started by another one (gunicorn's USR2)
    inherits the other one's variable, and gets a folder of its own all the same.
    """
    given = os.environ.get(VARIABLE, "")
    if given and not Path(given).name.startswith(_PREFIX):
        return
    root = Path("/dev/shm")  # noqa: S108 - memory; the folder in it is private (mkdtemp)
    root = root if os.access(root, os.W_OK) else Path(tempfile.gettempdir())
    _remove_leftovers(root)
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root)


def remove() -> None:
    """Remove the folder that this process made; one that was given stays."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder.name.startswith(f"{_PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(root: Path) -> None:
    for left in root.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
