"""Kingdee's bills, as ExecuteBillQuery gives rows."""

from connectors.config import Shop
from tests.contract.connectors.kit import Case, data, unsigned

SHOP = Shop("system", "kingdee", "erp", "k3", "pw", app_key="user", app_id="acct", options={"CUST01": "douyin:900001"})
AT = "2026-11-22T10:00:00.123"


def order(document: str, closed: str = "A", cancelled: str = "A", order_id: str = "A1") -> bytes:
    """A sales order."""
    approved = AT if document == "C" else None
    return data([100001, "XSDD000001", order_id, "CUST01", document, closed, cancelled, AT, approved, 129.0, "CNY"])


def outstock(document: str, cancelled: str = "A") -> bytes:
    """A stock-out bill."""
    return data([100002, "XSCKD000001", "A1", "CUST01", document, cancelled, AT, AT, "中通快递", "7777"])


def returned(document: str, cancelled: str = "A", number: str = "XSTHD000001") -> bytes:
    """A return bill."""
    return data([100003, number, "A1", "CUST01", document, cancelled, AT, AT])


def _case(feed: str, messages: tuple[bytes, ...], says: tuple[str, ...], unknown: bytes, silent: tuple[bytes, ...] = ()) -> Case:
    said = tuple(("douyin:900001:A1", status) for status in says)
    return Case("kingdee", SHOP, unsigned, messages, said, unknown, "X", b"{}", False, silent=silent, pulled_feed=feed)


CASES = (
    _case(
        "orders",
        (order("B"), order("C"), order("C", cancelled="B"), order("C", "B")),
        ("PaymentConfirmed", "Approved", "Cancelled", "Closed"),
        order("X"),
        (order("C", order_id=""),),
    ),
    _case("outstocks", (outstock("A"), outstock("C"), outstock("C", "B")), ("Allocated", "Shipped", "OnHold"), outstock("X")),
    _case(
        "returns",
        (returned("C"), returned("C", number="XSTHD000002")),
        ("Restored", "Restored"),
        returned("X"),
        (returned("B"), returned("C", "B")),
    ),
)
