"""One raw event to one observation or one dead letter."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from schemas.facts import Unusable
from schemas.records import Observation, ParcelObservation, RawEvent
from streams.days import minute_of_day, quiet_until, shanghai_day
from streams.normalise.normalise import dead_letter, normalise, unmapped_alert
from streams.policy import HOUR, MINUTE, Policy

NOW = 1_795_312_800_000  # 2026-11-22T02:00:00Z, 10:00 in Shanghai
POLICY = Policy()
EVENT = RawEvent(
    event_id="e1",
    source="web",
    connector="generic",
    kind="channel",
    shop="s1",
    received_at=NOW,
    verified=True,
    headers={"content-type": "application/json"},
    payload=b"\x00raw \xff",
)
FACT = Observation(
    event_id="e1",
    source="web",
    source_kind="channel",
    order_key="web:s1:A1",
    channel="web",
    shop_id="s1",
    order_id="A1",
    axis="fulfilment",
    status="PaymentConfirmed",
    occurred_at=NOW,
    received_at=NOW,
)


def decoders(answer: Observation | ParcelObservation | Unusable) -> Mapping[str, Callable[[RawEvent], Any]]:
    """A connector that answers so."""

    def decode(event: RawEvent) -> Observation | ParcelObservation:
        if isinstance(answer, Unusable):
            raise answer
        return answer

    return {"generic": decode}


def at(occurred_at: int) -> Observation:
    """The fact at another time."""
    return msgspec.structs.replace(FACT, occurred_at=occurred_at)


@pytest.mark.parametrize("ahead", [0, 1, 5 * MINUTE])
def test_a_time_up_to_five_minutes_ahead_is_believed(ahead: int) -> None:
    """A source's clock may be ahead of the receipt by the tolerance, and not by less."""
    assert normalise(EVENT, decoders(at(NOW + ahead)), POLICY) == at(NOW + ahead)


@pytest.mark.parametrize("ahead", [5 * MINUTE + 1, HOUR, 10**12])
def test_a_time_further_ahead_is_the_receipt(ahead: int) -> None:
    """A time more than five minutes ahead is replaced by the receipt time, and the record says so."""
    found = normalise(EVENT, decoders(at(NOW + ahead)), POLICY)
    assert (found.occurred_at, found.clock) == (NOW, "source_ahead")


def test_a_late_time_is_believed_down_to_the_year_2000() -> None:
    """The first millisecond of 2000 is a time, the one before is a broken clock."""
    assert normalise(EVENT, decoders(at(946_684_800_000)), POLICY).occurred_at == 946_684_800_000
    with pytest.raises(Unusable) as refused:
        normalise(EVENT, decoders(at(946_684_799_999)), POLICY)
    assert refused.value.reason == "bad_timestamp"


def test_a_parcel_node_follows_the_same_time_rule() -> None:
    """The rule is common to orders and parcels."""
    node = ParcelObservation(
        kind="node",
        event_id="p1",
        source="zto",
        parcel_key="zto:7",
        courier="zto",
        tracking_no="7",
        status="InTransit",
        occurred_at=NOW + HOUR,
        received_at=NOW,
    )
    event = msgspec.structs.replace(EVENT, kind="courier", source="zto")
    found = normalise(event, decoders(node), POLICY)
    assert (found.occurred_at, found.clock) == (NOW, "source_ahead")


def test_an_order_fact_of_a_courier_is_refused() -> None:
    """What a courier's connector makes of an order would stand in the wrong partition: a dead letter."""
    with pytest.raises(Unusable) as refused:
        normalise(msgspec.structs.replace(EVENT, kind="courier"), decoders(FACT), POLICY)
    assert refused.value.reason == "invalid"


def test_an_unknown_connector_is_our_fault() -> None:
    """An event of a connector that is not installed is no dead letter of its sender's; the error names both."""
    with pytest.raises(LookupError, match=r"e1 of web.*generic"):
        normalise(EVENT, {}, POLICY)


def test_a_dead_letter_holds_the_event_whole() -> None:
    """Reason, detail, origin, headers and every byte of the payload are in it."""
    letter = dead_letter(EVENT, Unusable("invalid", "no status"), "raw", 3, 17)
    assert (letter.reason, letter.detail, letter.payload, letter.headers) == ("invalid", "no status", EVENT.payload, EVENT.headers)
    assert (letter.origin_topic, letter.origin_partition, letter.origin_offset) == ("raw", 3, 17)
    assert (letter.event_id, letter.source, letter.shop, letter.received_at) == ("e1", "web", "s1", NOW)


def test_only_unmapped_codes_alert() -> None:
    """The other reasons are counted and lie in the dead letters."""
    assert unmapped_alert(EVENT, Unusable("invalid", "x")) is None
    found = unmapped_alert(EVENT, Unusable("unmapped_status", "x", "77"))
    assert found is not None
    assert (found.alert_key, found.params["code"]) == ("unmapped_status:web:77:2026-11-22", "77")


def test_an_unmapped_code_alerts_once_a_shanghai_day() -> None:
    """The key changes at midnight in Shanghai, by the receipt, and with the code and the source."""
    why = Unusable("unmapped_status", "x", "77")
    midnight = NOW + 14 * HOUR

    def key(received_at: int) -> str:
        found = unmapped_alert(msgspec.structs.replace(EVENT, received_at=received_at), why)
        assert found is not None
        return found.alert_key

    assert key(NOW) == key(midnight - 1) != key(midnight)


def test_days_and_minutes_are_those_of_shanghai() -> None:
    """16:00 UTC is the next day in Shanghai."""
    assert shanghai_day(NOW + 14 * HOUR - 1) == "2026-11-22"
    assert shanghai_day(NOW + 14 * HOUR) == "2026-11-23"
    assert minute_of_day(NOW) == 600


@pytest.mark.parametrize(
    ("hour", "quiet", "end"),
    [
        (10, (22 * 60, 8 * 60), None),
        (22, (22 * 60, 8 * 60), 32),
        (26, (22 * 60, 8 * 60), 32),
        (31, (22 * 60, 8 * 60), 32),
        (32, (22 * 60, 8 * 60), None),
        (12, (12 * 60, 14 * 60), 14),
        (14, (12 * 60, 14 * 60), None),
        (12, None, None),
        (12, (720, 720), None),
    ],
)
def test_quiet_hours_end_in_the_morning(hour: int, quiet: tuple[int, int] | None, end: int | None) -> None:
    """Within the quiet hours, also across midnight, their end is the next time to speak; outside there is none."""
    midnight = NOW - 10 * HOUR
    assert quiet_until(midnight + hour * HOUR, quiet) == (None if end is None else midnight + end * HOUR)
