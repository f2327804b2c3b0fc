"""Durations, hours and references to secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.config.values import UNITS, duration, hours, secret


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("30s", 30_000),
        ("10m", 600_000),
        ("2h", 7_200_000),
        ("1d", 86_400_000),
        ("500ms", 500),
        ("1h30m", 5_400_000),
        ("1.5h", 5_400_000),
        (90, 90_000),
        (0.5, 500),
        (0, 0),
    ],
)
def test_durations_are_milliseconds(text: object, ms: int) -> None:
    """Units are days to milliseconds; a bare number is seconds."""
    assert duration(text) == ms


@pytest.mark.parametrize("text", ["", "10", "10 minutes", "-5s", "5x", "m", None, True, -1, [], "1h-30m"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    """A number in text without a unit, a sign or a word is no duration."""
    with pytest.raises(ValueError, match="no duration"):
        duration(text)


@given(st.integers(0, 10_000), st.sampled_from(sorted(UNITS)))
def test_every_whole_duration_is_exact(number: int, unit: str) -> None:
    """No rounding error creeps in."""
    assert duration(f"{number}{unit}") == number * UNITS[unit]


def test_hours_are_minutes_of_the_day() -> None:
    """22:00-08:00 spans midnight; off is none."""
    assert hours("22:00-08:00") == (1320, 480)
    assert hours("off") is None
    assert hours(False) is None
    for wrong in ("24:00-08:00", "22-8", "22:60-01:00", 5):
        with pytest.raises(ValueError, match="no hours"):
            hours(wrong)


@pytest.mark.parametrize("text", ["hunter2", "plain:", "env:", "vault:x", "", None, 5])
def test_a_bare_literal_is_no_secret(text: object) -> None:
    """Only references are taken, and the error does not repeat what was written."""
    with pytest.raises(ValueError, match="reference") as caught:
        secret(text)
    assert "hunter2" not in str(caught.value)


def test_a_literal_is_not_shown() -> None:
    """Its representation names the scheme only; what follows the first colon is the secret, colons and all."""
    assert "a:b" not in repr(secret("plain:a:b"))
    assert secret("plain:a:b").resolve({}) == "a:b"
