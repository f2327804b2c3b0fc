"""What every platform has in common: how to write to it, and what its answers mean.

All of them answer HTTP 200 on most errors; the truth is `errcode` in the body. What a code means is data: see each platform's table.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from sinks.alerts.config import Target

UNLIMITED: Final = 1_000_000


class Action(Enum):
    """What to do after an answer."""

    SENT = "sent"
    AGAIN = "again"  # the platform is away or busy: its other messages wait too
    SLOW = "slow"  # too fast: wait as long as it says, or a minute
    MISCONFIGURED = "misconfigured"  # nothing will pass until a person repairs the configuration
    REFUSED = "refused"  # this message will never pass, others may
    UNSURE = "unsure"  # a code that no table knows: this message is tried a few more times


@dataclass(frozen=True)
class Request:
    """One HTTP POST. The address holds the token and is never logged."""

    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=utf-8"}, repr=False)


@dataclass(frozen=True)
class Answer:
    """What an answer means, and what the platform said, for the operator."""

    action: Action
    said: str = ""
    wait: float | None = None  # seconds that the platform asks for


@dataclass(frozen=True)
class Message:
    """What is sent: one alert, or a digest of several. `parcel_key` and `customer_id` are of a single alert."""

    message_id: str
    text: str
    parcel_key: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True)
class Platform:
    """One kind of target. `encode(target, message, now)` makes the request; `codes` says what its errcodes mean."""

    name: str
    encode: Callable[[Any, Message, float], Request]
    codes: Mapping[int, Action]
    max_bytes: int  # of the request's body, or of the text, as `size` measures
    size: Callable[[str], int]
    per_minute: int = UNLIMITED
    digests: bool = True

    def judge(self, status: int, body: bytes) -> Answer:
        """What the answer means."""
        if status == 429:
            return Answer(Action.SLOW, "HTTP 429")
        if status >= 500 or status in {408, 425}:
            return Answer(Action.AGAIN, f"HTTP {status}")
        code, said, wait = _read(body)
        if status >= 300:
            return Answer(Action.MISCONFIGURED, f"HTTP {status} {said}".strip())
        if code is None:
            return Answer(Action.UNSURE, f"HTTP {status} without an errcode")
        action = self.codes.get(code, Action.UNSURE)
        return Answer(action, "" if action is Action.SENT else f"errcode {code}: {said}", wait)


def without_secrets(text: str, target: Target) -> str:
    """The text with every secret of the target struck out, before anyone sees it."""
    for secret in (getattr(target, "token", ""), target.secret):
        if secret:
            text = text.replace(secret, "***")
    return text[:500]


def _read(body: bytes) -> tuple[int | None, str, float | None]:
    try:
        value = json.loads(body)
        code = int(value["errcode"])
    except (ValueError, KeyError, TypeError):
        return None, "", None
    wait = value.get("wait")
    return code, str(value.get("errmsg", "")), float(wait) if isinstance(wait, int | float) and wait > 0 else None


def json_body(value: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON without escapes: a Chinese character is 3 bytes, not 6."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
