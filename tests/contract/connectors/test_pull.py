"""What every puller does, against its stand-in platform. A puller is here by being in the registry."""

import json
import re
from pathlib import Path

import pytest

from connectors.pull import errors
from connectors.pull.base import PULLED, Budget
from connectors.pull.client import TRIES, Failed
from connectors.pull.registry import PULLERS
from connectors.registry import CONNECTORS
from ops.config import load
from ops.simulator.standins.__main__ import SECTIONS, entry
from ops.simulator.standins.base import BROKEN, GARBAGE, REDIRECT, find
from tests.contract.connectors.pull_kit import START, site

NAMES = sorted(PULLERS)
FEEDS = [(name, feed.name) for name in NAMES for feed in PULLERS[name].feeds]
MANY = 137  # objects: several pages of any platform's size


@pytest.mark.parametrize("name", NAMES)
def test_it_is_whole(name: str) -> None:
    """A puller has a connector, a table of errors, a stand-in, feeds that go forward, and a budget."""
    puller = PULLERS[name]
    assert name in CONNECTORS
    assert errors.load(name).source == name
    shop = find(name).example_shop()
    puller.check(shop)
    CONNECTORS[name].check(shop)
    assert puller.feeds
    assert len({feed.name for feed in puller.feeds}) == len(puller.feeds)
    for feed in puller.feeds:
        assert 0 < feed.overlap < feed.span
        assert feed.every >= 1_000
        assert re.fullmatch(r"[a-z][a-z_]*", feed.name)
    assert puller.budget.per_second > 0
    assert puller.budget.burst >= 1
    assert isinstance(puller.budget, Budget)


@pytest.mark.parametrize(("name", "feed"), FEEDS)
async def test_everything_of_a_window_is_published_and_can_be_read(name: str, feed: str) -> None:
    """Every object that changed in the window becomes an envelope that says its feed and is decoded; no id twice."""
    async with site(name) as there:
        there.standin.fill(feed, MANY, START)
        events = await there.pull(feed)
        assert len({event.event_id for event in events}) == len(events) >= MANY
        assert {event.headers[PULLED] for event in events} == {feed}
        assert len(there.said(events)) == len(events)


@pytest.mark.parametrize(("name", "feed"), FEEDS)
async def test_read_again_it_has_the_same_ids(name: str, feed: str) -> None:
    """The same object read twice is the same fact."""
    async with site(name) as there:
        there.standin.fill(feed, 3, START)
        first, second = await there.pull(feed), await there.pull(feed)
        assert [event.event_id for event in first] == [event.event_id for event in second]


@pytest.mark.parametrize(("name", "feed"), FEEDS)
async def test_windows_side_by_side_miss_nothing(name: str, feed: str) -> None:
    """Objects at the seam of two windows are in one of them at least, and what is outside is in neither."""
    async with site(name) as there:
        there.standin.fill(feed, 9, START + 56_000)
        seam = START + 60_000
        events = await there.pull(feed, START, seam) + await there.pull(feed, seam, START + 3_600_000)
        assert len({event.event_id for event in events}) >= 9
        assert await there.pull(feed, START + 7_200_000, START + 7_300_000) == []


@pytest.mark.parametrize(("name", "feed"), FEEDS)
async def test_the_widest_window_is_taken(name: str, feed: str) -> None:
    """A window of the feed's whole span is not refused."""
    async with site(name) as there:
        span = next(each.span for each in PULLERS[name].feeds if each.name == feed)
        assert await there.pull(feed, START - span, START) == []
        assert not there.standin.refused


@pytest.mark.parametrize(("name", "feed"), FEEDS)
async def test_a_busy_platform_is_asked_more_slowly(name: str, feed: str) -> None:
    """A refusal for too many calls cuts the budget, and then all comes."""
    async with site(name) as there:
        there.standin.fill(feed, 3, START)
        there.standin.plan.append(there.standin.rate_code)
        before = there.client.bucket.rate(there.time())
        assert len(await there.pull(feed)) >= 3
        assert there.client.bucket.rate(there.time()) < before
        assert there.standin.refused[there.standin.rate_code] == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_platform_that_limits_gets_no_more_than_it_takes(name: str) -> None:
    """Under the budget a platform that counts calls has nothing to refuse."""
    async with site(name) as there:
        feed = there.puller.feeds[0].name
        there.standin.fill(feed, MANY, START)
        there.standin.per_second = there.puller.budget.burst + there.puller.budget.per_second
        await there.pull(feed)
        assert there.standin.refused[there.standin.rate_code] == 0


