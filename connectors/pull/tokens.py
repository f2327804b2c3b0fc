"""Tokens that a platform gave: sealed, beside the cursors, so that a second poller on another machine has them too.

A refresh token is often good for one use: were the new one in a file of one machine, the next poller would be locked out and a
person would have to authorise the shop again. A topic is readable to all who may read Kafka, so what goes there is sealed with
AES-256-GCM; the key is made (HKDF-SHA256) from the shop's secret, which is in no topic, and is bound to the shop. Who has that
secret could ask for tokens anyway. A changed secret, or tokens that are changed in the configuration, make the kept ones void.
A shop without a secret has its tokens kept in memory only, and that is said.
"""

import logging
import os
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connectors.config import Shop
from connectors.pull.base import Access
from connectors.reading import digest
from schemas.polls import PollTokens

log = logging.getLogger("lockstep.poll")

SALT: Final = b"lockstep.poll.tokens"
NONCE: Final = 12  # bytes


class _Sealed(msgspec.Struct):
    token: str
    refresh: str | None
    expires_at: int | None
    given: str  # what the configuration said when these were taken


def seal(shop: Shop, access: Access) -> bytes:
    """Tokens as bytes that only who has the shop's secret can read."""
    text = msgspec.json.encode(_Sealed(access.token, access.refresh, access.expires_at, _given(shop)))
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(_key(shop)).encrypt(nonce, text, _name(shop))


def unseal(shop: Shop, sealed: bytes) -> Access | None:
    """The tokens; None for those that are void."""
    try:
        kept = msgspec.json.decode(AESGCM(_key(shop)).decrypt(sealed[:NONCE], sealed[NONCE:], _name(shop)), type=_Sealed)
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        log.warning(
            "%s %s: the kept tokens cannot be opened (another secret?): those of the configuration are used", shop.connector, shop.shop
        )
        return None
    return Access(kept.token, kept.refresh, kept.expires_at) if kept.given == _given(shop) else None


def _name(shop: Shop) -> bytes:
    return f"{shop.connector}:{shop.shop}".encode()


def _key(shop: Shop) -> bytes:
    return HKDF(SHA256(), 32, SALT, _name(shop)).derive(shop.call_secret.encode())


def _given(shop: Shop) -> str:
    pull = shop.pull
    return digest(pull.token, pull.refresh) if pull else ""


class TokenKeeper(Protocol):
    """Where sealed tokens are: beside the cursors."""

    async def tokens(self, key: str) -> PollTokens | None:
        """The newest of `source:shop`."""

    async def put_tokens(self, tokens: PollTokens) -> None:
        """Keep them. Returns when they are durable."""


class SealedTokens:
    """A TokenStore on a TokenKeeper."""

    def __init__(self, keeper: TokenKeeper, clock: Callable[[], float]) -> None:
        self._keeper, self._clock = keeper, clock
        self._memory: dict[str, Access] = {}

    async def load(self, shop: Shop) -> Access | None:
        """See TokenStore."""
        key = _name(shop).decode()
        if not shop.call_secret:
            return self._memory.get(key)
        kept = await self._keeper.tokens(key)
        return unseal(shop, kept.sealed) if kept else None

    async def save(self, shop: Shop, access: Access) -> None:
        """See TokenStore."""
        if not shop.call_secret:
            log.warning("%s %s has no secret to seal its tokens with: they end with this process", shop.connector, shop.shop)
            self._memory[_name(shop).decode()] = access
            return
        at = int(self._clock() * 1000)
        await self._keeper.put_tokens(PollTokens(source=shop.connector, shop=shop.shop, at=at, sealed=seal(shop, access)))
