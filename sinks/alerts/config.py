"""Whom alerts are sent to."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bot:
    """A robot in a group chat. Token and secret are never shown.

    `receives` names the alert kinds that it takes; empty: all that are meant for teams.
    """

    name: str
    kind: str  # dingtalk | wecom
    base_url: str
    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    receives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sms:
    """The HTTP gateway for messages to customers."""

    base_url: str
    secret: str = field(repr=False)
    name: str = "sms"
    kind: str = "sms"


Target = Bot | Sms
