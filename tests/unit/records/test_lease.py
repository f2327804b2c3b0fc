"""No write leaves later than the group counts us as its member."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

from streams.records import lease as module
from streams.records.lease import Gate, Lease


@dataclass
class _Answer:
    error_code: int


@dataclass
class _Client:
    """Answers every request with an error code, after some time has passed."""

    code: int = 0
    takes: float = 0.0
    clock: "_Clock | None" = None
    sent: list[Any] = field(default_factory=list)

    async def send(self, node_id: int, request: Any, **options: Any) -> _Answer:
        self.sent.append(request)
        if self.clock:
            self.clock.now += self.takes
        return _Answer(self.code)


@dataclass
class _Clock:
    now: float = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """A clock that the test moves."""
    made = _Clock()
    monkeypatch.setattr(module, "_now", lambda: made.now)
    return made


HEARTBEAT = HeartbeatRequest("g", 1, "m")
SYNC = SyncGroupRequest("g", 1, "m", None, [])


@pytest.mark.parametrize("request_", [HEARTBEAT, SYNC])
@pytest.mark.parametrize(("code", "held"), [(0, True), (27, True), (25, False), (22, False), (15, False)])
async def test_only_an_answer_that_counts_us_in_renews(clock: _Clock, request_: Any, code: int, held: bool) -> None:
    """NoError and RebalanceInProgress renew; unknown member, illegal generation and a missing coordinator do not."""
    lease, client = Lease(6.0), _Client(code)
    lease.watch(client)
    await client.send(1, request_)
    assert lease.held is held


async def test_a_lease_counts_from_the_question(clock: _Clock) -> None:
    """The coordinator may have counted from the moment we asked: a slow answer makes the lease no longer."""
    lease, client = Lease(6.0), _Client(takes=4.0, clock=clock)
    lease.watch(client)
    await client.send(1, HEARTBEAT)
    clock.now += 1.9
    assert lease.held
    clock.now += 0.2
    assert not lease.held


async def test_nothing_is_sent_without_the_lease(clock: _Clock) -> None:
    """A request waits as long as the lease is lost, and goes out when it is renewed."""
    lease, group, producer = Lease(6.0), _Client(), _Client()
    lease.watch(group)
    Gate(lease, producer)
    sending = asyncio.create_task(producer.send(1, "produce"))
    await asyncio.sleep(0.12)
    assert not producer.sent
    await group.send(1, HEARTBEAT)
    await asyncio.wait_for(sending, 2)
    assert producer.sent == ["produce"]


async def test_nothing_leaves_a_producer_that_is_shut(clock: _Clock) -> None:
    """What waits when the producer is let go never leaves, also when the lease comes back."""
    lease, group, producer = Lease(6.0), _Client(), _Client()
    lease.watch(group)
    gate = Gate(lease, producer)
    sending = asyncio.create_task(producer.send(1, "produce"))
    await asyncio.sleep(0.06)
    gate.shut = True
    await group.send(1, HEARTBEAT)
    with pytest.raises(KafkaConnectionError, match="another worker's"):
        await asyncio.wait_for(sending, 2)
    assert not producer.sent
