"""The alert that records were deleted from a topic before one of us had read them."""

from schemas.records import Alert


def records_lost(task: str, topic: str, partition: int, first: int, count: int, *, at: int) -> Alert:
    """Name the gap, from its first offset on. Its key says where it begins, so that it is said once; `at` in ms."""
    return Alert(
        alert_key=f"records_lost:{task}:{topic}:{partition}:{first}",
        kind="records_lost",
        severity="critical",
        at=at,
        params={
            "task": task,
            "topic": topic,
            "partition": str(partition),
            "first": str(first),
            "last": str(first + count - 1),
            "count": str(count),
        },
    )
