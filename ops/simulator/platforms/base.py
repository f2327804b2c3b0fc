"""What one platform can do, and what several of them share."""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from ops.simulator.facts import Account, Request, Say

SHANGHAI: Final = timezone(timedelta(hours=8))
Write = Callable[[Account, Sequence[Say]], bytes]
Seal = Callable[[Account, bytes, int], Request]


@dataclass(frozen=True)
class Platform:
    """One platform: `write` puts facts into a body, `seal` signs a body at a time in seconds."""

    source: str
    per_push: int  # facts in one push, at most
    write: Write
    seal: Seal


def path(account: Account) -> str:
    """The address of one shop."""
    return f"/hooks/{account.source}/{account.shop}"


def compact(value: Any) -> str:
    """JSON without spaces, Chinese as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def seconds(at: int) -> int:
    """A time in ms as whole seconds."""
    return at // 1000


def local(at: int) -> str:
    """A time in ms as most Chinese platforms write it: `yyyy-MM-dd HH:mm:ss`, GMT+8."""
    return datetime.fromtimestamp(at // 1000, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def yuan(minor: int) -> str:
    """An amount in fen as yuan with two decimals."""
    return f"{minor // 100}.{minor % 100:02d}"


def md5_hex(data: str | bytes) -> str:
    """The digest that most of these platforms sign with."""
    return hashlib.md5(data.encode() if isinstance(data, str) else data, usedforsecurity=False).hexdigest()


def hmac_sha256(secret: str, data: bytes) -> str:
    """Lower hex."""
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
