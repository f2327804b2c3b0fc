"""moved_after_end: a system works on what its channel has ended. Semantics §4."""

import pytest

from schemas.records import Conflict
from streams.policy import Conflicts
from tests.unit.orders.orders_given import Play, fact, refund

OPENED = "moved_after_end"
PICKING = fact("wms", "Picking", 20)


def _moved(play: Play) -> list[tuple[str, float]]:
    return [(state, at) for kind, state, at in play.conflicts if kind == OPENED]


@pytest.mark.parametrize(
    "end",
    [fact("web", "Cancelled", 10), fact("web", "Closed", 10), refund("Refunded", 10), refund("RefundApproved", 10)],
)
@pytest.mark.parametrize("order", [1, -1])
def test_work_after_an_end_is_a_contradiction(end: object, order: int) -> None:
    """By occurred_at, whichever was received first; opened at the later receipt."""
    facts = [end, PICKING][::order]
    assert _moved(Play(*facts)) == [("opened", 20)]  # type: ignore[arg-type]  # parametrised


def test_it_is_opened_at_the_later_receipt() -> None:
    """An end that is delivered late opens it when it comes."""
    assert _moved(Play(PICKING, fact("web", "Cancelled", 10, 50))) == [("opened", 50)]


@pytest.mark.parametrize(
    "harmless",
    [
        (fact("web", "Cancelled", 20), PICKING),  # at the same time is not later
        (fact("web", "Cancelled", 30), PICKING),
        (refund("RefundApproved", 10, aftersale_kind="return_refund"), PICKING),
        (refund("Refunded", 10, partial_refund=True), PICKING),
        (fact("web", "Completed", 10), PICKING),
        (fact("web", "Cancelled", 10), fact("wms", "Allocated", 20)),
        (fact("web", "Cancelled", 10), fact("wms", "Closed", 20)),
        (fact("wms", "Picking", 5), fact("web", "Cancelled", 10), PICKING),  # a repeat moves nothing
        (fact("web", "Cancelled", 10), fact("web", "PaymentConfirmed", 15), PICKING),  # revived
        (refund("RefundApproved", 10), refund("RefundRejected", 15), PICKING),
        (refund("RefundApproved", 10), refund("RefundClosed", 15), PICKING),
    ],
)
def test_what_is_no_contradiction(harmless: tuple[object, ...]) -> None:
    """Work before the end, an end that was taken back, a part of the money, no work at all."""
    assert _moved(Play(*harmless)) == []  # type: ignore[arg-type]  # parametrised


def test_one_per_system_closed_by_its_own_stop() -> None:
    """Each system has its own conflict, with an id of its own."""
    play = Play(fact("web", "Cancelled", 10), PICKING, fact("wms", "Packed", 21), fact("erp", "Shipped", 22))
    assert _moved(play) == [("opened", 20), ("opened", 22)]
    play.tell(fact("erp", "OnHold", 30), fact("erp", "Cancelled", 31))
    assert _moved(play)[2:] == [("resolved", 30)]
    ids = [one.conflict_id for one in play.all(Conflict) if one.kind == OPENED]
    assert ids[0] != ids[1] == ids[2]
    assert play.order.open_conflicts == 1
    assert _moved(play.tell(fact("wms", "Cancelled", 40)))[3:] == [("resolved", 40)]


def test_a_system_that_stopped_before_the_end_was_known_has_answered() -> None:
    """It is opened and closed at once: both are true."""
    play = Play(PICKING, fact("wms", "Cancelled", 25), fact("web", "Cancelled", 10, 50))
    assert _moved(play) == [("opened", 50), ("resolved", 50)]


def test_a_late_stop_closes_it_if_it_came_after_the_work() -> None:
    """One from before the work answers nothing."""
    begin = (fact("web", "Cancelled", 10), PICKING, fact("wms", "Approved", 30))
    assert _moved(Play(*begin, fact("wms", "OnHold", 25, 31))) == [("opened", 20), ("resolved", 31)]
    assert _moved(Play(*begin, fact("wms", "OnHold", 15, 31))) == [("opened", 20)]


def test_of_several_moves_the_first_forbidden_one_is_meant() -> None:
    """Also if the end is read after all of them."""
    play = Play(fact("wms", "Picking", 5), fact("wms", "Packed", 15), fact("wms", "Shipped", 25), fact("web", "Cancelled", 10, 12))
    assert _moved(play) == [("opened", 15)]
    assert '"status":"Packed"' in play.all(Conflict)[0].evidence


def test_it_may_be_off() -> None:
    """A merchant may not want it."""
    play = Play(fact("web", "Cancelled", 10), PICKING, conflicts=Conflicts(off=frozenset({OPENED})))
    assert _moved(play) == []
