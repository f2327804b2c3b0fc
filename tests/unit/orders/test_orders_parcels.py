"""What parcels say of their order, links, and the order's own status: semantics §2."""

import pytest

from schemas.records import AuditRecord, OrderState, ParcelObservation
from streams.orders.state import MAX_CASES, MAX_LINES, MAX_PARCELS, MAX_SOURCES, TooMuch
from streams.orders.status import status_of
from tests.unit.orders.orders_given import Play, fact, ms, node, refund


def _said(play: Play) -> list[str]:
    return [one.to_status for one in play.all(AuditRecord) if one.derived]


def test_one_parcel_speaks_for_the_order() -> None:
    """Each stage, and back where the courier goes back."""
    play = Play(fact("wms", "Shipped", 0, names="1"))
    play.tell(node("1", "PickedUp", 1), node("1", "OutForDelivery", 2), node("1", "InTransit", 3), node("1", "Signed", 4))
    assert _said(play) == ["PickedUp", "OutForDelivery", "InTransit", "Signed"]


def test_the_first_parcel_speaks_and_the_others_then_state_nothing() -> None:
    """Earlier stages when the first reaches them, whichever parcel and courier that is."""
    play = Play(fact("wms", "Shipped", 0, names="12"))
    play.tell(node("1", "PickedUp", 1), node("2", "PickedUp", 2), node("2", "InTransit", 3), node("1", "InTransit", 4))
    play.tell(node("9", "InTransit", 5, courier="sf"), node("1", "OutForDelivery", 6))
    assert _said(play) == ["PickedUp", "InTransit", "OutForDelivery"]


def test_signed_when_all_parcels_are() -> None:
    """At the time of the last signature, whichever is read last."""
    play = Play(fact("wms", "Shipped", 0, names="12"), node("1", "Signed", 9))
    assert _said(play) == []
    play.tell(node("2", "InTransit", 3), node("2", "Signed", 8))
    assert _said(play) == ["Signed"]  # the first has been everywhere before
    assert play.order.sources["zto"].at == ms(9)


def test_a_parcel_that_is_not_signed_after_all_keeps_the_order_open() -> None:
    """Its newest word counts."""
    play = Play(fact("wms", "Shipped", 0, names="12"), node("1", "Signed", 5), node("1", "OutForDelivery", 6), node("2", "Signed", 7))
    assert "Signed" not in _said(play)


def test_a_parcel_that_nobody_named_counts_too() -> None:
    """The courier's word is enough to know it."""
    play = Play(node("1", "PickedUp", 1), node("2", "Signed", 2))
    assert _said(play) == ["PickedUp"]


def test_each_parcel_is_linked_once() -> None:
    """With a stable id and the customer, whoever names it first, repeats and late facts too."""
    play = Play(fact("web", "PaymentConfirmed", 0, customer_id="c1"), fact("wms", "Shipped", 1, names="1"))
    play.tell(fact("erp", "Shipped", 2, names="1"), fact("wms", "Shipped", 3, names="12"), fact("wms", "Packed", 0, names="3"))
    links = play.all(ParcelObservation)
    assert [one.parcel_key for one in links] == ["zto:1", "zto:2", "zto:3"]
    assert (links[0].kind, links[0].event_id, links[0].order_key) == ("link", "link:web:s1:A1:zto:1", "web:s1:A1")
    assert (links[0].source, links[0].customer_id, links[0].received_at) == ("wms", "c1", ms(1))


def test_derived_statements_are_no_raw_events() -> None:
    """They are audited, but neither counted as observations nor as duplicates."""
    play = Play(node("1", "PickedUp", 1), node("1", "PickedUp", 1), fact("web", "Shipped", 2), fact("web", "Shipped", 2))
    counts = {one.source: (one.observations, one.duplicates) for one in play.all(OrderState)[-1].sources}
    assert counts == {"zto": (0, 0), "web": (1, 1)}
    assert len(play.all(AuditRecord)) == 2


