"""What is said of records that were deleted from a topic before a task had read them."""

from collections.abc import Callable

from schemas.lost import records_lost
from streams import wire
from streams.records import Lost, Output


def on_lost(task: str) -> Callable[[Lost, float], list[Output]]:
    """For `Task.on_lost`: an alert that names the gap. It is the gap's evidence, kept in the alerts' topic and table."""

    def say(lost: Lost, now: float) -> list[Output]:
        return [wire.alert(records_lost(task, lost.topic, lost.partition, lost.first, lost.count, at=round(now * 1000)))]

    return say
