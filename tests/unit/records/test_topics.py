"""Topics that do not fit the tasks are refused at start; a task that does not fit itself, when it is made."""

from typing import Any

import pytest

from streams.records import Context, Output, Record, SinkTask, Task
from streams.records.step import TopicError
from streams.records.topics import Topic, check


def fold(state: dict[str, int] | None, record: Record, ctx: Context) -> tuple[None, list[Output]]:
    """Nothing."""
    return None, []


def bury(record: Record, reason: str, detail: str, digest: str, ctx: Context) -> Output:
    """The dead letter."""
    return Output("dead", record.key, record.value)


async def write(records: list[Any]) -> None:
    """Nowhere."""


def _task(**changes: Any) -> Task:
    settings: dict[str, Any] = {
        "name": "t", "sources": ("in",), "fold": fold, "outputs": frozenset({"out", "dead"}), "bury": bury,
        "state": dict, "changelog": "log",
    }  # fmt: skip
    return Task(**(settings | changes))


def _topics(**partitions: int) -> dict[str, Topic]:
    return {name: Topic("id", count, 1 << 20) for name, count in partitions.items()}


def test_fitting_topics_pass() -> None:
    """Equal numbers of partitions where they have to be equal, and every topic there."""
    check([_task(), SinkTask("s", ("out",), write)], _topics(**{"in": 4, "out": 2, "dead": 1, "log": 4}))


def test_missing_topics_are_all_named() -> None:
    """Every missing topic is in the message, so that nobody has to start three times."""
    with pytest.raises(TopicError, match=r"topic dead does not exist.*topic log does not exist"):
        check([_task()], _topics(**{"in": 4, "out": 4}))


def test_changelog_needs_the_partitions_of_its_source() -> None:
    """A changelog with another number of partitions would mix states up."""
    with pytest.raises(TopicError, match="topic log has 3 partitions, in has 4"):
        check([_task()], _topics(**{"in": 4, "out": 4, "dead": 4, "log": 3}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"changelog": None}, "a state needs a changelog"),
        ({"sources": ("a", "b")}, "a stateful task has one source"),
        ({"due": lambda _: None}, "due and on_due need each other"),
        ({"witness": "elsewhere"}, "its witness elsewhere is not among its outputs"),
        ({"state": None, "changelog": None, "feeds": frozenset({"f"})}, "need a state"),
    ],
)
def test_a_task_that_cannot_work_is_refused(changes: dict[str, Any], reason: str) -> None:
    """A declaration that contradicts itself says so when it is made."""
    with pytest.raises(ValueError, match=reason):
        _task(**changes)


def test_a_changed_number_of_partitions_is_refused() -> None:
    """A topic with another number of partitions than configured is named, with both numbers and what to do."""
    topics = _topics(**{"in": 6, "out": 4, "dead": 4, "log": 6})
    check([_task()], topics)
    with pytest.raises(TopicError, match=r"^topic in has 6 partitions, 4 are configured.*begin a new installation"):
        check([_task()], topics, {"in": 4, "out": 4, "of another role": 4})
