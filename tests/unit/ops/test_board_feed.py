"""The event stream's bounds, and questions read within theirs; no server."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from ops.board import asked, events
from ops.board.asked import Refused, next_cursor
from ops.board.events import Feed
from ops.board.guard import authorise
from ops.board.keys import SETTINGS, BoardSettings
from ops.config import Kafka
from sinks.postgres.database import Database

AT = datetime(2026, 11, 22, 2, 0, 0, 123456, tzinfo=UTC)
BOARD = BoardSettings("127.0.0.1", 0, Kafka("127.0.0.1:9"), "", ("web",), "t0ken")


def _request(path: str, **headers: str) -> web.Request:
    app = web.Application()
    app[SETTINGS] = BOARD
    return make_mocked_request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}, app=app)


def _feed() -> Feed:
    return Feed(Database(""), Mock())


def test_a_slow_listener_is_sent_away_and_the_others_stay() -> None:
    """Whoever lets QUEUE events wait gets its end as the last thing; others hear everything."""
    feed = _feed()
    with feed.listen() as slow, feed.listen() as quick:
        for number in range(events.QUEUE + 5):
            feed._hand_out("alert", {"n": number})
            quick.get_nowait()
        heard = [slow.get_nowait() for _ in range(slow.qsize())]
        assert heard[-1] is None
        assert None not in heard[:-1]
        assert len(heard) == events.QUEUE + 1


def test_no_more_listeners_than_are_agreed() -> None:
    """One too many is refused with 503, and has a place again when another goes."""
    feed = _feed()
    open_streams = [feed.listen() for _ in range(events.MAX_LISTENERS)]
    for stream in open_streams:
        stream.__enter__()
    with pytest.raises(Refused) as refused, feed.listen():
        pass
    assert refused.value.status == 503
    open_streams.pop().__exit__(None, None, None)
    with feed.listen():
        pass
    for stream in open_streams:
        stream.__exit__(None, None, None)


def test_only_what_changed_is_told_to_whoever_watches_it() -> None:
    """The first look tells nothing; a higher version is told once, to its watchers alone."""
    feed = _feed()
    with feed.listen(frozenset({"a", "b"})) as watching, feed.listen() as other:
        for version in (1, 1, 2, 2):
            feed._tell_watchers({"a": version, "b": 7})
        assert watching.qsize() == 1
        assert '"key": "a"' in str(watching.get_nowait())
        assert other.empty()


def test_counts_are_told_when_they_change_and_to_newcomers() -> None:
    """The time of counting alone is no change."""
    feed = _feed()
    with feed.listen() as first:
        for counts in ({"at": "1", "n": 1}, {"at": "2", "n": 1}, {"at": "3", "n": 2}):
            feed._tell_counts(counts)
        assert first.qsize() == 2
        with feed.listen() as late:
            feed._tell_counts({"at": "4", "n": 2})
            assert (first.qsize(), late.qsize()) == (2, 1)


def test_a_cursor_comes_back_as_what_it_was() -> None:
    """What a page ends with is what the next one begins after, to the microsecond; the last page has none."""
    rows = [{"at": AT, "key": "渠道:a/b", "n": 1 << 40}, {"at": AT, "key": "x", "n": 2}]
    page, following = next_cursor(rows, 1, ("at", "key", "n"))
    assert page == rows[:1]
    request = _request(f"/?before={following}")
    assert asked.cursor(request, "before", (datetime, str, int)) == (AT, "渠道:a/b", 1 << 40)
    assert next_cursor(rows, 2, ("at",)) == (rows, None)


@pytest.mark.parametrize("made", ["", "x", "W10", "WzFd", "WyJhIl0=", "W3RydWVd", "WyIyMDI2LTEzLTAxIl0=", "W1tbW1tbW1tdXV1dXV1dXQ=="])
def test_a_cursor_of_somebody_else_is_refused(made: str) -> None:
    """Another shape, another kind, a day that is none: 400, never an error of ours; none at all is the first page."""
    request = _request(f"/?before={made}")
    if made:
        with pytest.raises(Refused):
            asked.cursor(request, "before", (datetime,))
    else:
        assert asked.cursor(request, "before", (datetime,)) == (None,)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer t0ken"}, None),
        ({"Authorization": "bearer  t0ken "}, None),
        ({"Authorization": "Bearer t0ken", "Origin": "http://127.0.0.1:80", "Host": "127.0.0.1:80"}, None),
        ({"Authorization": "Bearer t0ken", "Origin": "http://127.0.0.1:81", "Host": "127.0.0.1:80"}, 403),
        ({"Authorization": "Bearer t0ken", "Origin": "http://[", "Host": "127.0.0.1:80"}, 403),
        ({"Authorization": "Bearer t0ken2"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({}, 401),
    ],
)
def test_who_may_act(headers: dict[str, Any], status: int | None) -> None:
    """The token in its header, and no word of another origin."""
    request = _request("/api/x", **headers)
    if status is None:
        authorise(request)
    else:
        with pytest.raises(Refused) as refused:
            authorise(request)
        assert refused.value.status == status
