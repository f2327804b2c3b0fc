"""What every puller is: answers about one platform's lists, none of which reads a clock or touches the network.

A list (feed) is read by windows of time, a window by steps: `first` names the first ones, `call` makes the signed request of a
step, `read` takes the answer and names the facts in it and the steps that follow (the next page, the details of some ids).
A step is a text of the puller's own (`3`, `detail:17,18`); one that comes again in a window is not asked again. The driver
keeps what changes: cursors, budgets, tokens, retries, the clock.

To add one: subclass `Puller` in `platforms/NAME.py`, list it in `registry.py`, write `errors/NAME.yaml` (see errors.py) and
the stand-in platform in `ops/simulator/standins/NAME.py`; `platforms/jushuitan.py` is the example.

* PullError — the platform said no, or nothing usable; its code is looked up in the platform's table of errors
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timezone
from typing import Any, ClassVar, Final, TypeVar

import msgspec

from connectors.base import Fact
from connectors.config import Shop
from connectors.reading import SHANGHAI

PULLED: Final = "pulled"  # the header of an envelope that was asked for: the feed's name; `decode` reads the payload by it
TOO_MANY: Final = "too_many_pages"  # the code of a window that has more than may be listed: it is cut into shorter ones
T = TypeVar("T")


class PullError(Exception):
    """The platform refused a call. `code` is its own, or one of the common table (`http_404`, `no_json`, …).

    The text never holds a token. `after`: how many seconds the platform asks us to wait, where it says so.
    """

    def __init__(self, code: str, said: str = "", after: float | None = None) -> None:
        super().__init__(f"{code}: {said[:200]}" if said else code)
        self.code, self.said, self.after = code, said[:200], after


@dataclass(frozen=True)
class Access:
    """What calls are made with: tokens that expire. `expires_at` is in ms, None where it is not known.

    An empty token is asked for by `renew` before the first call.
    """

    token: str = field(default="", repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: int | None = None


@dataclass(frozen=True)
class Window:
    """From `start` up to, not including, `end`; in ms, whole seconds. Many platforms include the end: that does no harm."""

    start: int
    end: int


@dataclass(frozen=True)
class Feed:
    """One list of a platform. Times in ms: `span` is the widest window that it takes, `overlap` is read again each time
    (what is listed late must not be missed; smaller than `span`), `every` is how often it is asked, `reach` how far back it
    goes at all (None: not known).
    """

    name: str
    span: int
    overlap: int
    every: int
    reach: int | None = None


@dataclass(frozen=True)
class Budget:
    """How often a shop may be asked: calls a second on average, and at once."""

    per_second: float
    burst: int = 1


@dataclass(frozen=True)
class Call:
    """One request; `path` comes after the base address. `what` is the method's name, for logs; the rest may hold secrets
    and is never logged. A whole address (`https://…`) as `path` goes elsewhere than to the base address: some token servers.
    """

    what: str
    method: str = "POST"
    path: str = field(default="", repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back, of any status but a redirection, 429 and 5xx: those the driver knows. Header names are in lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What an answer holds: facts, each with the bytes of its own object, and the steps that follow."""

    facts: tuple[Fact, ...] = ()
    steps: tuple[str, ...] = ()


class Puller(ABC):
    """One platform's lists. Stateless: one instance serves all shops.

    `shop.pull` is the entry's `pull:` (`connectors.config.Pull`): base_url, token, refresh, secret, options.
    """

    name: ClassVar[str]  # the connector's
    base_url: ClassVar[str]
    feeds: ClassVar[tuple[Feed, ...]]
    budget: ClassVar[Budget]

    def check(self, shop: Shop) -> None:  # noqa: B027 - most need nothing
        """Raise ValueError, for a person, where the shop's configuration lacks what its calls need."""

    @abstractmethod
    def first(self, feed: str, window: Window) -> tuple[str, ...]:
        """The steps that a window begins with."""

    @abstractmethod
    def call(self, shop: Shop, access: Access, feed: str, window: Window, step: str, now: float) -> Call:
        """The signed request of a step. `now` is in seconds."""

    @abstractmethod
    def read(self, shop: Shop, feed: str, window: Window, step: str, answer: Answer) -> Page:
        """What an answer says. Raises PullError; with the code TOO_MANY where a shorter window would do.

        An object that cannot be read is a fact all the same: a dead letter later.

        The facts of an object are what the connector's `pulled` says: the ids that a push of them has, and the header `PULLED`.
        """

    def renew(self, shop: Shop, access: Access, now: float) -> Call | None:
        """The request for a new token; None where the platform's tokens are made by hand."""
        return None

    def renewed(self, shop: Shop, answer: Answer, now: float) -> Access:
        """The new token. Raises PullError."""
        raise PullError("no_token", "this platform's tokens are made by hand")


def read_json(answer: Answer, kind: type[T], *, any_status: bool = False) -> T:
    """The body as `kind` (a msgspec Struct, `dict[str, msgspec.Raw]`, …). Raises PullError `http_<status>`, `no_json`.

    `any_status`: the platform says its errors as JSON in 4xx answers, and the caller looks for them.
    """
    if not any_status:
        require_ok(answer)
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        require_ok(answer)
        begin = answer.body[:60].decode(errors="replace")
        raise PullError("no_json", f"the answer is not what it should be, it begins with {begin!r}") from None


def require_ok(answer: Answer) -> None:
    """Raise PullError `http_<status>` for a refusal by HTTP."""
    if not 200 <= answer.status < 300:
        raise PullError(f"http_{answer.status}", answer.body[:100].decode(errors="replace"))


def clock(ms: int, zone: timezone = SHANGHAI) -> str:
    """A time as most platforms write it: `2026-11-22 10:00:00`, in the platform's zone."""
    return datetime.fromtimestamp(ms // 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def compact(value: Any) -> str:
    """JSON without blanks, as bodies and signed fields want it."""
    return msgspec.json.encode(value).decode()
