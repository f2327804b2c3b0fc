"""The day is the same for the same seed, and holds what semantics.md asks for."""

from collections import Counter
from pathlib import Path

import pytest

from connectors.base import Push, Refused
from connectors.registry import CONNECTORS
from ops.config import load
from ops.simulator import merchant, planner
from ops.simulator.accounts import SPEAKERS, NobodySpeaks, accounts
from ops.simulator.asked import LISTINGS, listings
from ops.simulator.day import COURIERS, SHOPS
from ops.simulator.facts import ASKED, ERP, WMS, Raw, Say
from ops.simulator.platforms import PLATFORMS
from ops.simulator.player import forged

NOW = 1_795_000_000_000


def test_the_same_seed_writes_the_same_day() -> None:
    """Two plans of one seed and time are equal; another seed writes another day."""
    assert planner.write(3, 300, NOW).day == planner.write(3, 300, NOW).day
    assert planner.write(3, 300, NOW).day != planner.write(4, 300, NOW).day


@pytest.mark.parametrize("orders", [300, 2000])
def test_counts_stand_around_the_limits(orders: int) -> None:
    """One channel has exactly 15 conflicts, the one that pauses 16, and no order but the storms has four jumps."""
    script = planner.write(7, orders, NOW)
    planted = planner.expected(script.phases)
    conflicts: Counter[str] = Counter()
    jumps: Counter[str] = Counter()
    for (kind, subject), n in planted.items():
        if kind.startswith("conflict."):
            conflicts[subject.split(":")[0]] += n
        if kind.startswith("jump.") and kind != "jump.breach":
            jumps[subject] += n
    assert conflicts["douyin"] == 15
    assert conflicts[planner.CONFLICTED] == planner.PAUSING == 16
    assert all(0 < conflicts[channel] < 15 for channel in SHOPS.keys() - {"douyin", planner.CONFLICTED})
    assert {order for order, n in jumps.items() if n > 3} == {order for kind, order in planted if kind == "jump.breach"}


def test_about_as_many_orders_as_asked() -> None:
    """The phases together hold the asked number of orders, more or less the planted faults."""
    script = planner.write(7, 2000, NOW)
    assert abs(sum(phase.orders for phase in script.phases) - 2000) < 40


def test_a_source_never_speaks_of_the_future() -> None:
    """No fact is dated later than the day's end."""
    for phase in planner.write(7, 400, NOW).phases:
        assert all(said.at <= NOW for said in phase.says if isinstance(said, Say))


def test_what_is_sent_twice_is_planted_as_duplicates() -> None:
    """Message numbers that come again, and nodes that a trace repeats, are exactly the planted duplicates."""
    script = planner.write(7, 400, NOW)
    seen: set[int] = set()
    doubled: Counter[str] = Counter()
    for said in (said for phase in script.phases for said in phase.says if not isinstance(said, Raw)):
        doubled[said.speaker] += (said.nonce in seen) + len(said.so_far)
        seen.add(said.nonce)
    planted = {subject: n for (kind, subject), n in planner.expected(script.phases).items() if kind == "duplicate"}
    assert planted == +doubled


def test_phases_are_in_order_of_delivery() -> None:
    """What is played later is sent later."""
    for phase in planner.write(7, 400, NOW).phases:
        plays = [said.play for said in phase.says]
        assert plays == sorted(plays)


def test_every_source_speaks_in_a_day() -> None:
    """Each channel has some dozens of orders, and every courier, the WMS and both ERPs speak of orders."""
    said = [one for phase in planner.write(7, 2000, NOW).phases for one in phase.says if isinstance(one, Say)]
    orders = Counter(key.split(":")[0] for key in {one.order.key for one in said})
    assert orders.keys() == SHOPS.keys()
    assert min(orders.values()) >= 36, orders
    assert {one.speaker for one in said} == {*SHOPS, *COURIERS, ERP, WMS, *ASKED.values()}


def test_a_day_without_the_newer_sources(tmp_path: Path) -> None:
    """Where only the channels and couriers speak that a day needs, nobody else does, and no order is theirs."""
    shops, couriers = {channel: SHOPS[channel] for channel in ("douyin", "taobao", "pinduoduo", "wechat_shop")}, ("zto", "yunda", "sf")
    script = planner.write(7, 400, NOW, shops, couriers)
    said = [one for phase in script.phases for one in phase.says]
    assert {one.speaker for one in said} == {*shops, *couriers, ERP, WMS}
    assert {one.order.channel for one in said if isinstance(one, Say)} == set(shops)


def test_the_merchant_has_an_account_for_every_speaker(tmp_path: Path) -> None:
    """The demo's configuration names every source of the day; without one that a day needs it says which is missing."""
    asked = [listing.at("http://127.0.0.1:9") for listing in listings().values()]
    shops = load(merchant.write(tmp_path, "http://127.0.0.1:9", asked)).shops
    assert accounts(shops).keys() == {*SPEAKERS.values()} == {*SHOPS, *COURIERS, ERP, WMS, *ASKED.values()}
    with pytest.raises(NobodySpeaks, match=r"zto \(courier\)"):
        accounts(shop for shop in shops if shop.connector != "zto")


def test_who_does_not_know_the_secrets_is_refused_everywhere(tmp_path: Path) -> None:
    """A push that is forged in the platform's own way, encrypted by another key too, is refused by every connector."""
    shops = load(merchant.write(tmp_path, "http://127.0.0.1:9")).shops
    for speaker, account in accounts(shops).items():
        shop = next(shop for shop in shops if (shop.connector, shop.shop) == (account.source, account.shop))
        for who, refused in ((account, False), (forged(account), True)):
            request = PLATFORMS[account.source].seal(who, b'{"appKey": "ks-demo"}', NOW // 1000)
            push = Push(request.body, {name.lower(): value for name, value in request.headers.items()}, request.params)
            try:
                CONNECTORS[account.source].verify(shop, push, NOW / 1000)
            except Refused:
                assert refused, speaker
            else:
                assert not refused, speaker
    assert LISTINGS.keys().isdisjoint(accounts(shops))
