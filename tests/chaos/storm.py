"""Conflicts around midnight, on the stream role's own tasks and a virtual clock."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas import codec, topics
from schemas.records import ChannelControl, Conflict
from tests.unit.streams.test_stream_role import START, Merchant

MIDNIGHT = datetime(2026, 11, 25, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()


@dataclass
class Found:
    """What the storm brought about."""

    before_midnight: int = 0  # pauses after 15 conflicts
    after_midnight: int = 0  # pauses after 15 more on the next day
    pauses: list[tuple[str, int]] = field(default_factory=list)  # channel, and the conflict of its day at which it paused
    conflicts: int = 0


def storm(*, restart: bool) -> Found:
    """15 conflicts just before midnight, 15 just after it, then the 16th; then the next midnight."""
    merchant, found = Merchant(), Found()
    merchant.settle(MIDNIGHT - START - 120)
    for n in range(15):
        _clash(merchant, f"B{n}", restart=restart)
    found.before_midnight = len(_pauses(merchant))
    merchant.settle(180)
    for n in range(15):
        _clash(merchant, f"A{n}", restart=restart)
    found.after_midnight = len(_pauses(merchant))
    _clash(merchant, "A15", restart=restart)
    found.conflicts = len({one.conflict_id for one in merchant.said(topics.ORDER_CONFLICT, Conflict)})
    _clash(merchant, "A16", restart=restart)
    merchant.settle(86_400)
    if restart:
        merchant.run.restart()
        merchant.settle()
    merchant.paid("late")
    merchant.settle()
    assert merchant.pool("late") == ["hold"], "a pause survives a restart and midnight"
    found.pauses = [(one.channel, found.conflicts - 15) for one in _pauses(merchant)]
    return found


def _clash(merchant: Merchant, order: str, *, restart: bool) -> None:
    merchant.clash(order)
    merchant.settle()
    if restart:
        merchant.run.restart()


def _pauses(merchant: Merchant) -> list[ChannelControl]:
    told = [codec.decode(record.value, ChannelControl) for record in merchant.run.read(topics.CHANNEL_CONTROL) if record.value]
    return [one for one in {(one.channel, one.seq): one for one in told}.values() if one.action == "pause"]
