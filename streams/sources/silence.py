"""Whether a source has been silent for too long, judged by how far its raw topic was read. Pure."""

from schemas.records import Alert
from streams.policy import SECOND, Policy
from streams.sources import alerts, rhythm
from streams.sources.state import Source


def judge(source: Source, since: int, read_to: int, policy: Policy) -> list[Alert]:
    """What there is to say of a silence up to `read_to`; only time that was listened to without a break counts.

    After a downtime nothing can be said of the time before `since`: who pushed then, pushes again.
    """
    if source.silent_since is not None:
        return []
    rule, begin = policy.silence.rule(source.source), max(source.last_at, since)
    if not _too_long(source, rule, begin, read_to, policy):
        return []
    source.silent_since = source.last_at
    return [alerts.silent(source, begin, read_to, rule)]


def _too_long(source: Source, rule: int | str, begin: int, read_to: int, policy: Policy) -> bool:
    quiet = read_to - begin
    if isinstance(rule, int):
        return quiet > max(rule, SECOND)
    if rule != "learned" or quiet < policy.silence.least:
        return False
    return rhythm.expected(source, begin, read_to, policy.silence) >= policy.silence.expected


def back(source: Source, at: int) -> list[Alert]:
    """The source has spoken again, at `at`."""
    if source.silent_since is None or at <= source.silent_since:
        return []
    since, source.silent_since = source.silent_since, None
    return [alerts.back(source, since, at)]
