"""Every short sequence of statuses by one source: jumps against the letter of semantics §3."""

from collections.abc import Iterator

import msgspec
import pytest

from schemas.records import Jump, Observation
from streams.orders.fold import Orders
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.policy import Policy
from tests.property.orders import model

POLICY = Policy()
ORDERS = Orders(POLICY, RuleSet())
SOURCES = {"channel": "web", "system": "erp", "courier": "zto"}
ALPHABET = {
    "channel": ("Created", "PaymentConfirmed", "Shipped", "Signed", "Completed", "Cancelled", "OnHold"),
    "system": ("Approved", "Allocated", "Picking", "Packed", "Shipped", "Closed", "OnHold"),
    "courier": ("InTransit", "OutForDelivery", "Signed"),
}
encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Order | None).decode


def _fact(kind: str, status: str, number: int) -> Observation:
    return Observation(
        event_id=str(number),
        source=SOURCES[kind],
        source_kind=kind,
        order_key="web:s1:A1",
        channel="web",
        shop_id="s1",
        order_id="A1",
        axis="fulfilment",
        status=status,
        occurred_at=number,
        received_at=number,
    )


def _walks(kind: str, before: list[model.Entry], state: bytes, jumps: int, length: int) -> Iterator[int]:
    """Go on from `before` by each status, check the step, then go on from there; yields one for each step."""
    for status in ALPHABET[kind]:
        if before and before[-1].fact.status == status:
            continue
        fact = _fact(kind, status, len(before))
        expected = model.jump(fact, before, POLICY)
        order, found = ORDERS.fold(decode(state), fact)
        told = [(one.kind, one.n, one.breach) for one in found if isinstance(one, Jump)]
        count = jumps + (expected is not None)
        walk = [entry.fact.status for entry in before]
        assert told == ([(expected, count, count == 4)] if expected else []), (walk, status)
        yield 1
        if length > 1:
            yield from _walks(kind, [*before, model.Entry(fact, "change")], encode(order), count, length - 1)


@pytest.mark.parametrize(("kind", "length"), [("channel", 5), ("system", 5), ("courier", 8)])
def test_jumps_of_every_short_sequence(kind: str, length: int) -> None:
    """All sequences up to a length: the same kinds, counted from 1, one breach at the fourth."""
    letters = len(ALPHABET[kind])
    steps = sum(letters * (letters - 1) ** number for number in range(length))
    assert sum(_walks(kind, [], encode(None), 0, length)) == steps