@pytest.mark.parametrize("name", [name for name in NAMES if find(name).token_code and find(name).renews])
async def test_an_expired_token_is_renewed_and_kept(name: str) -> None:
    """A refused token is replaced once, the new one is kept before it is used, and nothing is missed."""
    async with site(name) as there:
        feed = there.puller.feeds[0].name
        there.standin.fill(feed, 3, START)
        there.standin.expire()
        assert len(await there.pull(feed)) >= 3
        assert [access.token for access in there.tokens.saved] == [there.standin.token]


@pytest.mark.parametrize("name", [name for name in NAMES if find(name).token_code])
async def test_a_token_that_stays_refused_is_given_up(name: str) -> None:
    """A platform that refuses the new token too is not asked on and on; people get a next step."""
    async with site(name) as there:
        code = there.standin.token_code
        assert code is not None
        there.standin.plan.extend([code] * 20)
        with pytest.raises(Failed) as failed:
            await there.pull(there.puller.feeds[0].name)
        assert failed.value.hopeless
        assert failed.value.row.do
        assert sum(there.standin.asked.values()) <= 4


@pytest.mark.parametrize("name", NAMES)
async def test_every_code_of_the_table_gets_its_remedy(name: str) -> None:
    """A code as the platform says it is found in the table: tried again or not as the remedy says."""
    for code, row in errors.load(name).codes.items():
        if not find(name).says(code):
            continue
        async with site(name) as there:
            there.standin.plan.extend([code] * 40)
            with pytest.raises(Failed) as failed:
                await there.pull(there.puller.feeds[0].name)
            tries = there.standin.refused[code]
            assert failed.value.row == row or row.remedy == errors.REFRESH
            assert tries == {errors.RETRY: TRIES, errors.SLOW: TRIES, errors.GIVE_UP: 1}.get(row.remedy, tries), code


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", [BROKEN, GARBAGE, REDIRECT], ids=["5xx", "no JSON", "redirect"])
async def test_no_answer_of_a_platform_breaks_it(name: str, fault: object) -> None:
    """What is no answer of the platform's is an error by name, and the next try gets everything."""
    async with site(name) as there:
        feed = there.puller.feeds[0].name
        there.standin.fill(feed, 3, START)
        there.standin.plan.append(fault)  # type: ignore[arg-type]  # parametrised
        if fault is REDIRECT:
            with pytest.raises(Failed, match="redirect"):
                await there.pull(feed)
        assert len(await there.pull(feed)) >= 3


@pytest.mark.parametrize("name", NAMES)
async def test_errors_never_hold_a_secret(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither logs nor errors repeat a token or a secret, also where the platform does."""
    async with site(name) as there:
        shop = there.shop
        secrets = {shop.secret, shop.call_secret, there.standin.token, there.standin.refresh} - {""}
        there.standin.echo = " ".join(sorted(secrets))
        there.standin.plan.extend([there.standin.rate_code] * 40)
        with pytest.raises(Failed) as failed:
            await there.pull(there.puller.feeds[0].name)
        for secret in secrets:
            assert secret not in str(failed.value)
            assert secret not in caplog.text
            assert secret not in repr(shop)


def test_the_tables_of_errors_are_sound() -> None:
    """`lockstep check` has nothing to say about them, and each is some puller's or the common one."""
    assert errors.problems() == []
    assert errors.sources() - {"common"} <= PULLERS.keys()


@pytest.mark.parametrize("name", NAMES)
def test_all_that_it_needs_can_be_configured(name: str, tmp_path: Path) -> None:
    """The example shop written as an entry of lockstep.yaml is read as the same shop."""
    shop = find(name).example_shop()
    channel = {"source": "generic", "channel": "web", "shop": "s0", "secret": "plain:k"}
    sections: dict[str, list[object]] = {"shops": [channel], "systems": [], "couriers": []}
    sections[SECTIONS.get(shop.kind, "couriers")].append(entry(shop))
    file = tmp_path / "lockstep.yaml"
    file.write_text(json.dumps({"merchant": "m", **sections}), encoding="utf-8")
    assert load(file, {}).shops[1] == shop
