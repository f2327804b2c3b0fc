"""WeCom group robots: a key in the address, 20 messages a minute, texts of 2048 bytes. Source: facts/couriers, section D."""

from typing import Final
from urllib.parse import quote_plus

from sinks.alerts.config import Bot
from sinks.alerts.platform import Action, Message, Platform, Request, json_body


def encode(bot: Bot, message: Message, now: float) -> Request:
    """A text message."""
    body = json_body({"msgtype": "text", "text": {"content": message.text}})
    return Request(f"{bot.base_url.rstrip('/')}/cgi-bin/webhook/send?key={quote_plus(bot.token)}", body)


CODES: Final = {
    0: Action.SENT,
    -1: Action.AGAIN,  # busy
    45009: Action.SLOW,  # frequency
    93000: Action.MISCONFIGURED,  # the key is wrong, or the robot was removed
    40058: Action.REFUSED,  # too long
}
PLATFORM: Final = Platform("wecom", encode, CODES, max_bytes=2048, size=lambda text: len(text.encode("utf-8", "replace")), per_minute=20)
