"""The merchant's HTTP gateway for messages to customers (contract.md). Signed as the inbound `generic` source is."""

import hashlib
import hmac
from typing import Final

from sinks.alerts.config import Sms
from sinks.alerts.platform import Action, Message, Platform, Request, json_body


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256(secret, "<t>.<body>")>`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={digest.hexdigest()}"


def encode(sms: Sms, message: Message, now: float) -> Request:
    """One message to one customer; the gateway knows the number."""
    body = json_body(
        {
            "alert_id": message.message_id,
            "customer_id": message.customer_id,
            "parcel_key": message.parcel_key,
            "text": message.text,
        }
    )
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Lockstep-Signature": signature(sms.secret, int(now), body)}
    return Request(sms.base_url, body, headers)


CODES: Final = {0: Action.SENT, -1: Action.AGAIN}
PLATFORM: Final = Platform("sms", encode, CODES, max_bytes=4096, size=lambda text: len(text.encode("utf-8", "replace")), digests=False)
