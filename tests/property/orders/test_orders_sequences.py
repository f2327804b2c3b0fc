"""Every short sequence of statuses by one source: jumps against the letter of semantics §3."""

from itertools import pairwise, product

import pytest

from schemas.records import Jump, Observation
from streams.orders.fold import Orders
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.policy import Policy
from tests.property.orders import model

POLICY = Policy()
ALPHABET = {
    "channel": ("Created", "PaymentConfirmed", "Shipped", "Signed", "Completed", "Cancelled", "OnHold"),
    "system": ("Approved", "Allocated", "Picking", "Packed", "Shipped", "Closed", "OnHold"),
    "courier": ("InTransit", "OutForDelivery", "Signed"),
}


def _facts(kind: str, statuses: tuple[str, ...]) -> list[Observation]:
    source = {"channel": "web", "system": "erp", "courier": "zto"}[kind]
    return [
        Observation(
            event_id=str(number),
            source=source,
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
        for number, status in enumerate(statuses)
    ]


def _jumps(facts: list[Observation]) -> list[tuple[str, str, bool]]:
    orders, order, found = Orders(POLICY, RuleSet()), None, []
    for fact in facts:
        order, more = orders.fold(order, fact)
        assert isinstance(order, Order)
        found += [(one.event_id, one.kind, one.breach) for one in more if isinstance(one, Jump)]
    return found


@pytest.mark.parametrize(("kind", "length"), [("channel", 5), ("system", 5), ("courier", 7)])
def test_jumps_of_every_short_sequence(kind: str, length: int) -> None:
    """All sequences up to a length: the same kinds, the same counts, one breach at the fourth."""
    walks = {walk for walk in product(ALPHABET[kind], repeat=length) if all(a != b for a, b in pairwise(walk))}
    for walk in sorted(walks):
        facts = _facts(kind, walk)
        entries = [model.Entry(fact, "change") for fact in facts]
        expected = [(one.event_id, model.jump(one, entries[:number], POLICY)) for number, one in enumerate(facts)]
        jumps = [(name, kind_of) for name, kind_of in expected if kind_of]
        assert _jumps(facts) == [(name, kind_of, number == 4) for number, (name, kind_of) in enumerate(jumps, 1)], walk