def test_observations_and_duplicates_account_for_every_fact() -> None:
    """Raw events = observations + duplicates, per source, whatever the axis."""
    play = Play(
        fact("web", "Created", 0), fact("web", "Created", 0), refund("Refunded", 1), refund("Refunded", 1), fact("web", "Created", 2)
    )
    (state,) = play.all(OrderState)[-1].sources
    assert (state.observations, state.duplicates) == (3, 2)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([fact("web", "PaymentConfirmed", 0), fact("wms", "Packed", 1)], "Packed"),
        ([fact("web", "Cancelled", 0), fact("wms", "Shipped", 1)], "Cancelled"),
        ([fact("web", "Closed", 0), fact("erp", "Cancelled", 1)], "Closed"),
        ([fact("web", "PaymentConfirmed", 0), fact("erp", "Cancelled", 1)], "PaymentConfirmed"),
        ([fact("web", "Shipped", 0), fact("web", "OnHold", 1), fact("erp", "Approved", 2)], "Shipped"),
        ([fact("web", "OnHold", 0)], "OnHold"),
        ([fact("erp", "Cancelled", 0)], "Cancelled"),
        ([refund("Refunded", 0)], None),
        ([fact("wms", "Shipped", 0), fact("wms", "Packed", 1)], "Packed"),
    ],
)
def test_the_orders_own_status(facts: list[object], status: str | None) -> None:
    """The channel's end, else the greatest rank of the sources' current statuses."""
    assert status_of(Play(*facts).order) == status  # type: ignore[arg-type]  # parametrised


def test_the_order_state_says_what_was_said_last() -> None:
    """Amounts, customer and after-sale status: the channel's word goes before others'."""
    play = Play(fact("erp", "Approved", 0, payable_minor=90, currency="CNY", customer_id="x", province="浙江"))
    play.tell(fact("web", "PaymentConfirmed", 1, payable_minor=100, customer_id="c1"), refund("RefundRequested", 3))
    play.tell(refund("RefundApproved", 2, case_id="r2"))
    state = play.all(OrderState)[-1]
    assert (state.payable_minor, state.customer_id, state.province, state.aftersale_status) == (100, "c1", "浙江", "RefundRequested")
    assert (state.version, state.updated_at, state.audit_seq) == (4, ms(3), 4)


def test_the_channels_newest_word_on_its_customer_stays() -> None:
    """Others fill only what it leaves out, and what comes late does not replace what came after it."""
    play = Play(fact("web", "PaymentConfirmed", 5, customer_id="c1"), fact("erp", "Approved", 6, customer_id="x", province="浙江"))
    play.tell(fact("web", "Created", 1, customer_id="old", payment_method="alipay"), fact("wms", "Packed", 7, province="江苏"))
    assert (play.order.customer_id, play.order.province, play.order.payment_method) == ("c1", "浙江", "alipay")
    play.tell(fact("web", "Shipped", 8, customer_id="c2"))
    assert play.order.customer_id == "c2"


def test_the_amount_of_another_source_stands_in_for_the_channels() -> None:
    """The first that states one; and the time of payment is told."""
    play = Play(fact("web", "PaymentConfirmed", 5), fact("erp", "Approved", 6, payable_minor=90, currency="CNY"))
    state = play.all(OrderState)[-1]
    assert (state.payable_minor, state.currency, state.paid_at) == (90, "CNY", ms(5))


def test_a_courier_that_has_stated_nothing_is_not_shown() -> None:
    """Its parcel is known, its word is nobody's."""
    play = Play(fact("wms", "Shipped", 0, names="1"), node("1", "OutForDelivery", 1), node("9", "PickedUp", 2, courier="sf"))
    play.tell(fact("web", "Shipped", 3))
    state = play.all(OrderState)[-1]
    assert ([one.source for one in state.sources], state.parcels) == (["wms", "zto", "web"], ["zto:1", "sf:9"])


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ([fact(f"erp{number}", "Approved", 0, source_kind="system") for number in range(MAX_SOURCES + 1)], "sources"),
        ([refund("Refunded", 0, case_id=str(number)) for number in range(MAX_CASES + 1)], "refund cases"),
        ([fact("wms", "Shipped", 0, names=[str(number) for number in range(MAX_PARCELS + 1)])], "parcels"),
        ([fact("web", "Created", 0, lines=[{}] * (MAX_LINES + 1))], "lines"),
    ],
)
def test_no_feed_lets_an_order_grow_without_end(facts: list[object], what: str) -> None:
    """The record that passes a limit is refused, with the order and the limit named."""
    with pytest.raises(TooMuch, match=f"^order web:s1:A1: more than [0-9]+ {what}"):
        Play(*facts)  # type: ignore[arg-type]  # parametrised
