"""Signatures: the digests that platforms use, and a comparison that takes the same time for every wrong answer."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from connectors.base import BadSignature, Stale


def hmac_sha256(secret: str, message: bytes) -> str:
    """Lower-case hex."""
    return hmac.digest(secret.encode(), message, "sha256").hex()


def md5(message: bytes) -> str:
    """Lower-case hex. Broken as a digest, but it is what these platforms sign with."""
    return hashlib.md5(message, usedforsecurity=False).hexdigest()


def md5_base64(message: bytes) -> str:
    """Base64 of the 16 raw bytes."""
    return base64.b64encode(hashlib.md5(message, usedforsecurity=False).digest()).decode()


def joined(params: Mapping[str, str]) -> str:
    """Names and values joined in the order of names, without `sign`: what TOP, POP and most ERPs sign."""
    return "".join(name + params[name] for name in sorted(params) if name != "sign")


def require(expected: str, *given: str | None) -> None:
    """Raise BadSignature unless one of the given hex texts is the expected one. Case does not count."""
    sent = [text.strip().lower().encode(errors="replace") for text in given if text]
    if not sent:
        raise BadSignature("the push is not signed")
    good = [hmac.compare_digest(text, expected.lower().encode()) for text in sent]  # all compared: no early end
    if not any(good):
        raise BadSignature("the signature does not fit this shop's secret")


def require_exact(expected: str, given: str | None) -> None:
    """Raise BadSignature unless `given` is this text, case and all (base64)."""
    if not given:
        raise BadSignature("the push is not signed")
    if not hmac.compare_digest(given.strip().encode(errors="replace"), expected.encode()):
        raise BadSignature("the signature does not fit this shop's secret")


def require_recent(sent: float, now: float, window: float) -> None:
    """Raise Stale unless a signed time, in seconds, is within `window` of now."""
    if abs(now - sent) > window:
        raise Stale(f"the signed time is more than {window:g} s away from ours: a replay, or a clock that is wrong")


def require_recent_seconds(sent: str, now: float, window: float) -> None:
    """The same for a time that is written as digits: whole seconds since 1970. Raises BadSignature for anything else."""
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 12):
        raise BadSignature("timestamp must be seconds since 1970")
    require_recent(int(sent), now, window)
