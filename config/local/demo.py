"""The demo: the product, a sandbox store and ERP as HTTP servers, and a varied morning of orders."""

from __future__ import annotations

import os
import sys
import webbrowser

from config.local.folder import DataFolder
from config.local.installation import PROJECT, Installation, NotReady, answers, ask, run

SANDBOX_SECONDS = 60
SET_UP = PROJECT / "sandbox" / "demo.yaml"
TENANT = "demo"
# After so many invoices the sandbox's ERP is out for a while, in the middle of the morning.
INVOICES_BEFORE_OUTAGE = 6
OUTAGE_SECONDS = 60


def run_demo(folder: DataFolder, *, web_port: int | None, fresh: bool, opens_browser: bool) -> None:
    """Run the demo until Ctrl-C or SIGTERM. A second start goes on with the data of the first."""
    installation = Installation(folder, given=_given(), web_port=web_port)

    def started(installation: Installation) -> None:
        _start_sandbox(installation)
        morning = folder.path / "morning-placed"
        is_first = not morning.exists()
        if is_first:
            _set_up(installation)
            _place_orders(installation)
            morning.write_text(installation.address)
        elif morning.read_text() != installation.address:  # another port: the store must deliver there
            _set_up(installation)
            morning.write_text(installation.address)
        _say_what_to_look_at(installation, is_first=is_first)
        if opens_browser and sys.stdout.isatty():
            webbrowser.open(f"{installation.address}/admin/")
        if is_first:
            _stage_an_outage(installation)

    run(installation, started=started, fresh=fresh)


def _given() -> dict[str, str]:
    """The environment without anything of a real installation: the demo never touches one."""
    real = ("TIEOUT_", "CELERY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(real)}
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        kept.pop(name, None)
    level = os.environ.get("TIEOUT_LOG_LEVEL", "WARNING")
    return {**kept, "TIEOUT_PROFILE": "local", "TIEOUT_LOG_LEVEL": level}


def _start_sandbox(installation: Installation) -> None:
    store = installation.folder.port("bigcommerce")
    erp = installation.folder.port("service_layer")
    command = [sys.executable, "-m", "sandbox", "--data", installation.folder.sandbox]
    command += ["--bigcommerce-port", str(store), "--service-layer-port", str(erp)]
    env = {name: value for name, value in installation.env.items() if not name.startswith("TIEOUT_")}
    installation.supervisor.start("sandbox", command, env)
    addresses = {
        "TIEOUT_DEMO_BIGCOMMERCE_URL": f"http://127.0.0.1:{store}",
        "TIEOUT_DEMO_SERVICE_LAYER_URL": f"http://127.0.0.1:{erp}",
    }
    installation.env.update(addresses)

    def is_up() -> bool:
        return all(answers(f"{url}/sandbox/health") for url in addresses.values())

    if not installation.supervisor.wait_until(is_up, timeout=SANDBOX_SECONDS):
        raise NotReady("The sandbox servers did not start; see their lines above.")


def _set_up(installation: Installation) -> None:
    steps = (
        ("apply", str(SET_UP)),
        ("repair_webhooks", TENANT),
        # What the gap screen offers; its schedule would be hours away.
        ("run_flows", TENANT, "reference_values"),
    )
    if any(installation.manage(*step) for step in steps):
        raise NotReady("The demo could not be set up; the lines above say why.")


def _place_orders(installation: Installation) -> None:
    url = installation.env["TIEOUT_DEMO_BIGCOMMERCE_URL"]
    command = [sys.executable, "-m", "sandbox.scenarios", "morning", "--bigcommerce", url]
    if installation.supervisor.run("morning", command, installation.env):
        raise NotReady("The morning's orders could not be placed; the lines above say why.")


def _stage_an_outage(installation: Installation) -> None:
    """Once a few invoices are posted, the sandbox's ERP answers 503 for a minute."""
    erp = installation.env["TIEOUT_DEMO_SERVICE_LAYER_URL"]

    def some_are_posted() -> bool:
        return len(ask(f"{erp}/_control/calls?method=POST&path=/Invoices$")) >= INVOICES_BEFORE_OUTAGE

    if not installation.supervisor.wait_until(some_are_posted, timeout=120):
        return
    fault = {"kind": "answer", "status": 503, "count": None, "seconds": OUTAGE_SECONDS}
    ask(f"{erp}/_control/faults", fault)
    installation.supervisor.say("demo", f"SAP Business One is out for {OUTAGE_SECONDS} seconds: orders wait.")


def _say_what_to_look_at(installation: Installation, *, is_first: bool) -> None:
    password = installation.folder.secrets()["admin_password"]
    looks = [
        ("What needs me: two gaps, an order held because it does not tie out", ""),
        ("Two SKUs without a mapping: pick an item, press Save and reprocess", "sync/gap/?state__exact=open"),
        ("Posted orders, each with its plan, documents and attempts", "sync/posting/?status__exact=posted"),
        ("The held order, with its arithmetic", "sync/posting/?status__exact=held"),
        ("A refund: a credit memo and its pay-out", "sync/document/?kind__exact=credit_memo"),
    ]
    if is_first:
        outage = "An outage: the ERP is out for a minute soon; orders wait, then post by themselves"
        looks.append((outage, "sync/posting/?status__exact=waiting"))
    lines = "\n".join(f"      {look}\n        {installation.address}/admin/{page}" for look, page in looks)
    print(
        f"""
  Tieout is ready, with a sandbox store and a sandbox SAP Business One.

    Open      {installation.address}/admin/
    Sign in   admin
    Password  {password}

    Look at
{lines}

  Ctrl-C stops everything; ./tieout demo goes on with this data, ./tieout demo --fresh starts over.
""",
        flush=True,
    )
