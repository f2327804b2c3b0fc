"""Trace context at the edge."""

import pytest

from schemas.tracing import continued

SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_senders_trace_is_continued() -> None:
    """A valid traceparent comes back as it was sent."""
    assert continued(SENT) == SENT.encode()


@pytest.mark.parametrize(
    "bad", [None, "", "x", SENT[:-1], SENT.replace("0af7", "0ag7"), "00-" + "0" * 32 + "-b7ad6b7169203331-01", "é" * 55]
)
def test_what_is_no_trace_is_not_handed_on(bad: str | None) -> None:
    """Absent, cut, all-zero and non-ASCII values are as none."""
    assert continued(bad) is None
