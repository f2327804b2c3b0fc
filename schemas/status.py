"""Canonical statuses of the three axes, their ranks and Chinese labels. Source: semantics.md §2."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RANKS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "Created": 0,
        "PaymentPending": 10,
        "PaymentConfirmed": 20,
        "Approved": 30,
        "Allocated": 40,
        "Picking": 50,
        "Packed": 60,
        "PartiallyShipped": 65,
        "Shipped": 70,
        "PickedUp": 80,
        "InTransit": 90,
        "OutForDelivery": 100,
        "Signed": 110,
        "Completed": 120,
        # Terminal, above all ranks
        "Cancelled": 1000,
        "Closed": 1000,
    }
)
ON_HOLD: Final = "OnHold"  # a flag beside the ranks: a source's status without a rank of its own
ENDS: Final = frozenset({"Cancelled", "Closed"})
FINAL: Final = frozenset({"Cancelled", "Closed", "Completed"})
FULFILMENT: Final = frozenset(RANKS) | {ON_HOLD}

AFTERSALE: Final = frozenset(
    {
        "RefundRequested",
        "RefundApproved",
        "RefundRejected",
        "ReturnInTransit",
        "ReturnReceived",
        "Refunded",
        "RefundClosed",
    }
)
AFTERSALE_KINDS: Final = frozenset({"refund_only", "return_refund"})

STOCK: Final = frozenset({"Restored"})

PARCEL: Final = frozenset(
    {
        "LabelCreated",
        "PickedUp",
        "InTransit",
        "ArrivedAtHub",
        "CustomsHold",
        "CustomsCleared",
        "ArrivedAtStation",
        "OutForDelivery",
        "DeliveryAttemptFailed",
        "Held",
        "AwaitingPickup",
        "Signed",
        "SignedByProxy",
        "Rejected",
        "Returning",
        "Returned",
        "AddressChanged",
        "Damaged",
        "Lost",
        "Exception",
    }
)
MOVEMENTS: Final = frozenset(
    {
        "PickedUp",
        "InTransit",
        "ArrivedAtHub",
        "CustomsCleared",
        "ArrivedAtStation",
        "OutForDelivery",
        "DeliveryAttemptFailed",
        "AwaitingPickup",
        "Returning",
    }
)
WATCH_ENDS: Final = frozenset({"Signed", "SignedByProxy", "Returned", "Lost"})

# What a parcel's status says of its order's fulfilment; the rest say nothing.
SAYS_OF_ORDER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PickedUp": "PickedUp",
        "InTransit": "InTransit",
        "ArrivedAtHub": "InTransit",
        "CustomsCleared": "InTransit",
        "ArrivedAtStation": "InTransit",
        "OutForDelivery": "OutForDelivery",
        "Signed": "Signed",
        "SignedByProxy": "Signed",
    }
)

AXES: Final[Mapping[str, frozenset[str]]] = MappingProxyType({"fulfilment": FULFILMENT, "aftersale": AFTERSALE, "stock": STOCK})

LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Created": "已下单",
        "PaymentPending": "待付款",
        "PaymentConfirmed": "已付款",
        "Approved": "已审核",
        "Allocated": "已配货",
        "Picking": "拣货中",
        "Packed": "已打包",
        "PartiallyShipped": "部分发货",
        "Shipped": "已发货",
        "PickedUp": "已揽收",
        "InTransit": "运输中",
        "OutForDelivery": "派送中",
        "Signed": "已签收",
        "Completed": "已完成",
        "Cancelled": "已取消",
        "Closed": "已关闭",
        "OnHold": "已挂起",
        "RefundRequested": "申请退款",
        "RefundApproved": "同意退款",
        "RefundRejected": "拒绝退款",
        "ReturnInTransit": "退货在途",
        "ReturnReceived": "退货已收",
        "Refunded": "已退款",
        "RefundClosed": "退款关闭",
        "Restored": "库存已恢复",
        "LabelCreated": "已出面单",
        "ArrivedAtHub": "到达中转",
        "CustomsHold": "海关查验",
        "CustomsCleared": "海关放行",
        "ArrivedAtStation": "到达网点",
        "DeliveryAttemptFailed": "派送失败",
        "Held": "滞留",
        "AwaitingPickup": "待取件",
        "SignedByProxy": "代收签收",
        "Rejected": "拒收",
        "Returning": "退回中",
        "Returned": "已退回",
        "AddressChanged": "改址",
        "Damaged": "破损",
        "Lost": "丢失",
        "Exception": "异常",
    }
)


def label(status: str | None) -> str:
    """The Chinese name of a canonical status; the status itself where it has none."""
    return "—" if status is None else LABELS.get(status, status)
