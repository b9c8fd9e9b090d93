"""One trace from the webhook to the ERP's last answer, and nothing in it that must not leave."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sandbox.bigcommerce import Line, Person, Shopping
from storefront.models import Store
from sync.models import Event
from tests.config.telemetry.listening import Listener, listening
from tests.e2e.world import SECRET, World
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def spans(listener: Listener) -> list[tuple[str, str, dict[str, object]]]:
    """Name, trace id and attributes of every span that arrived."""
    found = []
    for body in listener.bodies():
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    values = {a.key: a.value.string_value or a.value.int_value for a in span.attributes}
                    found.append((span.name, span.trace_id.hex(), values))
    return found


def test_webhook_journey_and_calls_are_one_trace_under_the_correlation_id(world: World) -> None:
    ana = world.store.add_customer(
        Person("Ana", "Zuckermandel", "ana.zuckermandel@example.com", phone="5125550177")
    )
    token = "planted-token-31415926"
    with listening() as collector:
        world.product.environment |= {"TIEOUT_OTLP_URL": f"http://{collector.url}"}
        world.register_hooks()
        world.product.start_worker()
        order_id = world.store.place(Shopping(lines=(Line("SKU-1", "19.99"),), person=ana))
        world.wait_for(order_id, "posted", seconds=60)
        world.product.stop()  # which sends what is left
        wait_until(lambda: any(name == "journey" for name, _, _ in spans(collector)))

    trace = Event.objects.filter(record_id=str(order_id)).latest("received_at").correlation_id
    of_it = [(name, values) for name, trace_id, values in spans(collector) if trace_id == trace]
    names = {name for name, _ in of_it}
    assert {"webhook", "journey", "store GET", "erp GET", "erp POST"} <= names
    assert {values["tieout.correlation_id"] for _, values in of_it} == {trace}
    [webhook] = [values for name, values in of_it if name == "webhook"]
    assert (webhook["tieout.outcome"], webhook["tieout.status"]) == ("accepted", 200)
    journey = next(values for name, values in of_it if name == "journey")
    assert {
        "tieout.company": "main",
        "tieout.outcome": "done",
        "tieout.kind": "order",
    }.items() <= journey.items()
    posted = [v for name, v in of_it if name == "erp POST" and v["url.full"].endswith("/Invoices")]
    assert [v["http.response.status_code"] for v in posted] == [201]

    store = Store.objects.get()
    secrets = (SECRET, store.access_token, store.webhook_key, "sandbox-password", token)
    personal = ("Zuckermandel", "zuckermandel", "5125550177")
    everything = collector.everything.decode(errors="replace")
    assert [planted for planted in (*secrets, *personal) if planted and planted in everything] == []


def test_a_collector_that_is_away_costs_nothing_but_its_spans(world: World) -> None:
    world.product.environment |= {"TIEOUT_OTLP_URL": "http://127.0.0.1:1"}
    world.product.start_worker()
    order_id = world.store.place(Shopping(lines=(Line("SKU-1", "19.99"),)))
    world.notice(order_id)
    assert world.wait_for(order_id, "posted", seconds=60).status == "posted"
