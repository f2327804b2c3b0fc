"""What the conformance suite asks of a platform's side: a Case, and helpers that several platforms share.

A platform's own side stands in cases.py or in a module of its own in platforms/, which has CASES and VECTORS.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from connectors.base import Push
from connectors.config import Shop
from connectors.registry import CONNECTORS

NOW = 1_795_312_900.0  # seconds: 2026-11-22 10:01:40 in Shanghai
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
Seal = Callable[[Shop, Sequence[bytes], float], Push]


@dataclass(frozen=True)
class Case:
    """One connector under the suite. `messages` are single facts as the platform writes them."""

    name: str
    shop: Shop
    seal: Seal  # any number of messages in one push, signed at a time
    messages: tuple[bytes, ...]  # each states something
    says: tuple[tuple[str, str], ...]  # key and canonical status of each
    unknown: bytes  # a code that no table has
    code: str  # that code
    reply: bytes
    signs_time: bool
    many: bool = True  # one push may hold several messages
    silent: tuple[bytes, ...] = ()  # states nothing: acknowledged, no fact
    foreign: bytes | None = None  # another shop's order
    as_sent: bool = True  # the message's bytes are in the body as they are
    signs_body: bool = True  # False: the documented signature does not cover the body
    mac: bool = True  # False: pushes are only encrypted, so that what decrypts to no message cannot be told from a forgery
    pulled: tuple[bytes, ...] = ()  # objects as the list returns them, for messages of the same index; b"": it cannot say that
    pulled_feed: str | tuple[str, ...] = ""  # the list, or one for each message
    pull_differs: str = ""  # why push and pull of a fact cannot have one id here: "" where they have

    @property
    def connector(self) -> Any:
        """The connector itself."""
        return CONNECTORS[self.name]

    def listed(self) -> list[tuple[bytes, bytes, str]]:
        """Each message that a list can say too: the message, the object, the list."""
        feeds = self.pulled_feed if isinstance(self.pulled_feed, tuple) else (self.pulled_feed,) * len(self.pulled)
        return [one for one in zip(self.messages, self.pulled, feeds, strict=True) if one[1]]

    def push(self, *messages: bytes, at: float = NOW) -> Push:
        """A good push."""
        return self.seal(self.shop, messages or self.messages[:1], at)


def text(value: Any) -> str:
    """JSON as platforms write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def data(value: Any) -> bytes:
    """The same, in bytes."""
    return text(value).encode()


def md5(message: bytes) -> bytes:
    """The digest of most of them."""
    return hashlib.md5(message, usedforsecurity=False).digest()


def local(at: float) -> str:
    """GMT+8, whatever the machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at + 8 * 3600))


def array(messages: Sequence[bytes]) -> bytes:
    """A JSON array of messages, each byte for byte."""
    return b"[" + b",".join(messages) + b"]"


def one(messages: Sequence[bytes]) -> bytes:
    """The message alone, or an array of several."""
    return messages[0] if len(messages) == 1 else array(messages)


def signed_form(params: dict[str, str], digest: Callable[[str], str]) -> Push:
    """A form whose `sign` is over names and values in the order of names."""
    said = "".join(name + params[name] for name in sorted(params))
    return Push(urlencode(params | {"sign": digest(said)}).encode())


def unsigned(_shop: Shop, messages: Sequence[bytes], _at: float) -> Push:
    """For a platform that pushes nothing."""
    return Push(messages[0])


def other_secret(case: Case) -> Shop:
    """The same shop with another secret."""
    return replace(case.shop, secret="another", token="another", aes_key=case.shop.aes_key and "another")
