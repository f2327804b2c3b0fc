"""A dead letter that is sent through again, on the test driver: applied once, or the same letter."""

import json

import pytest

from connectors.registry import decoders
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import AuditRecord, DeadLetter, OrderState, RawEvent
from streams import wire
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.policy import Policy
from streams.records.driver import Driver

RAW = topics.raw_order("web")
START = 1_795_312_800.0
SETTINGS = StreamSettings(kafka="127.0.0.1:9", channels=("web",), policy=Policy(), rules=RuleSet())


def replay(run: Driver, status: str, times: int, headers: dict[str, str] | None = None) -> None:
    """The raw event of a letter, so many times, as `lockstep dead replay` writes it."""
    body = {"event_id": "e1", "order_id": "A1", "status": status, "occurred_at": "2026-11-22T10:00:00+08:00"}
    event = RawEvent(
        event_id="e1",
        source="web",
        connector="generic",
        kind="channel",
        shop="s1",
        received_at=int(START * 1000),
        verified=True,
        headers=headers or {},
        payload=json.dumps(body).encode(),
    )
    known = [*cloudevent("RawEvent", "e1", "web", "web:s1:A1", event.received_at), (wire.REPLAY, f"{RAW}/0/7".encode())]
    for _ in range(times):
        run.send(RAW, b"web:s1:A1", codec.encode(event), event.received_at, known)


@pytest.mark.parametrize("crashing", [False, True])
def test_a_letter_that_is_replayed_three_times_is_applied_once(*, crashing: bool) -> None:
    """One audit record and one release, two duplicates, and no letter: also when it is killed on its way."""
    effects = iter([False] * 6 + [True])
    run = Driver(tasks(SETTINGS, decoders()), clock=START, crash=(lambda _: next(effects, False)) if crashing else None)
    replay(run, "PaymentConfirmed", 3)
    run.run()
    assert run.crashes == crashing
    assert {(one.seq, one.disposition) for one in (wire.decode(record, AuditRecord) for record in run.read(topics.ORDER_AUDIT))} == {
        (1, "change")
    }
    newest = max((wire.decode(record, OrderState) for record in run.read(topics.ORDER_STATE)), key=lambda state: state.version)
    assert [(source.observations, source.duplicates) for source in newest.sources] == [(1, 2)]
    assert run.read(topics.DEAD) == []


def test_a_letter_that_fails_again_names_the_first_one() -> None:
    """So that the tables count it once; what else the envelope had stays."""
    run = Driver(tasks(SETTINGS, decoders()), clock=START)
    replay(run, "Teleported", 1, {"content-type": "application/json"})
    run.run()
    (letter,) = (wire.decode(record, DeadLetter) for record in run.read(topics.DEAD))
    assert letter.headers == {"content-type": "application/json", wire.REPLAY: f"{RAW}/0/7"}
    assert (letter.reason, letter.origin_offset) == ("unmapped_status", 0)
