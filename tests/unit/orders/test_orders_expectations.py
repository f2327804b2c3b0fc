"""What is due after what, and when its absence is a conflict: semantics §4."""

import json

import pytest

from schemas.records import Alert, ChannelFinding, Conflict, Observation
from streams.orders import turns
from streams.orders.state import MAX_MOVES
from streams.policy import Conflicts
from tests.unit.orders.orders_given import Play, fact, ms, node, refund

PAID = fact("web", "PaymentConfirmed", 0)


def test_a_payment_that_the_erp_never_hears_of_is_a_conflict_at_the_deadline() -> None:
    """Opened once, at occurred_at + 10 min, with who said what; nothing before the deadline has been read past."""
    play = Play(PAID).judge(10)
    assert play.conflicts == []
    play.judge(10.001).judge(500)
    assert play.conflicts == [("paid_not_received", "opened", 10)]
    (conflict,) = play.all(Conflict)
    evidence = json.loads(conflict.evidence)
    assert (evidence["said"][0]["source"], evidence["said"][0]["occurred_at"]) == ("web", "2027-01-15T08:00:00.000Z")
    assert (evidence["silent"], conflict.due_at) == (["erp"], ms(10))
    (finding,) = (one for one in play.all(ChannelFinding) if one.kind == "conflict")
    (alert,) = play.all(Alert)
    assert finding.finding_id == alert.alert_key.replace("conflict_opened", "conflict")
    assert alert.params["evidence"] == "web：已付款（01-15 16:00）；erp：未响应"


@pytest.mark.parametrize(("received", "conflicts"), [(10, []), (10.0001, ["opened", "resolved"])])
def test_b_is_in_time_if_it_was_received_by_the_deadline(received: float, conflicts: list[str]) -> None:
    """To the millisecond, by receipt, whatever its own clock says and however late it is read."""
    play = Play(PAID).tell(fact("erp", "Approved", 1, received)).judge(100)
    assert [state for _, state, _ in play.conflicts] == conflicts


def test_the_deadline_leaves_grace_after_a_late_delivery() -> None:
    """A received long after it occurred gives B the time to be read too."""
    play = Play(fact("web", "PaymentConfirmed", 0, 30)).judge(31)
    assert play.conflicts == []
    assert play.judge(32).conflicts == [("paid_not_received", "opened", 31)]


def test_an_open_conflict_is_resolved_when_b_comes() -> None:
    """Once; what comes afterwards changes nothing."""
    play = Play(PAID).judge(60).tell(fact("erp", "Approved", 70), fact("erp", "Allocated", 71))
    assert play.conflicts == [("paid_not_received", "opened", 10), ("paid_not_received", "resolved", 70)]
    assert play.order.open_conflicts == 0


def test_b_before_a_is_in_time() -> None:
    """The ERP may know of the payment first."""
    assert Play(fact("erp", "PaymentConfirmed", 0), fact("web", "PaymentConfirmed", 1)).judge(60).conflicts == []


@pytest.mark.parametrize(
    "withdrawal",
    [
        fact("web", "Cancelled", 5),
        fact("web", "Closed", 5),
        fact("web", "Created", 5),
        refund("RefundApproved", 5),
        refund("RefundApproved", 5, aftersale_kind="return_refund"),
        refund("Refunded", 5, partial_refund=True),
    ],
)
def test_a_withdrawn_payment_is_not_missed(withdrawal: object) -> None:
    """An end, a rank below or any approved refund at the channel takes the payment back."""
    kinds = {kind for kind, _, _ in Play(PAID, withdrawal).judge(600).conflicts}  # type: ignore[arg-type]  # parametrised
    assert "paid_not_received" not in kinds


def test_a_withdrawal_after_the_deadline_comes_too_late() -> None:
    """Read before the deadline was judged or not: the conflict is the same."""
    late = fact("web", "Cancelled", 11)
    for play in (Play(PAID).judge(11).tell(late), Play(PAID, late)):
        assert ("paid_not_received", "opened", 10) in play.judge(600).conflicts


def test_an_expectation_is_one_per_order_and_kind() -> None:
    """Its A is the first received; a second payment begins none."""
    play = Play(PAID, fact("web", "Created", 1), fact("web", "PaymentConfirmed", 2)).judge(600)
    assert play.conflicts == []


