"""What the tests of the sources stage share: a merchant's sources on the test driver."""

import json
from datetime import UTC, datetime
from typing import Any

from connectors.registry import decoders
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.pulses import SEQUENCE
from schemas.records import Alert, RawEvent
from streams import wire
from streams.normalise import agent as normalise
from streams.policy import Policy
from streams.records.driver import Driver
from streams.sources import agent

START = 1_795_312_800.0  # 2026-11-22 10:00 in Shanghai
RAW = topics.raw_order("web")


class Sources:
    """Facts of `web` (a channel) and `erp` (a system) through normalise and the sources stage."""

    def __init__(self, policy: Policy, partitions: int = 2, **options: Any) -> None:
        tasks = [normalise.task(topic, decoders(), policy) for topic in (RAW, topics.RAW_SYSTEM)]
        self.run = Driver([*tasks, agent.task(policy, partitions)], partitions=partitions, clock=START, **options)
        self.number = 0

    def push(
        self, source: str = "web", *, good: bool = True, sequence: int | None = None, header: str | None = None, ago: float = 0.0
    ) -> None:
        """One fact, received `ago` seconds before it is written; a bad one has a status that nobody knows."""
        self.number += 1
        said = header if sequence is None else f"{sequence} {source}"
        kind = "channel" if source == "web" else "system"
        order, at = f"A{self.number}", datetime.fromtimestamp(self.run.clock - ago, UTC).isoformat()
        body = {"event_id": f"e{self.number}", "order_id": order, "channel": "web", "shop_id": "s1", "occurred_at": at}
        body["status"] = "PaymentConfirmed" if good else "Teleported"
        key, received_at = f"web:s1:{order}", int((self.run.clock - ago) * 1000)
        event = RawEvent(
            event_id=f"e{self.number}",
            source=source,
            connector="generic",
            kind=kind,
            shop="s1",
            received_at=received_at,
            verified=True,
            headers={} if said is None else {SEQUENCE: said},
            payload=json.dumps(body).encode(),
        )
        topic = RAW if kind == "channel" else topics.RAW_SYSTEM
        headers = cloudevent("RawEvent", event.event_id, source, key, received_at)
        self.run.send(topic, key.encode(), codec.encode(event), int(self.run.clock * 1000), headers)

    def settle(self, seconds: float = 1.0) -> None:
        """Let everything be read, and some time pass: in steps that no reader could be missed in."""
        self.run.run()
        while seconds > 0:
            self.run.advance(min(seconds, 60.0))
            seconds -= 60.0
        self.run.run()

    def said(self, kind: str) -> list[Alert]:
        """Alerts of a kind, each once, in order."""
        found: dict[str, Alert] = {}
        for record in self.run.read(topics.ALERT):
            alert = wire.decode(record, Alert)
            if alert.kind == kind:
                found.setdefault(alert.alert_key, alert)
        return list(found.values())

    def states(self, kind: str) -> list[str]:
        """What was said: `alert` or its state (`back`, `well`)."""
        return [alert.params.get("state", "alert") for alert in self.said(kind)]
