"""Duplicate, repeat, late, change: semantics §3."""

import pytest

from streams.orders.disposition import CHANGE, DUPLICATE, NEW, REPLAY, seen
from streams.orders.state import MAX_SEEN, Source
from tests.unit.orders.orders_given import Play, fact, refund


def test_a_seen_event_id_is_a_duplicate_whatever_it_says() -> None:
    """The id decides, not the content; it is counted and nothing else happens."""
    play = Play(fact("web", "Created", 0, event_id="e"), fact("web", "Shipped", 5, event_id="e"))
    assert play.dispositions == ["change"]
    assert (play.order.sources["web"].status, play.order.sources["web"].duplicates) == ("Created", 1)


def test_an_event_id_is_unique_within_its_source_only() -> None:
    """Another source may use the same id."""
    play = Play(fact("web", "Created", 0, event_id="e"), fact("erp", "Approved", 1, event_id="e"))
    assert play.dispositions == ["change", "change"]


def test_a_repeat_does_not_move_the_time_of_the_status() -> None:
    """After Shipped@5, Shipped@9: a fact of minute 7 is a change, not late."""
    play = Play(fact("erp", "Shipped", 5), fact("erp", "Shipped", 9), fact("erp", "OnHold", 7))
    assert play.dispositions == ["change", "repeat", "change"]


def test_an_older_fact_is_late_and_never_a_jump() -> None:
    """The status stays, and the audit says what came."""
    play = Play(fact("web", "Shipped", 5), fact("web", "Created", 1))
    assert (play.dispositions, play.jumps) == (["change", "late"], [])
    assert play.order.sources["web"].status == "Shipped"


@pytest.mark.parametrize(
    ("first", "then", "last"),
    [
        ("Shipped", "PaymentConfirmed", "Shipped"),
        ("PaymentConfirmed", "Shipped", "Shipped"),
        ("Shipped", "Cancelled", "Cancelled"),
        ("Cancelled", "Shipped", "Cancelled"),
        ("Cancelled", "Closed", "Closed"),
        ("Shipped", "OnHold", "OnHold"),
    ],
)
def test_at_equal_times_the_higher_rank_wins(first: str, then: str, last: str) -> None:
    """In either order of reading; equals are decided by the receipt."""
    assert Play(fact("web", first, 5), fact("web", then, 5, 6)).order.sources["web"].status == last


def test_at_equal_times_the_refund_received_later_wins() -> None:
    """The after-sale axis has no ranks."""
    play = Play(refund("RefundApproved", 5, 8), refund("RefundRequested", 5, 7), refund("Refunded", 5, 9))
    assert play.dispositions == ["change", "late", "change"]


def test_refund_cases_are_axes_of_their_own() -> None:
    """The first statement about a second case is a change from nothing, however old."""
    play = Play(refund("Refunded", 5), refund("RefundRequested", 1, case_id="r2"))
    assert play.dispositions == ["change", "change"]


def test_an_id_is_forgotten_after_the_retention() -> None:
    """Until then it is a duplicate, to the second."""
    source = Source("channel")
    assert seen(source, fact("web", "Created", 0, event_id="e"), None, 60_000) == NEW
    assert seen(source, fact("web", "Created", 0, 1, event_id="e"), None, 60_000) == DUPLICATE
    assert seen(source, fact("web", "Created", 0, 1.02, event_id="e"), None, 60_000) == NEW


def test_the_same_raw_event_read_twice_is_no_duplicate() -> None:
    """Its place tells: the first is replayed, the second push of the same id is a duplicate, that one replayed too."""
    source, one = Source("channel"), fact("web", "Created", 0)
    places = [b"raw/0/1", b"raw/0/1", b"raw/0/2", b"raw/0/2", b"raw/0/1"]
    assert [seen(source, one, place, 60_000) for place in places] == [NEW, REPLAY, DUPLICATE, REPLAY, REPLAY]


def test_the_ids_of_a_source_are_bounded() -> None:
    """The oldest are forgotten: what comes again of them is a repeat or late."""
    source = Source("channel")
    for number in range(MAX_SEEN + 10):
        seen(source, fact("web", "Created", 0, event_id=str(number)), None, 60_000)
    assert len(source.seen) == MAX_SEEN * 14
    assert seen(source, fact("web", "Created", 0, event_id="9"), None, 60_000) == NEW
    assert seen(source, fact("web", "Created", 0, event_id=str(MAX_SEEN)), None, 60_000) == DUPLICATE


def test_a_change_is_called_change() -> None:
    """The word that is audited."""
    assert Play(fact("web", "Created", 0)).dispositions == [CHANGE]
