"""One case of the conformance suite: ids and statements of what it pushes and of what its lists say."""

from connectors.intake import Address
from schemas import codec
from schemas.records import Observation, RawEvent
from tests.contract.connectors.cases import CASES, NOW
from tests.contract.connectors.kit import Case

BY = {case.name: case for case in CASES if case.shop.kind == "channel"}
Said = tuple[str, int, str]  # status, seconds since 1970, event id


def pushed(case: Case, message: bytes) -> Observation:
    """What one pushed message states."""
    (record,) = Address(case.shop, case.connector).receive(case.push(message), NOW)
    return _read(case, codec.decode(record.value, RawEvent))


def listed(case: Case, feed: str, item: bytes) -> list[Observation]:
    """What one object of a list states."""
    shop, now = case.shop, int(NOW * 1000)
    facts = case.connector.pulled(shop, feed, item)
    return [
        _read(
            case,
            RawEvent(
                event_id=fact.event_id,
                source=fact.source,
                connector=case.name,
                kind=shop.kind,
                shop=shop.shop,
                received_at=now,
                verified=True,
                headers=dict(fact.headers),
                payload=fact.payload,
            ),
        )
        for fact in facts
    ]


def said(facts: list[Observation]) -> list[tuple[str, int]]:
    """Statuses and the seconds at which they were reached."""
    return [(fact.status, fact.occurred_at // 1000) for fact in facts]


def _read(case: Case, event: RawEvent) -> Observation:
    found = case.connector.decode(event)
    assert isinstance(found, Observation)
    return found
