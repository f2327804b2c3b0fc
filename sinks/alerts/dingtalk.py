"""DingTalk robots: signed by timestamp and secret, 20 messages a minute, 20,000 bytes. Source: facts/couriers, section D."""

import base64
import hashlib
import hmac
from typing import Any, Final
from urllib.parse import quote_plus

from sinks.alerts.config import Bot
from sinks.alerts.platform import Action, Message, Platform, Request, json_body


def sign(timestamp_ms: int, secret: str) -> str:
    """Base64 of HMAC-SHA256 with the secret as key, over timestamp, a line feed and the secret."""
    digest = hmac.digest(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def encode(bot: Bot, message: Message, now: float) -> Request:
    """A text message. Without a secret the robot is guarded by keywords or addresses, and nothing is signed."""
    timestamp = int(now * 1000)
    signed = f"&timestamp={timestamp}&sign={quote_plus(sign(timestamp, bot.secret))}" if bot.secret else ""
    return Request(f"{bot.base_url.rstrip('/')}/robot/send?access_token={quote_plus(bot.token)}{signed}", _body(message.text))


def _body(text: str) -> bytes:
    value: dict[str, Any] = {"msgtype": "text", "text": {"content": text}, "at": {"isAtAll": False}}
    return json_body(value)


CODES: Final = {
    0: Action.SENT,
    -1: Action.AGAIN,  # busy
    130101: Action.SLOW,  # send too fast; the body may say how long to wait
    410100: Action.SLOW,  # the same, elsewhere
    310000: Action.MISCONFIGURED,  # signature, keyword, address or timestamp
    300005: Action.MISCONFIGURED,  # token does not exist
    400101: Action.MISCONFIGURED,  # the same
    400102: Action.MISCONFIGURED,  # robot stopped
    400013: Action.MISCONFIGURED,  # group dissolved
    400106: Action.MISCONFIGURED,  # robot does not exist
    40035: Action.REFUSED,  # parameter missing
    43002: Action.MISCONFIGURED,  # POST needed: something on the way changes requests
    43004: Action.MISCONFIGURED,  # Content-Type: the same
    400105: Action.REFUSED,  # message type
    460101: Action.REFUSED,  # too long
}
PLATFORM: Final = Platform("dingtalk", encode, CODES, max_bytes=20_000, size=lambda text: len(_body(text)), per_minute=20)
