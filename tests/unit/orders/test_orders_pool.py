"""When an order is released, held, filtered, withdrawn: semantics §5 and the orders' identity of §8."""

from typing import Any

import pytest

from schemas.records import ChannelFinding, Line, Observation, PoolRecord
from streams.orders import pool
from streams.orders.fold import Surroundings
from tests.unit.orders.orders_given import Play, fact, ms, refund

RULES = """
rules:
  - {id: vip, when: 'payable_minor >= 100000', action: release, branch: vip, tags: [gold], account: a1}
  - {id: look, when: 'lines.exists(l, l.sku == "X")', action: hold, reason: fragile, tags: [slow]}
  - {id: cod, when: 'payment_method == "cod"', action: filter, reason: paid at the door}
  - {id: broken, when: 'lines[0].qty > 5', action: filter}
"""
LINES = [Line(sku="S", qty=1)]


def _paid(at: float = 1, **more: Any) -> Observation:
    return fact("web", "PaymentConfirmed", at, **{"lines": LINES, **more})


def _class(play: Play) -> str | None:
    """Where the orders' identity counts it."""
    order = play.order
    if not order.paid:
        return None
    return "released" if order.released else order.pool.action if order.pool and order.pool.action != "withdraw" else "ended"


@pytest.mark.parametrize("status", ["PaymentConfirmed", "Approved", "Picking", "PartiallyShipped"])
def test_a_rank_from_payment_to_shipment_is_due_once(status: str) -> None:
    """Released to the branch default, once, however often it is stated."""
    play = Play(fact("web", "Created", 0), fact("web", status, 1), fact("web", "Created", 2), fact("web", status, 3))
    assert play.pool == ["release"]
    (record,) = play.all(PoolRecord)
    assert (record.branch, record.paid_at, record.at, record.record_id) == ("default", ms(1), ms(1), "web:s1:A1#1")
    assert [one.kind for one in play.all(ChannelFinding) if one.kind == "paid"] == ["paid"]


@pytest.mark.parametrize("status", ["Created", "PaymentPending", "Shipped", "Signed", "Completed", "OnHold"])
def test_what_is_not_due(status: str) -> None:
    """Below payment, or shipped already."""
    play = Play(fact("web", status, 1))
    assert (play.pool, play.order.paid) == ([], False)


def test_a_systems_payment_releases_nothing() -> None:
    """The channel's word counts."""
    assert Play(fact("erp", "PaymentConfirmed", 1)).pool == []


def test_a_payment_that_comes_late_counts_unless_the_channel_has_shipped() -> None:
    """After a cancel it is paid and ended; after Shipped it is nothing."""
    play = Play(fact("web", "OnHold", 5), _paid(1))
    assert (play.dispositions[-1], play.pool, _class(play)) == ("late", ["release"], "released")
    play = Play(fact("web", "Cancelled", 5), _paid(1))
    assert (play.pool, _class(play)) == ([], "ended")
    play = Play(fact("web", "Shipped", 5), _paid(1))
    assert (play.pool, _class(play)) == ([], None)
    play = Play(fact("web", "Shipped", 5), _paid(6))  # a regression: it is on its way already
    assert (play.pool, _class(play)) == ([], None)


@pytest.mark.parametrize("end", [fact("web", "Cancelled", 5), fact("web", "Closed", 5), refund("Refunded", 5), refund("RefundApproved", 5)])
def test_a_released_order_that_ends_is_withdrawn(end: Observation) -> None:
    """At once, once, whether or not the gate is shut; it stays counted as released."""
    play = Play(_paid()).tell(end, shut=True).tell(fact("web", "Completed", 9), fact("web", "Cancelled", 10))
    assert (play.pool, _class(play)) == (["release", "withdraw"], "released")
    assert (play.all(PoolRecord)[1].seq, play.all(PoolRecord)[1].at, play.all(PoolRecord)[1].branch) == (2, ms(5), "default")


@pytest.mark.parametrize(
    "other",
    [
        refund("Refunded", 5, partial_refund=True),
        refund("RefundApproved", 5, partial_refund=True),
        refund("RefundApproved", 5, aftersale_kind="return_refund"),
        fact("erp", "Cancelled", 5),
        fact("web", "Completed", 5),
        fact("web", "Cancelled", 0.5),  # late: the channel went on
    ],
)
def test_what_does_not_withdraw(other: Observation) -> None:
    """Only the channel ends an order, and only in whole."""
    assert Play(_paid()).tell(other).pool == ["release"]


