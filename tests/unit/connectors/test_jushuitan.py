"""Jushuitan: merged and split orders, and the same object pushed or asked for."""

import pytest

from connectors.intake import Address
from connectors.jushuitan import Jushuitan
from schemas import codec
from schemas.records import Observation, RawEvent
from tests.contract.connectors.cases import CASES, jushuitan
from tests.contract.connectors.kit import NOW
from tests.unit.connectors.asked_given import said, states

CASE = next(case for case in CASES if case.name == "jushuitan")
AT_MS = 1795312800000


def part(status: str, **more: object) -> Observation:
    """What a part of a split order states."""
    (one,) = said(CASE.shop, "orders", jushuitan(o_id=12, is_split=True, pay_date="2026-11-22 09:00:00", status=status, **more))
    return one


def test_an_order_that_was_merged_or_split_says_no_more() -> None:
    """It lives on in others: neither is an end."""
    assert states(CASE.shop, "orders", jushuitan(status="Merged")) == []
    assert states(CASE.shop, "orders", jushuitan(status="Split")) == []


@pytest.mark.parametrize("names", [{"so_id": "A1,A2"}, {"so_id": "A1", "merge_so_id": "A1,A2"}, {"so_id": "A1", "merge_so_id": "A2"}])
def test_the_order_that_they_were_merged_into_speaks_for_all(names: dict[str, str]) -> None:
    """Each of the channel's orders, once, without the amount and the lines of all together."""
    merged = said(CASE.shop, "orders", jushuitan(pay_amount="200.00", items=[{"sku_id": "X", "qty": 2}], **names))
    assert [one.order_id for one in merged] == ["A1", "A2"]
    assert len({one.event_id for one in merged}) == 2
    assert [(one.payable_minor, one.lines) for one in merged] == [(None, []), (None, [])]


def test_a_part_speaks_for_a_part() -> None:
    """Shipped: a part is; cancelled: held; in work: as of its payment, so that parts never take each other's word back."""
    assert (part("Sent").status, part("Cancelled").status, part("Question").status) == ("PartiallyShipped", "OnHold", "OnHold")
    working = part("Delivering", pay_amount="50.00")
    assert (working.status, working.occurred_at, working.payable_minor) == ("Picking", AT_MS - 3_600_000, None)


def test_pushed_or_asked_for_an_object_is_one_fact() -> None:
    """The objects are the same, byte for byte, and so are their ids and what they state."""
    for message in CASE.messages:
        (record,) = Address(CASE.shop, Jushuitan()).receive(CASE.push(message), NOW)
        pushed = Jushuitan().decode(codec.decode(record.value, RawEvent))
        (asked,) = said(CASE.shop, "orders", message)
        assert (asked.event_id, asked.status, asked.occurred_at) == (pushed.event_id, pushed.status, pushed.occurred_at)
