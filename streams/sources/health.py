"""Whether a source sends too much that cannot be used: limits by ratio and by run, with hysteresis. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from schemas.pulses import SourcePulse
from schemas.records import Alert
from streams.policy import DeadLetters, Policy
from streams.sources import alerts
from streams.sources.state import Sick, Slot, Source

SLOTS: Final = 10  # of a window
GOOD: Final = 10  # usable facts without which nobody is well again


def take(source: Source, pulse: SourcePulse, policy: Policy) -> list[Alert]:
    """Count a pulse that was not counted before; what there is to say, if anything."""
    if not pulse.total:
        return []
    limits = policy.dead_letters
    _count(source, pulse, limits)
    total, dead = _window(source)
    share = sum(dead.values()) / total if total else 0.0
    alone = pulse.run >= limits.consecutive
    if source.sick is None:
        if not alone and (total < limits.least or share <= limits.ratio):
            return []
        source.sick = Sick(pulse.at, pulse.at)
        return [alerts.sick(source, pulse, total, dead, limits)]
    sick = source.sick
    if alone or share > limits.ratio / 2:
        sick.breached_at, sick.good = max(sick.breached_at, pulse.at), 0
        return []
    sick.good += pulse.total - sum(pulse.dead.values())
    if pulse.at - sick.breached_at < limits.well_after or sick.good < GOOD:
        return []
    source.sick = None
    return [alerts.well(source, sick, pulse.at)]


def _count(source: Source, pulse: SourcePulse, limits: DeadLetters) -> None:
    number = pulse.at // max(1, limits.window // SLOTS)
    newest = max([number, *(slot.number for slot in source.slots)])
    if newest - number >= SLOTS and source.last_at <= pulse.at:
        newest = number  # slots of another width, or of a clock that was ahead
    kept = {slot.number: slot for slot in source.slots if newest - SLOTS < slot.number <= newest}
    if number > newest - SLOTS:
        slot = kept.setdefault(number, Slot(number))
        slot.total += pulse.total
        slot.dead = dict(Counter(slot.dead) + Counter(pulse.dead))
    source.slots = [kept[each] for each in sorted(kept)]


def _window(source: Source) -> tuple[int, Mapping[str, int]]:
    """(facts, dead letters by reason) of the window."""
    dead: Counter[str] = Counter()
    for slot in source.slots:
        dead.update(slot.dead)
    return sum(slot.total for slot in source.slots), dead
