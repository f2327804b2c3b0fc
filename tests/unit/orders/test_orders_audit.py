"""The audit chain: anyone can compute it from the rows. Semantics §6."""

import hashlib

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from schemas.headers import utc
from schemas.records import AuditRecord
from streams.orders.audit import MEMBERS, canonical
from tests.unit.orders.orders_given import Play, fact, node, refund

texts = st.text(st.characters(exclude_categories=["Cs"]))
times = st.integers(946_684_800_000, 4_000_000_000_000)


@given(
    st.fixed_dictionaries(
        dict.fromkeys(("order_key", "source", "axis", "to_status", "disposition", "raw_event_id"), texts)
        | {name: st.none() | texts for name in ("operator", "trigger", "from_status")}
        | {"occurred_at": times, "recorded_at": times, "seq": st.integers(1, 10**9), "prev_hash": st.just("0" * 64)}
    )
)
def test_canonical_json_is_that_of_the_library(members: dict[str, object]) -> None:
    """RFC 8785 for every text and time."""
    plain = members | {name: utc(members[name]) for name in ("occurred_at", "recorded_at")}
    assert set(plain) == set(MEMBERS)
    assert canonical(members) == rfc8785.dumps(plain)  # type: ignore[arg-type]  # JSON values by construction


def test_times_are_cut_to_milliseconds() -> None:
    """As the page writes them."""
    assert utc(1_795_312_800_000) == "2026-11-22T02:00:00.000Z"
    assert utc(1_795_312_800_007) == "2026-11-22T02:00:00.007Z"


def _rehash(row: AuditRecord) -> str:
    members = {name: getattr(row, name) for name in MEMBERS}
    members |= {name: utc(members[name]) for name in ("occurred_at", "recorded_at")}
    return hashlib.sha256(rfc8785.dumps(members)).hexdigest()


def test_every_observation_is_one_link_of_the_chain() -> None:
    """Over all sources and axes, late and repeated ones too; duplicates and silent parcels leave none."""
    play = Play(fact("web", "Created", 0, operator="u1", trigger='wechat_shop/"支付"'), fact("web", "Created", 0))
    play.tell(fact("wms", "Shipped", 3, names="12"), fact("web", "PaymentConfirmed", 2), fact("web", "OnHold", 1))
    play.tell(refund("RefundRequested", 5), node("1", "PickedUp", 6), node("2", "PickedUp", 7), fact("web", "PaymentConfirmed", 8))
    rows = play.all(AuditRecord)
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.disposition for row in rows] == ["change", "change", "change", "late", "change", "change", "repeat"]
    assert [row.prev_hash for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]
    assert [_rehash(row) for row in rows] == [row.hash for row in rows]
    assert (play.order.seq, play.order.head.hex()) == (7, rows[-1].hash)
    assert [row.derived for row in rows].count(True) == 1


def test_recorded_at_is_the_receipt() -> None:
    """No clock of ours enters the chain."""
    (row,) = Play(fact("web", "Created", 1, 7)).all(AuditRecord)
    assert (utc(row.occurred_at), utc(row.recorded_at)) == ("2027-01-15T08:01:00.000Z", "2027-01-15T08:07:00.000Z")


def test_from_and_to() -> None:
    """A change from nothing has no `from`; a repeat has both alike; a late one says what stayed."""
    play = Play(fact("web", "Shipped", 5), fact("web", "Shipped", 6), fact("web", "Created", 1), refund("Refunded", 7))
    found = [(row.from_status, row.to_status) for row in play.all(AuditRecord)]
    assert found == [(None, "Shipped"), ("Shipped", "Shipped"), ("Shipped", "Created"), (None, "Refunded")]
