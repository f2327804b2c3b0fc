"""What no honest platform sends: codes that no table knows, signed garbage, forgeries. Semantics §2, contract.md, HTTP."""

from typing import Final

from ops.simulator import normal
from ops.simulator.day import Day
from ops.simulator.facts import CHANNELS, ERP, MORE, WMS, Raw

OWN: Final = ("zto", "sto", "jt")  # couriers that speak for themselves
GARBAGE: Final = "这不是报文 \N{EM DASH} not a message {[".encode()
LARGE: Final = b'{"pad": "' + b"x" * (1024 * 1024) + b'"}'


def plant(day: Day) -> None:
    """All of it."""
    for sort in (unmapped, invalid, garbage, refused, by_rules):
        sort(day)


def unmapped(day: Day) -> None:
    """Codes that the platforms invented yesterday: dead letters, and one alert a day for each code."""
    for speaker, code in ((ERP, "WaitGift"), ("zto", "TELEPORTED"), ("yunda", "998"), ("shopee", "TELEPORTED"), ("jd", "WAIT_FOR_MARS")):
        parcel = speaker in day.couriers
        if speaker not in (ERP, *day.shops, *day.couriers):
            continue
        for _ in range(2):
            order = day.order(speaker if speaker in day.shops else "douyin", courier=speaker if parcel else None)
            axis = "parcel" if parcel else "fulfilment"
            day.say(speaker, order, "Exception", day.ago(minutes=day.random.uniform(10, 60)), axis=axis, code=code)
            day.expect("dead.unmapped_status", speaker)
        day.expect("alert.unmapped_status", f"{speaker} {code}")


def invalid(day: Day) -> None:
    """Facts that miss what they must have, alone and among good ones."""
    no_time = b'{"event_id": "nt-1", "order_id": "x", "channel": "douyin", "shop_id": "1001", "status": "Packed"}'
    no_offset = (
        b'{"event_id": "no-1", "order_id": "x", "channel": "douyin", "shop_id": "1001", "status": "Packed",'
        b' "occurred_at": "2026-11-22T10:00:00"}'
    )
    for reason, body in (("invalid", no_time), ("bad_timestamp", no_offset)):
        day.send(Raw(speaker=WMS, body=body, play=day.ago(minutes=30)))
        day.expect(f"dead.{reason}", WMS)


def garbage(day: Day) -> None:
    """Correctly signed, and no message at all: acknowledged, kept as dead letters, nothing else disturbed."""
    for speaker in (*_channels(day, but="kuaishou"), ERP, WMS, *(courier for courier in day.couriers if courier in OWN)):
        day.send(Raw(speaker=speaker, body=GARBAGE, play=day.ago(minutes=day.random.uniform(10, 600))))
        day.expect("dead.undecodable", speaker)


def refused(day: Day) -> None:
    """Forged, stale, too large, unknown: refused at the door, and nothing of it gets in."""
    for speaker in (*_channels(day), ERP, WMS, *day.couriers):
        day.send(Raw(speaker=speaker, body=b"{}", play=day.ago(minutes=day.random.uniform(10, 600)), status=401, forged=True))
        day.expect("refused.401", f"{speaker} forged")
    day.send(Raw(speaker=WMS, body=b"{}", play=day.ago(minutes=20), status=401, stale=True))
    day.expect("refused.401", f"{WMS} stale")
    day.send(Raw(speaker=WMS, body=b"{}", play=day.ago(minutes=20), status=404, shop="nobody"))
    day.expect("refused.404", f"{WMS} unknown shop")
    day.send(Raw(speaker=WMS, body=LARGE, play=day.ago(minutes=20), status=413))
    day.expect("refused.413", f"{WMS} too large")


def _channels(day: Day, but: str = "") -> list[str]:
    """Those that push. Kuaishou only encrypts: garbage from it cannot be told from a forgery."""
    return [channel for channel in (*CHANNELS, *MORE) if channel in day.shops and channel != but]


def by_rules(day: Day) -> None:
    """Orders that the merchant's rules hold for a person or filter for good; the filter is over its rate."""
    for _ in range(6):
        order = day.order("taobao", payable=day.random.randrange(500_000, 900_000))
        normal.paid(day, order, day.ago(minutes=day.random.uniform(60, 300)))
        day.expect("pool.hold.review", order.key)
    for _ in range(12):
        order = day.order("douyin", payable=day.random.randrange(1, 100))
        normal.paid(day, order, day.ago(minutes=day.random.uniform(60, 300)))
        day.expect("pool.filter", order.key)
    day.expect("alert.filter_rate", "douyin")
