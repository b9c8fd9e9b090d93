"""A missing mapping is one gap, whatever waits for it; mapping it posts what it blocked."""

from decimal import Decimal

import pytest

from mappings.changes import delete_mapping, set_mapping
from mappings.models import MappingSet
from sandbox.bigcommerce import Line, Shopping, Tax
from sync.models import Gap, GapState, Pipeline, Posting, Reprocess
from sync.reprocess import exclude, progress, reprocess, scope_of, take_back
from tests.e2e.world import World

TEXAS = Tax("Texas", "8.25")

pytestmark = pytest.mark.django_db(transaction=True)


def of(sku: str, quantity: int = 1) -> Shopping:
    return Shopping(lines=(Line(sku, "10.00", quantity, taxes=(TEXAS,)),))


@pytest.fixture
def waiting(world: World) -> list[int]:
    """Three orders of a SKU that nothing maps."""
    orders = [world.store.place(of("HAT-BLUE", n)) for n in (1, 2, 3)]
    for order_id in orders:
        world.notice(order_id)
    world.work_off()
    return orders


def test_three_orders_of_an_unknown_sku_make_one_gap_with_their_money(
    world: World, waiting: list[int]
) -> None:
    [gap] = Gap.objects.all()
    blocked = Posting.objects.filter(blocks__gap=gap)
    assert gap.sentence == "SKU HAT-BLUE has no item in SAP Business One."
    assert blocked.count() == 3
    assert str(scope_of(blocked)) == "3 orders (64.96 USD)"
    assert not world.documents("Invoices")


def test_mapping_it_posts_everything_it_blocked(world: World, waiting: list[int]) -> None:
    set_mapping(MappingSet.objects.get(), "item", "HAT-BLUE", "SKU-1", by="arno", why="new hat")
    world.work_off()

    assert {world.posting(o).status for o in waiting} == {"posted"}
    assert len(world.documents("Invoices")) == 3
    assert Gap.objects.get().state == GapState.CLOSED
    assert Reprocess.objects.get().by == "arno"


def test_where_the_pipeline_says_so_they_wait_for_reprocess(world: World, waiting: list[int]) -> None:
    Pipeline.objects.update(release_on_mapping=False)
    set_mapping(MappingSet.objects.get(), "item", "HAT-BLUE", "SKU-1", by="arno", why="new hat")
    world.work_off()
    assert {world.posting(o).status for o in waiting} == {"blocked"}

    run = reprocess(Posting.objects.filter(blocks__gap=Gap.objects.get()), by="olga", what="HAT-BLUE")
    assert (progress(run).total, progress(run).done) == (3, 0)
    world.work_off()

    now = progress(run)
    assert (now.total, now.done, now.posted, now.needs_a_person) == (3, 3, 3, 0)


def test_a_mapping_of_another_sku_lets_nothing_go(world: World, waiting: list[int]) -> None:
    set_mapping(MappingSet.objects.get(), "item", "SCARF", "SKU-1", by="arno", why="scarf")
    world.work_off()

    assert {world.posting(o).status for o in waiting} == {"blocked"}
    assert not Reprocess.objects.exists()


def test_a_mapping_that_is_taken_away_opens_the_gap_again(world: World, waiting: list[int]) -> None:
    set_mapping(MappingSet.objects.get(), "item", "HAT-BLUE", "SKU-1", by="arno", why="new hat")
    world.work_off()
    delete_mapping(MappingSet.objects.get(), "item", "HAT-BLUE", by="arno", why="wrong")
    posting = world.post(world.store.place(of("HAT-BLUE")))

    assert posting.status == "blocked"
    assert Gap.objects.get().state == GapState.OPEN


def test_an_excluded_order_stays_excluded_until_it_is_taken_back(world: World, waiting: list[int]) -> None:
    posting = world.posting(waiting[0])
    exclude(posting, by="olga", why="test order")
    set_mapping(MappingSet.objects.get(), "item", "HAT-BLUE", "SKU-1", by="arno", why="new hat")
    world.notice(waiting[0])
    world.work_off()
    assert world.posting(waiting[0]).status == "excluded"
    assert len(world.documents("Invoices")) == 2

    take_back(world.posting(waiting[0]), by="olga")
    world.work_off()

    assert world.posting(waiting[0]).status == "posted"
    assert len(world.documents("Invoices")) == 3


def test_all_gaps_of_an_order_are_told_at_once(world: World) -> None:
    mapping_set = MappingSet.objects.get()
    for kind in ("account.shipping", "account.handling"):
        delete_mapping(mapping_set, kind, "*", by="arno", why="test")
    order = Shopping(lines=of("HAT-BLUE").lines, shipping=Decimal("5.00"), handling=Decimal("2.00"))

    posting = world.post(world.store.place(order))

    assert posting.status == "blocked"
    assert set(Gap.objects.values_list("kind", flat=True)) == {"item", "account.shipping", "account.handling"}
