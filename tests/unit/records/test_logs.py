"""The same thing is said once a minute."""

import logging

from streams.records.logs import Repeats


def _said(repeats: Repeats, text: str) -> str | None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, text, (), None)
    return record.getMessage() if repeats.filter(record) else None


def test_repeats_are_counted_and_left_out() -> None:
    """A repeated message passes once per period, and then says how many were left out; another passes at once."""
    now = 0.0
    repeats = Repeats(60.0, lambda: now)
    assert _said(repeats, "away") == "away"
    assert [_said(repeats, "away") for _ in range(100)] == [None] * 100
    assert _said(repeats, "other") == "other"
    now = 61.0
    assert _said(repeats, "away") == "away (and 100 times more since it was last said)"
    now = 122.0
    assert _said(repeats, "away") == "away"


def test_memory_is_bounded() -> None:
    """Messages that are all different do not fill the memory."""
    repeats = Repeats(60.0, lambda: 0.0)
    for number in range(5 * Repeats.MOST):
        _said(repeats, f"message {number}")
    assert len(repeats._said) <= Repeats.MOST
