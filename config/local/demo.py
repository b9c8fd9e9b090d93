"""The demo: the product, a sandbox store and ERP as HTTP servers, and a varied morning of orders."""

from __future__ import annotations

import os
import sys
import webbrowser

from config.local.folder import DataFolder
from config.local.installation import PROJECT, Installation, NotReady, answers, run

SANDBOX_SECONDS = 30
SET_UP = PROJECT / "sandbox" / "demo.yaml"


def run_demo(folder: DataFolder, *, web_port: int | None, fresh: bool, opens_browser: bool) -> None:
    """Run the demo until Ctrl-C or SIGTERM. A second start goes on with the data of the first."""
    installation = Installation(folder, given=_given(), web_port=web_port)

    def started(installation: Installation) -> None:
        _start_sandbox(installation)
        _set_up(installation)
        _place_orders(installation)
        _say_what_to_look_at(installation)
        if opens_browser and sys.stdout.isatty():
            webbrowser.open(f"{installation.address}/admin/")

    run(installation, started=started, fresh=fresh)


def _given() -> dict[str, str]:
    """The environment without anything of a real installation: the demo never touches one."""
    real = ("TIEOUT_", "CELERY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(real)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(name, None)
    return {
        **kept,
        "TIEOUT_PROFILE": "local",
        "TIEOUT_LOG_LEVEL": os.environ.get("TIEOUT_LOG_LEVEL", "WARNING"),
    }


def _start_sandbox(installation: Installation) -> None:
    ports = {name: installation.folder.port(name) for name in ("bigcommerce", "service_layer")}
    command = [sys.executable, "-m", "sandbox", "--data", installation.folder.sandbox]
    command += [
        "--bigcommerce-port",
        str(ports["bigcommerce"]),
        "--service-layer-port",
        str(ports["service_layer"]),
    ]
    env = {name: value for name, value in installation.env.items() if not name.startswith("TIEOUT_")}
    installation.supervisor.start("sandbox", command, env)
    installation.env.update(
        TIEOUT_DEMO_BIGCOMMERCE_URL=f"http://127.0.0.1:{ports['bigcommerce']}",
        TIEOUT_DEMO_SERVICE_LAYER_URL=f"http://127.0.0.1:{ports['service_layer']}",
    )
    urls = [
        installation.env["TIEOUT_DEMO_BIGCOMMERCE_URL"],
        installation.env["TIEOUT_DEMO_SERVICE_LAYER_URL"],
    ]
    is_up = installation.supervisor.wait_until(
        lambda: all(answers(f"{url}/sandbox/health") for url in urls), timeout=SANDBOX_SECONDS
    )
    if not is_up:
        raise NotReady("The sandbox servers did not start; see their lines above.")


def _set_up(installation: Installation) -> None:
    if installation.manage("apply", str(SET_UP)):
        raise NotReady("The demo could not be set up; the lines above say why.")


def _place_orders(installation: Installation) -> None:
    done = installation.folder.path / "morning-placed"
    if done.exists():
        return
    url = installation.env["TIEOUT_DEMO_BIGCOMMERCE_URL"]
    command = [sys.executable, "-m", "sandbox.scenarios", "morning", "--bigcommerce", url]
    if installation.supervisor.run("morning", command, installation.env):
        raise NotReady("The morning's orders could not be placed; the lines above say why.")
    done.touch()


def _say_what_to_look_at(installation: Installation) -> None:
    password = installation.folder.secrets()["admin_password"]
    print(
        f"""
  Tieout is ready.

    Open      {installation.address}/admin/
    Sign in   admin   {password}
"""
    )
