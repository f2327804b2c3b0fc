"""Taobao: message ids, refunds that have one id with the list, and trades whose three fields are read together."""

from typing import Any

import pytest

from schemas.facts import Unusable
from tests.contract.connectors.cases import taobao as tb
from tests.contract.connectors.cases import taobao_refund, taobao_trade
from tests.unit.connectors.listed_given import BY, listed, pushed, said

TAOBAO = BY["taobao"]
T = 1795312800


def test_a_trades_message_has_the_id_that_tmc_gave_it() -> None:
    """Over the socket or consumed: the message is the same."""
    assert pushed(TAOBAO, tb("taobao_trade_TradeBuyerPay", 4160600490938325004, payment="48.90")).event_id == "4160600490938325004"


def test_a_refund_has_one_id_with_the_list() -> None:
    """By case, status and `modified`; another case, status or time is another fact, and without a time the message's id counts."""
    message: dict[str, Any] = {"refund_id": "592823138", "modified": "2026-11-22 10:00:00"}
    first = pushed(TAOBAO, tb("taobao_refund_RefundCreated", 1, **message)).event_id
    (case,) = listed(TAOBAO, "refunds", taobao_refund())
    assert (case.event_id, case.status) == (first, "RefundRequested")
    others = (
        tb("taobao_refund_RefundCreated", 1, **(message | {"refund_id": "5"})),
        tb("taobao_refund_RefundCreated", 1, **(message | {"modified": "2026-11-22 10:00:01"})),
        tb("taobao_refund_RefundClosed", 1, **message),
    )
    assert len({first, *(pushed(TAOBAO, other).event_id for other in others)}) == 4
    assert pushed(TAOBAO, tb("taobao_refund_RefundCreated", 9, refund_id="5")).event_id == "9"


def test_a_listed_trade_repeats_what_a_message_said() -> None:
    """Its times are not the messages': the same status, another id; read again it is the same."""
    first, again = (listed(TAOBAO, "orders", taobao_trade()) for _ in range(2))
    message = pushed(TAOBAO, tb("taobao_trade_TradeBuyerPay", 1, payment="48.90"))
    assert [fact.event_id for fact in first] == [fact.event_id for fact in again]
    assert message.event_id not in {fact.event_id for fact in first}
    assert {(fact.status, fact.payable_minor) for fact in first} == {(message.status, message.payable_minor)}


@pytest.mark.parametrize(
    ("status", "step", "cod", "expected"),
    [
        ("WAIT_BUYER_PAY", "FRONT_NOPAID_FINAL_NOPAID", None, "PaymentPending"),
        ("WAIT_BUYER_PAY", "FRONT_PAID_FINAL_NOPAID", None, "PaymentPending"),
        ("WAIT_SELLER_SEND_GOODS", "FRONT_PAID_FINAL_PAID", None, "PaymentConfirmed"),
        ("WAIT_SELLER_SEND_GOODS", "FRONT_PAID_FINAL_NOPAID", None, "PaymentPending"),
        ("WAIT_BUYER_PAY", "FRONT_PAID_FRONT_FORFEITED", None, "Closed"),
        ("TRADE_CLOSED_BY_TAOBAO", "FRONT_PAID_FRONT_FORFEITED", None, "Cancelled"),
        ("WAIT_SELLER_SEND_GOODS", None, "ACCEPTED_BY_COMPANY", "PaymentConfirmed"),
        ("WAIT_SELLER_SEND_GOODS", None, "CANCELED", "PaymentConfirmed"),
        ("WAIT_BUYER_CONFIRM_GOODS", None, "TAKEN_IN_SUCCESS", "PickedUp"),
        ("WAIT_BUYER_CONFIRM_GOODS", None, "SIGN_IN", "Signed"),
        ("WAIT_BUYER_CONFIRM_GOODS", None, "REJECTED_BY_OTHER_SIDE", "OnHold"),
        ("TRADE_FINISHED", None, "SIGN_IN", "Completed"),
        ("TRADE_CLOSED", None, "REJECTED_BY_OTHER_SIDE", "Closed"),
    ],
)
def test_three_fields_of_a_trade(status: str, step: str | None, cod: str | None, expected: str) -> None:
    """A deposit is no payment; the courier's part counts once it was shipped; an end is an end."""
    found = listed(TAOBAO, "orders", taobao_trade(status=status, step_trade_status=step, cod_status=cod))
    assert found[-1].status == expected


@pytest.mark.parametrize("field", ["status", "step_trade_status", "cod_status"])
def test_an_unknown_code_of_any_field_is_never_guessed(field: str) -> None:
    """Not even where another field would decide."""
    with pytest.raises(Unusable, match=f"{field} 'TELEPORTED'"):
        listed(TAOBAO, "orders", taobao_trade(**{field: "TELEPORTED"}))


def test_what_a_listed_trade_states() -> None:
    """When it was shipped, when it was done, how it was at its last change; each parcel once; a masked name names nobody."""
    products = [{"oid": n, "logistics_company": "中通快递", "invoice_no": f"77{n // 2}"} for n in range(4)]
    times = {"consign_time": "2026-11-22 10:01:00", "end_time": "2026-11-22 10:02:00", "modified": "2026-11-22 10:03:00"}
    found = listed(TAOBAO, "orders", taobao_trade(status="TRADE_FINISHED", orders={"order": products}, **times))
    assert said(found) == [("Shipped", T + 60), ("Completed", T + 120), ("Completed", T + 180)]
    assert [parcel.tracking_no for parcel in found[0].parcels] == ["770", "771"]
    assert found[0].customer_id is None


@pytest.mark.parametrize(
    ("fields", "kind", "partial"),
    [
        ({"has_good_return": True}, "return_refund", False),
        ({"has_good_return": False}, "refund_only", False),
        ({"dispute_type": "REFUND_AND_RETURN", "has_good_return": False}, "return_refund", False),
        ({"oid": 1958730012345678902}, "refund_only", True),
        ({"payment": "27.58"}, "refund_only", True),
    ],
)
def test_kinds_and_parts_of_a_listed_refund(fields: dict[str, object], kind: str, partial: bool) -> None:
    """Whether goods come back, and whether it is all of the trade."""
    (case,) = listed(TAOBAO, "refunds", taobao_refund(**fields))
    assert (case.aftersale_kind, case.partial_refund, case.case_id) == (kind, partial, "592823138")
