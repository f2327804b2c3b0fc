"""What is remembered of a channel. All of it is bounded: a state is written as often as a finding is read. Pure."""

from typing import Final

from msgspec import Struct, field

from schemas.records import ChannelFinding
from streams.days import shanghai_day

DAYS_KEPT: Final = 8  # a backlog of a weekend is still counted to its own days
IDS_KEPT: Final = 200  # finding ids told apart per day; a pause comes long before
COMMANDS_KEPT: Final = 100
NAMED: Final = 50  # findings and orders that a control record names


class Day(Struct):
    """One Shanghai day, since the last resume as far as conflicts go."""

    conflicts: int = 0
    ids: list[str] = field(default_factory=list)  # of the conflicts counted
    orders: list[str] = field(default_factory=list)
    paid: int = 0
    filtered: dict[str, int] = field(default_factory=dict)  # by rule
    read: dict[str, int] = field(default_factory=dict)  # `{kind}/{partition}` → the last origin offset counted
    told: list[str] = field(default_factory=list)  # ids of paid and filtered orders without an origin
    alerted: list[str] = field(default_factory=list)  # rules


class Channel(Struct):
    """One channel. `since` is when it came into its state; `resumed_at` of the last resume, 0 before the first."""

    channel: str
    seq: int = 0
    state: str = "open"  # open | paused | half_open
    reason: str = ""
    since: int = 0
    resumed_at: int = 0
    last_conflict_at: int = 0
    days: dict[str, Day] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)  # finding ids obeyed, newest last

    def day(self, at: int) -> Day:
        """The day that `at` falls into; the oldest days are forgotten."""
        name = shanghai_day(at)
        found = self.days.get(name)
        if found is None:
            found = self.days[name] = Day()
            for old in sorted(self.days)[:-DAYS_KEPT]:
                del self.days[old]
        return found


def counted_before(day: Day, finding: ChannelFinding) -> bool:
    """Whether this paid or filtered order has been counted; if not, it is from now on.

    Orders write their findings again after a crash, behind newer ones, but always in the order of what led to them.
    """
    place = f"{finding.kind}/{finding.origin_partition}"
    if finding.origin_offset < 0:  # a tick has led to it: told by its id
        known = finding.finding_id in day.told
        day.told = day.told if known else [*day.told, finding.finding_id][-IDS_KEPT:]
        return known
    if finding.origin_offset <= day.read.get(place, -1):
        return True
    day.read[place] = finding.origin_offset
    return False
