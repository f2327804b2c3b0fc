"""Who said what and when: the ids and the evidence of conflicts, for machines and for people. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from schemas.headers import utc
from schemas.records import Alert, ChannelFinding, Conflict
from schemas.status import label
from streams.days import shanghai_clock
from streams.orders.state import Order, Said


@dataclass(frozen=True)
class Proof:
    """What a conflict rests on: statements, and the sources that should have spoken."""

    said: list[Said]
    silent: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> str:
        """For machines."""
        statements = [
            {"source": one.source, "status": one.status, "occurred_at": utc(one.at), "received_at": utc(one.received)} for one in self.said
        ]
        return json.dumps({"said": statements, "silent": list(self.silent), **self.extra}, ensure_ascii=False, separators=(",", ":"))

    def sentence(self) -> str:
        """For people, in one line: `web：已付款（11-22 10:00）；erp：未响应`."""
        spoken = [f"{one.source}：{label(one.status)}（{shanghai_clock(one.at)}）" for one in self.said]
        return "；".join(spoken + [f"{name}：未响应" for name in self.silent])


def conflict_id(order_key: str, kind: str, system: str = "") -> str:
    """The stable id of a conflict: one per order and kind, of a contradiction per system too."""
    return sha256(f"{order_key}\n{kind}\n{system}".encode()).hexdigest()[:32]


def opened(order: Order, kind: str, at: int, proof: Proof, *, system: str = "", due: int | None = None) -> list[Any]:
    """The records of a conflict's opening: for the topic, for the channel's count, for people."""
    found, text = conflict_id(order.key, kind, system), proof.json()
    params = {"kind": kind, "evidence": proof.sentence()} | ({"due_at": str(due)} if due else {})
    return [
        Conflict(
            conflict_id=found,
            order_key=order.key,
            channel=order.channel,
            kind=kind,
            state="opened",
            opened_at=at,
            due_at=due,
            evidence=text,
        ),
        ChannelFinding(
            finding_id=f"conflict:{found}",
            channel=order.channel,
            kind="conflict",
            at=at,
            order_key=order.key,
            detail=text,
        ),
        Alert(
            alert_key=f"conflict_opened:{found}",
            kind="conflict_opened",
            severity="warning",
            at=at,
            channel=order.channel,
            order_key=order.key,
            customer_id=order.customer_id,
            params=params,
        ),
    ]


def resolved(order: Order, kind: str, times: tuple[int, int], text: str, *, system: str = "", due: int | None = None) -> Conflict:
    """The record of a conflict's end. `times`: when it was opened and when the last word came; `text`: its evidence."""
    return Conflict(
        conflict_id=conflict_id(order.key, kind, system),
        order_key=order.key,
        channel=order.channel,
        kind=kind,
        state="resolved",
        opened_at=times[0],
        resolved_at=max(times),
        due_at=due,
        evidence=text,
    )