def test_it_applies_only_where_such_a_source_is_linked() -> None:
    """A shop without an ERP is not told that the ERP is silent; one with a WMS only, neither."""
    assert Play(PAID, links={}).judge(600).conflicts == []
    assert Play(PAID, fact("wms", "Shipped", 1), links={"web:s1": {"wms": "wms"}}).judge(600).conflicts == [
        ("shipped_not_synced", "opened", 31)
    ]
    assert Play(fact("wms", "Shipped", 1), links={}).judge(600).conflicts == []


def test_a_kind_that_is_off_is_not_looked_for() -> None:
    """`expectations: {paid_not_received: off}`."""
    assert Play(PAID, expectations={}).judge(600).conflicts == []


@pytest.mark.parametrize("source", ["erp", "wms"])
@pytest.mark.parametrize("answer", ["Shipped", "Signed", "Completed"])
def test_shipped_not_synced(source: str, answer: str) -> None:
    """After the warehouse's Shipped the channel must be at Shipped or beyond within 30 min."""
    play = Play(PAID, fact("erp", "Approved", 1), fact(source, "Shipped", 2)).judge(32).judge(33)
    assert play.conflicts == [("shipped_not_synced", "opened", 32)]
    assert play.tell(fact("web", answer, 40)).conflicts[-1] == ("shipped_not_synced", "resolved", 40)
    play = Play(PAID, fact("erp", "Approved", 1), fact(source, "Shipped", 2), fact("web", answer, 32)).judge(99)
    assert play.conflicts == []


def test_shipped_is_withdrawn_by_a_rank_below_or_an_end_of_its_own_source() -> None:
    """What the warehouse has taken back, the channel need not know; another system cannot take it back."""
    shipped = fact("wms", "Shipped", 2)
    assert Play(shipped, fact("wms", "Packed", 5)).judge(99).conflicts == []
    assert Play(shipped, fact("wms", "Cancelled", 5)).judge(99).conflicts == []
    assert Play(shipped, fact("wms", "OnHold", 5)).judge(99).conflicts != []
    assert Play(shipped, fact("erp", "Cancelled", 5)).judge(99).conflicts != []


def test_signed_not_synced() -> None:
    """After the courier's Signed the channel must be at Signed or beyond within 2 h."""
    play = Play(fact("web", "Shipped", 0), node("7", "Signed", 1)).judge(122)
    assert play.conflicts == [("signed_not_synced", "opened", 121)]
    assert play.tell(fact("web", "Signed", 130)).conflicts[-1] == ("signed_not_synced", "resolved", 130)


@pytest.mark.parametrize("answer", ["Cancelled", "OnHold"])
@pytest.mark.parametrize("end", [fact("web", "Cancelled", 5), refund("RefundApproved", 5)])
def test_cancel_not_acknowledged(end: object, answer: str) -> None:
    """After a cancel or an approved refund_only the ERP must cancel or hold within 10 min."""
    play = Play(PAID, fact("erp", "Approved", 1), end).judge(16)  # type: ignore[arg-type]  # parametrised
    assert play.conflicts == [("cancel_not_acknowledged", "opened", 15)]
    assert play.tell(fact("erp", answer, 20)).conflicts[-1] == ("cancel_not_acknowledged", "resolved", 20)


@pytest.mark.parametrize(
    "end",
    [
        refund("RefundApproved", 5, aftersale_kind="return_refund"),
        refund("RefundApproved", 5, partial_refund=True),
        refund("RefundRequested", 5),
        fact("web", "Closed", 5),
    ],
)
def test_what_the_erp_need_not_acknowledge(end: object) -> None:
    """Goods that come back later, a part of the money, a mere request."""
    assert Play(PAID, fact("erp", "Approved", 1), end).judge(99).conflicts == []  # type: ignore[arg-type]  # parametrised


def test_a_cancel_of_an_order_that_nobody_paid_or_knows_concerns_nobody() -> None:
    """It needs a payment, or the ERP's word by the deadline."""
    created, cancelled = fact("web", "Created", 0), fact("web", "Cancelled", 5)
    assert Play(created, cancelled).judge(99).conflicts == []
    assert Play(created, cancelled, fact("erp", "Created", 7)).judge(99).conflicts == [("cancel_not_acknowledged", "opened", 15)]
    assert Play(created, cancelled, fact("erp", "Created", 16)).judge(99).conflicts == []


