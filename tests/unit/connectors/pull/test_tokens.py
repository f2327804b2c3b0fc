"""Sealed tokens: readable for who has the shop's secret, and void when the operator gave others."""

from dataclasses import replace

import pytest

from connectors.config import SYSTEM, Pull, Shop
from connectors.pull.base import Access
from connectors.pull.tokens import SealedTokens, seal, unseal
from schemas import codec
from schemas.polls import PollTokens

SHOP = Shop(SYSTEM, "jushuitan", "erp", "j1", "the-secret", pull=Pull(token="first", refresh="first-refresh"))
ACCESS = Access("second", "second-refresh", 1_795_305_600_000)


class Keeper:
    """Keeps the last."""

    def __init__(self) -> None:
        self.kept: PollTokens | None = None

    async def tokens(self, key: str) -> PollTokens | None:
        """See TokenKeeper."""
        return self.kept if self.kept and self.kept.key == key else None

    async def put_tokens(self, tokens: PollTokens) -> None:
        """See TokenKeeper."""
        self.kept = codec.decode(codec.encode(tokens), PollTokens)


async def test_tokens_come_back_as_they_were() -> None:
    """What was saved is loaded, and stands nowhere in the clear."""
    keeper = Keeper()
    await SealedTokens(keeper, lambda: 1.0).save(SHOP, ACCESS)
    assert await SealedTokens(keeper, lambda: 2.0).load(SHOP) == ACCESS
    assert keeper.kept
    assert b"second" not in codec.encode(keeper.kept)
    assert await SealedTokens(keeper, lambda: 2.0).load(replace(SHOP, shop="j2")) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(SHOP, secret="another"),
        replace(SHOP, shop="j2"),
        replace(SHOP, pull=Pull(token="first", refresh="given anew")),
        replace(SHOP, pull=Pull(secret="another", token="first", refresh="first-refresh")),
    ],
    ids=["secret", "shop", "given tokens", "call secret"],
)
def test_tokens_of_something_else_are_void(other: Shop) -> None:
    """Another secret, another shop, or tokens that the operator has changed: those of the configuration count."""
    assert unseal(other, seal(SHOP, ACCESS)) is None


def test_broken_seals_are_void() -> None:
    """No byte can be changed, cut or added."""
    sealed = seal(SHOP, ACCESS)
    assert unseal(SHOP, sealed) == ACCESS
    for broken in (
        b"",
        sealed[:11],
        sealed[:-1],
        sealed + b"x",
        bytes([sealed[0] ^ 1]) + sealed[1:],
        sealed[:-1] + bytes([sealed[-1] ^ 1]),
    ):
        assert unseal(SHOP, broken) is None
    assert seal(SHOP, ACCESS) != sealed


async def test_without_a_secret_they_stay_in_memory(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sealed with a key that anybody could make, and it is said."""
    bare, keeper = replace(SHOP, secret=""), Keeper()
    store = SealedTokens(keeper, lambda: 1.0)
    await store.save(bare, ACCESS)
    assert keeper.kept is None
    assert await store.load(bare) == ACCESS
    assert "no secret" in caplog.text
