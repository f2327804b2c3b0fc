"""The four kinds of jump, and the breach: semantics §3."""

import pytest

from schemas.records import Alert, ChannelFinding, Jump
from streams.policy import Jumps
from tests.unit.orders.orders_given import Play, fact, node


def _walk(source: str, *statuses: str) -> Play:
    return Play(*(fact(source, status, minute) for minute, status in enumerate(statuses)))


@pytest.mark.parametrize(
    ("source", "walk", "jumps"),
    [
        ("web", ["Signed"], []),  # a first statement is never one
        ("web", ["Created", "PaymentConfirmed", "Shipped", "Signed", "Completed"], []),
        ("web", ["Cancelled", "PaymentConfirmed"], ["revival"]),
        ("web", ["Completed", "Shipped"], ["revival"]),
        ("web", ["Completed", "Closed", "Cancelled", "Completed"], []),  # between these three there is none
        ("erp", ["Shipped", "Approved"], ["regression"]),
        ("erp", ["Allocated", "Approved", "Allocated"], []),  # allowed, and it lowers the mark
        ("erp", ["Picking", "Allocated", "Picking", "Packed", "Picking", "Packed", "Allocated", "Packed"], []),
        ("zto", ["OutForDelivery", "InTransit", "OutForDelivery", "Signed"], []),
        ("erp", ["Packed", "Approved", "Allocated"], ["regression", "flap"]),
        ("erp", ["Packed", "OnHold", "Packed"], []),  # OnHold leaves the rank
        ("erp", ["Packed", "OnHold", "Picking", "Packed"], []),  # an allowed step back over a hold
        ("erp", ["Packed", "OnHold", "Approved"], ["regression"]),
        ("erp", ["OnHold", "Shipped", "Signed"], []),  # what began with a hold comes from nowhere
        ("web", ["Created", "Shipped"], ["skip"]),
        ("web", ["PaymentConfirmed", "Signed"], ["skip"]),
        ("web", ["Created", "Cancelled"], []),  # an end passes nothing
        ("erp", ["Packed", "Signed"], ["skip"]),
        ("erp", ["Created", "Approved"], []),  # PaymentConfirmed is not in an ERP's vocabulary
        ("zto", ["PickedUp", "Signed"], []),
        ("web", ["Cancelled", "PaymentConfirmed", "Shipped"], ["revival"]),  # an end is no mark
    ],
)
def test_kinds_of_jumps(source: str, walk: list[str], jumps: list[str]) -> None:
    """The first kind that fits, in the order of the table."""
    assert _walk(source, *walk).jumps == jumps


def test_a_milestone_that_any_source_has_stated_is_not_skipped() -> None:
    """Judged when it is read: what is stated afterwards does not undo a skip."""
    before = Play(fact("wms", "Shipped", 1), fact("web", "PaymentConfirmed", 2), fact("web", "Signed", 3))
    assert before.jumps == []
    after = Play(fact("web", "PaymentConfirmed", 2), fact("web", "Signed", 3), fact("wms", "Shipped", 1))
    assert after.jumps == ["skip"]


def test_a_late_statement_of_a_milestone_is_one() -> None:
    """Late facts are no changes, but they have been stated."""
    play = Play(fact("erp", "Completed", 9), fact("erp", "Shipped", 1), fact("web", "PaymentConfirmed", 2), fact("web", "Signed", 3))
    assert (play.dispositions[1], play.jumps) == ("late", [])


def test_the_fourth_jump_breaches_once() -> None:
    """Paid, Shipped, Paid, … is regression, flap, regression, flap: the fourth breaches, later ones do not."""
    play = _walk("web", *["PaymentConfirmed", "Shipped"] * 4)
    assert play.jumps == ["regression", "flap"] * 3
    assert [one.breach for one in play.all(Jump)] == [False, False, False, True, False, False]
    assert [one.n for one in play.all(Jump)] == [1, 2, 3, 4, 5, 6]
    (finding,) = (one for one in play.all(ChannelFinding) if one.kind == "order_jumps")
    (alert,) = (one for one in play.all(Alert) if one.kind == "order_jumps")
    assert (finding.order_key, alert.alert_key) == ("web:s1:A1", "order_jumps:web:s1:A1")
    assert alert.params["history"].count("web：已付款→已发货") == 2


def test_jumps_of_all_sources_are_counted_together() -> None:
    """The limit is per order."""
    play = Play()
    for minute, source in enumerate(("web", "erp")):
        play.tell(fact(source, "Shipped", minute), fact(source, "Approved", minute + 5), fact(source, "Shipped", minute + 8))
    assert [one.n for one in play.all(Jump)] == [1, 2, 3, 4]
    assert play.all(Jump)[-1].breach


def test_every_counts_every_change() -> None:
    """The literal reading: four changes breach, whatever they are; a repeat is none."""
    statuses = ["Created", "Created", "PaymentConfirmed", "Shipped", "Signed"]
    play = Play(*(fact("web", status, minute) for minute, status in enumerate(statuses)), jumps=Jumps(count="every"))
    assert [(one.kind, one.n, one.breach) for one in play.all(Jump)] == [
        ("change", 1, False),
        ("change", 2, False),
        ("change", 3, False),
        ("change", 4, True),
    ]
    assert play.dispositions == ["change", "repeat", "change", "change", "change"]


def test_parcels_do_not_make_an_order_jump() -> None:
    """A second parcel that is behind the first states nothing."""
    play = Play(fact("wms", "Shipped", 0, names="12"))
    play.tell(node("1", "PickedUp", 1), node("1", "OutForDelivery", 3), node("2", "PickedUp", 4), node("2", "InTransit", 5))
    assert play.jumps == []