def test_a_cancel_is_withdrawn_by_a_revival_only() -> None:
    """Closed after Cancelled is no revival; a cancelled order that goes on is."""
    begin = (PAID, fact("erp", "Approved", 1), fact("web", "Cancelled", 5))
    assert Play(*begin, fact("web", "PaymentConfirmed", 6)).judge(99).conflicts == []
    assert Play(*begin, fact("web", "Closed", 6)).judge(99).conflicts != []


def test_a_refund_is_withdrawn_by_rejection_or_by_closing_before_it_succeeded() -> None:
    """Closing a case whose money has gone back takes nothing back."""
    begin = (PAID, fact("erp", "Approved", 1), refund("RefundApproved", 5))
    assert Play(*begin, refund("RefundRejected", 6)).judge(99).conflicts == []
    assert Play(*begin, refund("RefundClosed", 6)).judge(99).conflicts == []
    kinds = {kind for kind, _, _ in Play(*begin, refund("Refunded", 6), refund("RefundClosed", 7)).judge(99).conflicts}
    assert kinds == {"cancel_not_acknowledged", "stock_not_restored"}


def test_stock_not_restored() -> None:
    """After a refund succeeded the ERP must restore the stock within 10 min; a partial refund moves no goods."""
    begin = (PAID, fact("erp", "Cancelled", 1), refund("Refunded", 5))
    play = Play(*begin).judge(99)
    assert play.conflicts == [("stock_not_restored", "opened", 15)]
    restored = fact("erp", "Restored", 120, axis="stock")
    assert play.tell(restored).conflicts[-1] == ("stock_not_restored", "resolved", 120)
    assert Play(*begin, fact("erp", "Restored", 9, axis="stock")).judge(99).conflicts == []
    assert Play(PAID, fact("erp", "Approved", 1), refund("Refunded", 5, partial_refund=True)).judge(99).conflicts == []


def test_any_erp_that_is_linked_may_answer() -> None:
    """One that spoke before the payment, one that spoke after it, both."""
    links = {"web:s1": {"erp": "erp", "oms": "erp"}}
    spoken = [fact(name, "Approved", 0, source_kind="system") for name in ("erp", "oms")]
    later = fact("oms", "Approved", 5, source_kind="system")
    assert Play(*spoken, PAID, links=links).judge(99).conflicts == []
    assert Play(PAID, later, links=links).judge(99).conflicts == []
    cancelled = (PAID, *spoken, fact("web", "Cancelled", 7))
    assert Play(*cancelled, fact("oms", "OnHold", 9, source_kind="system"), links=links).judge(99).conflicts == []
    assert Play(*cancelled, links=links).judge(99).conflicts == [("cancel_not_acknowledged", "opened", 17)]


def test_what_was_received_before_a_answers_by_where_it_stood_then() -> None:
    """Read after A or before it: an ERP that had gone on again when the order was cancelled has not acknowledged."""
    held, on = fact("erp", "OnHold", 3), fact("erp", "Allocated", 5)
    cancel = fact("web", "Cancelled", 7)
    for gone_on in ((PAID, held, on, cancel), (PAID, cancel, held, on)):
        assert Play(*gone_on).judge(99).conflicts == [("cancel_not_acknowledged", "opened", 17)]
    for stopped in ([held, cancel], [cancel, held], [cancel, held, on, fact("erp", "OnHold", 9)]):
        assert Play(PAID, *stopped).judge(99).conflicts == []


def test_amount_mismatch_is_open_while_last_amounts_differ() -> None:
    """At once, once an order; a missing amount says nothing, an older one neither."""
    play = Play(fact("web", "Created", 0, payable_minor=100, currency="CNY"), fact("erp", "Approved", 1))
    assert play.conflicts == []
    play.tell(fact("erp", "Allocated", 2, payable_minor=90, currency="CNY"))
    assert play.conflicts == [("amount_mismatch", "opened", 2)]
    play.tell(fact("erp", "PaymentConfirmed", 1.5, 3, payable_minor=100))
    assert len(play.conflicts) == 1
    play.tell(fact("web", "Created", 4, payable_minor=90))
    assert play.conflicts[-1] == ("amount_mismatch", "resolved", 4)
    assert play.tell(fact("web", "PaymentConfirmed", 5, payable_minor=80)).order.open_conflicts == 0


