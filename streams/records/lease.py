"""How long the group surely counts us as its member: no write leaves later than that.

The broker refuses a woken zombie by its producer's epoch, as long as it remembers the transactional id. It forgets ids that
nobody used for `transactional.id.expiration.ms` (a week, unless configured), and then the next owner's id has another producer
behind it, which shuts nobody out. So a writer asks before every request: a process that was stopped for longer than its session
sends nothing until the group has taken it in again, and by then its old writers are closed.
"""

import asyncio
import time
from typing import Any, Final

from aiokafka.errors import KafkaConnectionError, NoError, RebalanceInProgressError
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while a machine sleeps, where there is such a clock
MEMBER: Final = frozenset({NoError.errno, RebalanceInProgressError.errno})  # answers by which the coordinator counts us in


def _now() -> float:
    return time.clock_gettime(CLOCK)


class Lease:
    """Renewed by every heartbeat that is answered, counted from when it was asked. Seconds."""

    WAIT = 0.05

    def __init__(self, session: float) -> None:
        """`session`: after which the coordinator gives our partitions away."""
        self._session, self._until = session, 0.0

    @property
    def held(self) -> bool:
        """Whether nobody else can own what we own."""
        return _now() < self._until

    def watch(self, client: Any) -> None:
        """Renew with what this consumer's client hears of its coordinator. Its thread may be another."""
        plain = client.send

        async def send(node_id: Any, request: Any, **options: Any) -> Any:
            asked = _now()
            answer = await plain(node_id, request, **options)
            if isinstance(request, HeartbeatRequest | SyncGroupRequest) and answer.error_code in MEMBER:
                self._until = max(self._until, asked + self._session)
            return answer

        client.send = send


class Gate:
    """Stands before a producer's client: nothing passes without the lease, and nothing at all once it is shut."""

    def __init__(self, lease: Lease | None, client: Any) -> None:
        self.shut = False
        self._lease, self._plain = lease, client.send
        client.send = self._send

    async def _send(self, node_id: Any, request: Any, **options: Any) -> Any:
        while not self.shut and self._lease is not None and not self._lease.held:  # noqa: ASYNC110 (another thread renews it)
            await asyncio.sleep(Lease.WAIT)
        if self.shut:
            raise KafkaConnectionError("this producer is closed: its partition may be another worker's")
        return await self._plain(node_id, request, **options)
