"""`lockstep dead`: how times are written, and what must be said."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from ops.commands.dead import app, moment
from ops.usage import UsageError


def test_times_have_an_offset_or_are_an_age() -> None:
    """A time as it is written in ISO 8601, or so long before now; nothing is nothing."""
    assert moment("2026-11-22T10:00+08:00") == datetime(2026, 11, 22, 2, tzinfo=UTC)
    assert moment(None) is None
    age = moment("1h30m")
    assert age is not None
    assert timedelta(minutes=90) <= datetime.now(UTC) - age < timedelta(minutes=91)


@pytest.mark.parametrize("said", ["yesterday", "2026-11-22T10:00", "", "9" * 400 + "d", "-1h"])
def test_other_times_are_a_usage_error(said: str) -> None:
    """Which one and how it is written."""
    with pytest.raises(UsageError, match=r"neither a time|no offset"):
        moment(said)


def test_a_replay_of_everything_must_be_meant() -> None:
    """Without events or a filter nothing is sent."""
    done = CliRunner().invoke(app, ["replay"])
    assert isinstance(done.exception, UsageError)
    assert "say which letters" in str(done.exception)