def test_amounts_in_two_currencies_differ() -> None:
    """129 yuan are not 129 dollars."""
    facts = (fact("web", "Created", 0, payable_minor=100, currency="USD"), fact("erp", "Approved", 1, payable_minor=100, currency="CNY"))
    assert Play(*facts).conflicts == [("amount_mismatch", "opened", 1)]
    assert Play(*facts, conflicts=Conflicts(off=frozenset({"amount_mismatch"}))).conflicts == []


SHIPPED = fact("wms", "Shipped", 10)
FELL = fact("web", "PaymentConfirmed", 9)
ROSE = fact("web", "Shipped", 11, event_id="again")


@pytest.mark.parametrize(
    ("facts", "conflicts"),
    [
        ([fact("web", "Shipped", 5), SHIPPED, FELL], ["opened"]),  # fell before A, read after it
        ([fact("web", "Shipped", 5), FELL, SHIPPED], ["opened"]),  # the same in order
        ([fact("web", "Shipped", 5), fact("web", "PaymentConfirmed", 12), SHIPPED], []),  # fell after A, read before it
        ([fact("web", "Shipped", 5), SHIPPED, fact("web", "PaymentConfirmed", 12)], []),
        ([fact("web", "Shipped", 5), FELL, ROSE, SHIPPED], []),  # rose again after A, read before it
        ([fact("web", "Shipped", 5), SHIPPED, FELL, ROSE], []),
        ([fact("web", "Shipped", 5), FELL, fact("web", "Shipped", 50, event_id="late"), SHIPPED], ["opened", "resolved"]),
    ],
)
def test_what_b_was_when_a_was_received_decides(facts: list[Observation], conflicts: list[str]) -> None:
    """Whatever was read first: the channel's word counts as it was when the WMS's shipment was received."""
    play = Play(fact("web", "PaymentConfirmed", 0), fact("erp", "Approved", 1), *facts).judge(500)
    assert [state for kind, state, _ in play.conflicts if kind == "shipped_not_synced"] == conflicts


@pytest.mark.parametrize(("back", "conflicts"), [(4, ["opened"]), (6, [])])
def test_a_hold_that_was_taken_back_before_the_cancel_is_no_answer(back: float, conflicts: list[str]) -> None:
    """The ERP's hold answers the channel's cancel only if it stood when that was received, in any order of reading."""
    held, taken_back, cancel = fact("erp", "OnHold", 3), fact("erp", "Approved", back), fact("web", "Cancelled", 5)
    for order in ((held, taken_back, cancel), (held, cancel, taken_back), (cancel, held, taken_back)):
        play = Play(PAID, fact("erp", "Approved", 1), *order).judge(500)
        found = [state for kind, state, _ in play.conflicts if kind == "cancel_not_acknowledged"]
        assert found == conflicts, order


def test_an_answer_that_was_there_is_believed_when_all_before_it_is_read() -> None:
    """An order does not wait for the deadline then, nor may it be believed before."""
    play = Play(PAID, fact("erp", "Approved", 1), fact("web", "Shipped", 5), SHIPPED)
    assert play.order.waiting["shipped_not_synced"].before == "web"
    play.judge(10)
    assert "shipped_not_synced" in play.order.waiting
    assert play.judge(10.001).order.waiting == {}


@pytest.mark.parametrize("times", [15, 16, 17, 18, 80, 81])
def test_turns_are_bounded(times: int) -> None:
    """A channel that goes back and forth for ever fills no state, and what it says now is known."""
    statuses = ["Shipped", "PaymentConfirmed"] * 41
    source = Play(*[fact("web", statuses[at], at + 1) for at in range(times)]).order.sources["web"]
    assert len(source.turns["shipped"]) <= MAX_MOVES
    assert turns.held(source, turns.AT_SHIPPED, ms(100)) is (times % 2 == 1)
