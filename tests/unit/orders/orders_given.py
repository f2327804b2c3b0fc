"""Facts about one order in few words, and a fold to tell them to. Times are minutes after `BEGIN`."""

from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.records import AuditRecord, Conflict, Jump, Observation, ParcelRef, PoolRecord
from streams.orders.fold import Orders, Surroundings
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.orders.status import state_of
from streams.policy import MINUTE, Policy

BEGIN = 1_800_000_000_000
KEY = "web:s1:A1"
LINKS = {"web:s1": {"erp": "erp", "wms": "wms"}}
KINDS = {"web": "channel", "erp": "system", "wms": "system"}
T = TypeVar("T")


def ms(minutes: float) -> int:
    """Minutes after BEGIN as a time of records."""
    return BEGIN + round(minutes * MINUTE)


def fact(source: str, status: str, at: float, received: float | None = None, **more: Any) -> Observation:
    """What a source says of the order at a minute, received in that minute unless said otherwise."""
    kind = KINDS.get(source, "courier")
    if parcels := more.pop("names", None):
        more["parcels"] = [ParcelRef(courier="zto", tracking_no=number) for number in parcels]
    return Observation(
        **{
            "event_id": f"{source}/{status}/{at}/{more.get('case_id') or more.get('parcel_key', '')}",
            "source": source,
            "source_kind": kind,
            "order_key": KEY,
            "channel": "web",
            "shop_id": "s1",
            "order_id": "A1",
            "axis": "fulfilment",
            "status": status,
            "occurred_at": ms(at),
            "received_at": ms(at if received is None else received),
            **more,
        }
    )


def refund(status: str, at: float, received: float | None = None, **more: Any) -> Observation:
    """What the channel says of a refund case."""
    more = {"case_id": "r1", "aftersale_kind": "refund_only", **more}
    return fact("web", status, at, received, axis="aftersale", **more)


def node(number: str, status: str, at: float, courier: str = "zto") -> Observation:
    """What a parcel says of the order."""
    return fact(courier, status, at, derived=True, parcel_key=f"{courier}:{number}")


class Play:
    """One order under a policy, and all that was found about it."""

    def __init__(self, *facts: Observation, rules: str = "", links: Mapping[str, Any] = LINKS, **policy: Any) -> None:
        self.orders = Orders(Policy(links=links, **policy), RuleSet.parse(rules))
        self.state: Order | None = None
        self.found: list[Any] = []
        self.tell(*facts)

    @property
    def order(self) -> Order:
        """The order, which must be known."""
        assert self.state is not None
        return self.state

    def tell(self, *facts: Observation, shut: bool = False) -> "Play":
        """Fold facts, with the channel's gate shut or open."""
        for one in facts:
            self.state, found = self.orders.fold(self.state, one, Surroundings(shut=shut))
            self.found += [*found, state_of(self.state)]
        return self

    def judge(self, until: float) -> "Play":
        """All that was received before this minute has been read."""
        self.state, found = self.orders.judge(self.order, ms(until))
        self.found += found
        return self

    def all(self, kind: type[T]) -> list[T]:
        """What was found of one kind of record."""
        return [one for one in self.found if isinstance(one, kind)]

    @property
    def dispositions(self) -> list[str]:
        """Of the audited facts."""
        return [one.disposition for one in self.all(AuditRecord)]

    @property
    def jumps(self) -> list[str]:
        """Kinds of the jumps found."""
        return [one.kind for one in self.all(Jump)]

    @property
    def pool(self) -> list[str]:
        """Actions told to the pool."""
        return [one.action for one in self.all(PoolRecord)]

    @property
    def conflicts(self) -> list[tuple[str, str, float]]:
        """(kind, opened or resolved, the minute of it) of each conflict record."""
        found = [(one.kind, one.state, one.resolved_at or one.opened_at) for one in self.all(Conflict)]
        return [(kind, state, (at - BEGIN) / MINUTE) for kind, state, at in found]
