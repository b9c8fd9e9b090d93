"""What a person asks a worker for: the request only leaves a message, and says so if nobody could be asked."""

from collections.abc import Sequence

from sync import trail
from sync.asking import ask
from sync.models import Flow, StoreFlow
from sync.schedules import run_soon
from tenants.actions import NotDone

NOBODY = "No worker could be asked: the message broker does not answer."
READ_LATER = "Reference values are read on the pipeline's schedule as soon as it does."


def ask_worker(task: str, *, otherwise: str, **arguments: object) -> None:
    """Have a task run soon.

    :param otherwise: what becomes of it by itself, or what to do
    :raises NotDone: the broker is away
    """
    if not ask(task, **arguments):
        raise NotDone(f"{NOBODY} {otherwise}")


def run_flows(flows: Sequence[Flow | StoreFlow], *, of: str, by: str) -> str:
    """Have each of these run once; the sentence for who asked.

    :raises NotDone: there is none, or the broker is away
    """
    if not flows:
        raise NotDone(f"No flow of {of} is switched on.")
    for flow in flows:
        if not run_soon(flow):
            raise NotDone(f"{NOBODY} Flows run on their schedule as soon as it does.")
        trail.flow_asked(flow, by)
    return f"{names_of(flows)} of {of} run now. How each ends stands in its row below."


def names_of(flows: Sequence[Flow | StoreFlow]) -> str:
    """Flows by name, each once: `“Webhooks are in place”, “Customers to the ERP”`."""
    return ", ".join(f"“{name}”" for name in dict.fromkeys(flow.get_kind_display() for flow in flows))