def test_an_order_that_ended_before_it_was_paid_has_no_record() -> None:
    """It counts as paid and ended, also after a revival."""
    play = Play(fact("web", "Created", 0), fact("web", "Cancelled", 1), _paid(2))
    assert (play.pool, _class(play), play.jumps) == ([], "ended", ["revival"])


def test_a_held_order_is_withdrawn_without_a_release() -> None:
    """A hold at the channel's gate, then an end."""
    play = Play().tell(_paid(), shut=True).tell(fact("web", "Cancelled", 5))
    assert (play.pool, _class(play)) == (["hold", "withdraw"], "ended")
    assert (play.all(PoolRecord)[0].gate, play.all(PoolRecord)[1].gate) == ("channel", None)


def test_the_first_rule_that_holds_decides() -> None:
    """Release with branch, tags and account."""
    (record,) = Play(_paid(payable_minor=200000, payment_method="cod"), rules=RULES).all(PoolRecord)
    assert (record.action, record.rule_id, record.branch, record.tags, record.account) == ("release", "vip", "vip", ["gold"], "a1")


def test_a_rules_hold_is_the_gate_review() -> None:
    """With its reason and tag, also while the channel is paused."""
    for shut in (False, True):
        play = Play(rules=RULES).tell(_paid(lines=[Line(sku="X")]), shut=shut)
        (record,) = play.all(PoolRecord)
        assert (record.action, record.gate, record.rule_id, record.reason, record.tags) == ("hold", "review", "look", "fragile", ["slow"])
        assert not pool.held(play.order, "channel")


def test_a_filtered_order_leaves_for_good_and_is_told() -> None:
    """Also while the channel is paused; its end is nobody's business."""
    play = Play(rules=RULES).tell(_paid(payment_method="cod"), shut=True).tell(fact("web", "Cancelled", 5))
    assert (play.pool, _class(play)) == (["filter"], "filter")
    assert [(one.kind, one.rule_id) for one in play.all(ChannelFinding)][:2] == [("paid", None), ("filtered", "cod")]


def test_a_rule_that_fails_holds_the_order_with_its_error() -> None:
    """Nothing is filtered by a rule that cannot say so."""
    (record,) = Play(_paid(lines=[]), rules=RULES).all(PoolRecord)
    assert (record.action, record.gate, record.rule_id) == ("hold", "review", "broken")
    assert record.reason is not None
    assert record.reason.startswith("rule broken failed: ")


def test_rules_see_what_earlier_facts_have_said() -> None:
    """Lines and customer of the Created push; the lines are then forgotten."""
    play = Play(fact("web", "Created", 0, lines=[Line(sku="X")], customer_id="c1"), rules=RULES)
    play.tell(_paid(lines=[]))
    assert (play.all(PoolRecord)[0].rule_id, play.order.lines) == ("look", None)


def test_no_rule_knows_a_payment_method_and_nothing_is_dropped() -> None:
    """What no rule matches is released."""
    assert Play(_paid(payment_method="a new one"), rules=RULES).pool == ["release"]


def test_a_release_that_was_told_before_a_crash_is_told_again() -> None:
    """Whatever the gate says now, and before anything else happens to the order."""
    told = Play(_paid()).all(PoolRecord)[0]
    play = Play()
    play.state, found = play.orders.fold(None, _paid(), _around(True, {1: told}))
    assert [one for one in found if isinstance(one, PoolRecord)] == [told]
    play = Play().tell(_paid(), shut=True)
    released = pool.release(play.order, ms(9))
    play = Play().tell(_paid(), shut=True)
    play.state, found = play.orders.fold(play.order, fact("web", "Cancelled", 5), _around(True, {1: told, 2: released}))
    assert [(one.action, one.seq) for one in found if isinstance(one, PoolRecord)] == [("release", 2), ("withdraw", 3)]
    assert _class(play) == "released"


def _around(shut: bool, said: dict[int, PoolRecord]) -> Surroundings:
    return Surroundings(shut=shut, said=said)
