"""What a platform's own tests share: what a push or a list of its conformance case says, and what the demo's side of it writes."""

from connectors.base import Push
from connectors.intake import Address, envelope
from ops.simulator.facts import Account, Order, Say
from ops.simulator.platforms import PLATFORMS
from schemas import codec
from schemas.records import Observation, RawEvent
from tests.contract.connectors.kit import NOW, Case

AT = 1_795_312_800_000  # ms: 2026-11-22 10:00 in Shanghai


def pushed(case: Case, message: bytes) -> list[Observation]:
    """What a push says."""
    records = Address(case.shop, case.connector).receive(case.push(message), NOW)
    return _decoded(case, [codec.decode(record.value, RawEvent) for record in records])


def one(case: Case, message: bytes) -> Observation:
    """What a push of one message says."""
    (said,) = pushed(case, message)
    return said


def listed(case: Case, feed: str, item: bytes) -> list[Observation]:
    """What an object of a list says."""
    records = [envelope(case.shop, fact, int(NOW * 1000)) for fact in case.connector.pulled(case.shop, feed, item)]
    return _decoded(case, [codec.decode(record.value, RawEvent) for record in records])


def row(case: Case, feed: str, item: bytes) -> Observation:
    """What an object says that states one thing."""
    (said,) = listed(case, feed, item)
    return said


def played(case: Case, number: str, axis: str, status: str) -> Observation:
    """What the demo's side of the platform writes and signs, read by the connector."""
    shop, platform = case.shop, PLATFORMS[case.name]
    account = Account(case.name, shop.shop, shop.secret, app_key=shop.app_key or "", aes_key=shop.aes_key or "")
    order = Order(
        channel=case.name, shop=shop.shop, number=number, customer="c", province="p", payable=4890, sku="s", courier="zto", tracking="7"
    )
    said = Say(speaker=case.name, order=order, axis=axis, status=status, at=AT, play=0, nonce=1, payable=4890)
    request = platform.seal(account, platform.write(account, [said]), int(NOW))
    push = Push(request.body, {name.lower(): value for name, value in request.headers.items()}, request.params)
    case.connector.verify(shop, push, NOW)
    (fact,) = case.connector.split(shop, push)
    (found,) = _decoded(case, [codec.decode(envelope(shop, fact, int(NOW * 1000)).value, RawEvent)])
    return found


def _decoded(case: Case, events: list[RawEvent]) -> list[Observation]:
    said = [case.connector.decode(event) for event in events]
    assert all(isinstance(each, Observation) for each in said)
    return [each for each in said if isinstance(each, Observation)]
