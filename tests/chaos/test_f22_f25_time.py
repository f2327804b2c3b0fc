"""F22–F25 and F33: clocks that jump, deadlines that pass while nobody looks, two that look at once, policies that change."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from ops.bench.pipeline.rig import Process, Rig
from ops.chaos.processes import skewed
from ops.simulator import normal, parcels
from ops.simulator.day import Day
from ops.simulator.facts import Say
from schemas import topics
from schemas.records import Alert, Stall
from streams.policy import MINUTE
from tests.chaos.report import Row
from tests.chaos.site import Site
from tests.integration.sinks.bot import stand_in
from tests.unit.orders.orders_given import Play, fact
from tests.unit.streams.test_stream_role import Merchant

pytestmark = [pytest.mark.server, pytest.mark.timeout(200)]
DAY, HOUR = 86_400.0, 3_600.0
MS = 1 / MINUTE  # the given facts count minutes
CONFLICTS = "SELECT count(*) FROM lockstep.conflicts WHERE order_key = ANY($1)"
STALLS = "SELECT count(*) FROM lockstep.stalls WHERE parcel_key = ANY($1)"


@dataclass
class _Skewed(Rig):
    """Starts roles whose clock is off by what a file says."""

    def _python(self, name: str) -> Sequence[str]:
        return skewed(self.folder / "offset")


def _rig(site: Site) -> _Skewed:
    there = site.outside
    return _Skewed(there.folder, there.config, there.kafka, there.dsn, there.profile, there.processes, there._ports)


def _open_deadlines(day: Day) -> tuple[list[str], list[str]]:
    """20 orders that the ERP has to answer within the next 8 minutes, and 10 parcels that must move within the hour."""
    for _ in range(20):
        order = day.order("web")
        normal.paid(day, order, day.ago(minutes=2), erp=False)
    orders = [said.order.key for said in day.phase.says if isinstance(said, Say)]
    moving = []
    for _ in range(10):
        order = day.order("web", courier="zto")
        normal.paid(day, order, day.ago(minutes=300))
        normal.shipped(day, order, day.ago(minutes=70))
        day.say("zto", order, "PickedUp", day.ago(minutes=60), axis="parcel")
        moving.append(order.parcel_key)
    return orders, moving


@pytest.mark.chaos
async def test_f22_clock_jumps_while_running(site: Site, row: Row) -> None:
    """When a running worker's clock jumps a day ahead, then an hour back, no deadline comes early and nothing stands still."""
    row.injected("wall clock of a running stream worker set +1 d, then −1 h, then right, with 30 deadlines open")
    await site.roles()
    await site.settled()
    await site.stop("stream")
    offset = site.rig.folder / "offset"
    offset.write_text("0")
    worker = site.base["stream"] = _rig(site).start("stream")
    await site.rig.ready(worker)
    day = Day(2201, int(time.time() * 1000), {"web": "s1"})
    orders, moving = _open_deadlines(day)
    await site.send([said for said in day.phase.says if isinstance(said, Say)])
    await site.settled()
    for jump in (DAY, -HOUR, 0.0):
        offset.write_text(str(jump))
        await asyncio.sleep(6)
        row.saw("clock jump")
        await site.fresh(row)
        assert await site.count(CONFLICTS, orders) == 0, f"a deadline came early when the clock jumped by {jump:.0f} s"
        assert await site.count(STALLS, moving) == 0, f"a parcel stalled early when the clock jumped by {jump:.0f} s"
    assert worker.popen.poll() is None
    row.holds("no conflict, no stall; fresh orders go on")
    await site.stop("stream")
    await site.roles()
    await site.settled()
    await site.books(row)


@pytest.mark.chaos
async def test_f23_deadline_due_in_a_downtime(site: Site, row: Row) -> None:
    """A tier that comes due while every role is down is judged after the start, once, by all that came meanwhile."""
    row.injected("all roles down while four parcels' first tier falls due; two of them move meanwhile")
    await site.roles()
    await site.settled()
    day = Day(2301, int(time.time() * 1000), {"web": "s1"})
    orders = [parcels.stalls_soon(day, 8) for _ in range(4)]
    await site.send(sorted((said for said in day.phase.says if isinstance(said, Say)), key=lambda said: said.play))
    await site.settled()
    await site.stop()
    day.begin()
    for order in orders[:2]:
        day.say(order.courier, order, "InTransit", day.now + 1000, axis="parcel")
    await site.send([said for said in day.phase.says if isinstance(said, Say)])
    await asyncio.sleep(max(0.0, day.now / 1000 + 10 - time.time()))
    row.saw("deadline passed while all were down", 4)
    began = time.monotonic()
    await site.roles()
    await site.fresh(row, since=began)
    still = [order.parcel_key for order in orders[2:]]
    await site.until(lambda: _is(site, STALLS, still, 2), 30, "the two that stood still are said")
    await site.settled()
    assert await site.count(STALLS, [order.parcel_key for order in orders]) == 2
    sms = "SELECT count(*) FROM lockstep.alerts WHERE kind = 'stall_sms' AND parcel_key = ANY($1)"
    assert await site.count(sms, still) == 2
    row.holds("each of the two that stood still has one row and one alert; the two that moved have none")
    await site.books(row)


async def _is(site: Site, query: str, keys: list[str], count: int) -> bool:
    return await site.count(query, keys) == count


def test_f23_all_tiers_due_in_a_downtime(row: Row) -> None:
    """When 2 h, 6 h and 24 h all passed in a downtime there is a row for each tier and one alert, of the highest."""
    row.injected("virtual clock: 30 h pass between kill and start, with a parcel under watch")
    merchant = Merchant()
    merchant.node(1, "PickedUp")
    merchant.settle()
    merchant.run.clock += 30 * 3600
    merchant.run.restart()
    merchant.settle()
    tiers = sorted(stall.tier for stall in merchant.said(topics.PARCEL_STALL, Stall))
    assert tiers == [1, 2, 3]
    row.saw("deadline passed while all were down", len(tiers))
    told = {alert.alert_key: alert.kind for alert in merchant.said(topics.ALERT, Alert)}
    assert [kind for kind in told.values() if kind.startswith("stall")] == ["stall_compensation"]
    row.holds("three rows, one alert of the highest tier")


@pytest.mark.parametrize("after", [-1, 0, 1])
def test_f24_answer_exactly_at_the_deadline(row: Row, after: int) -> None:
    """An answer received at its deadline, or a millisecond before, is in time; one a millisecond later is not."""
    row.injected(f"virtual clock: the ERP's answer is received {after:+d} ms from the deadline, and read before or after the judgement")
    for read_first in (True, False):
        play = Play(fact("web", "PaymentConfirmed", 0))
        answer = fact("erp", "PaymentConfirmed", 1, received=10 + after * MS)
        if read_first or after <= 0:  # the engine judges a deadline only after all that was received before it has been read
            play.tell(answer).judge(10 + after * MS + 5)
        else:
            play.judge(10).tell(answer).judge(15)
        opened = [kind for kind, state, _ in play.conflicts if state == "opened"]
        assert opened == ([] if after <= 0 else ["paid_not_received"]), (read_first, play.conflicts)
        row.saw("deadline met to the millisecond")
    row.holds("in time" if after <= 0 else "one conflict, opened and closed")


@pytest.mark.chaos
async def test_f25_two_of_each(site: Site, row: Row) -> None:
    """Two stream and two sink workers tick and send at once: each deadline is said once, each alert is sent once."""
    row.injected("two stream and two sink workers on 12 parcels that fall due, with a bot that counts")
    await site.roles()
    await site.settled()
    await site.clear_alerts()
    second = [site.start("stream", "2"), site.start("sink", "2")]
    await site.rig.ready(*second)
    day = Day(2501, int(time.time() * 1000), {"web": "s1"})
    stalled = [parcels.stalled(day, 2) for _ in range(12)]
    async with stand_in(site.bot_port) as bot:
        await site.send(sorted((said for said in day.phase.says if isinstance(said, Say)), key=lambda said: said.play))
        await site.fresh(row)
        await site.settled(*second)
        keys = [order.parcel_key for order in stalled]
        sent = "SELECT count(*) FROM lockstep.alerts WHERE target = 'ding' AND status = 'sent' AND parcel_key = ANY($1)"
        await site.until(lambda: _is(site, sent, keys, 12), 90, "all alerts are sent")
        taken = Counter(bot.ids)
    assert await site.count(STALLS, keys) == 24  # tiers 1 and 2
    assert len(taken) >= 12
    assert set(taken.values()) == {1}, taken
    row.saw("alert that two workers could have sent", len(taken))
    row.holds(f"24 stall rows, {len(taken)} alerts taken by the bot once each")
    await site.books(row)


@pytest.mark.chaos
async def test_f33_policy_changed_while_deadlines_are_open(site: Site, row: Row) -> None:
    """A deadline that is open keeps the time it was opened with; what comes after the change is judged by the new policy."""
    row.injected("stream restarted with `paid_not_received: 5s` while deadlines of the old 10 min are open")
    await site.roles()
    await site.settled()
    day = Day(3301, int(time.time() * 1000), {"web": "s1"})
    old = await _unanswered(site, day)
    await site.settled()
    await site.stop("stream")
    changed = site.rig.folder / "changed.yaml"
    text = site.rig.config.read_text(encoding="utf-8")
    policy = "conflicts: {max_per_day: 100000, grace: 1s}\n  expectations: {paid_not_received: 5s}"
    changed.write_text(text.replace("conflicts: {max_per_day: 100000}", policy), encoding="utf-8")
    worker: Process = replace(site.outside, config=changed).start("stream")
    await site.rig.ready(worker)
    new = await _unanswered(site, day)
    await site.until(lambda: _is(site, CONFLICTS, new, len(new)), 40, "new orders are judged by the new policy")
    row.saw("deadline of the new policy", len(new))
    await site.fresh(row)
    assert await site.count(CONFLICTS, old) == 0
    row.saw("deadline of the old policy", len(old))
    row.holds("no order that was open before the change has a conflict; every one after it has")
    await site.rig.stop(worker)
    await site.roles()
    await site.settled()
    await site.books(row)


async def _unanswered(site: Site, day: Day) -> list[str]:
    """Ten orders paid two minutes ago that the ERP knows nothing of."""
    day.begin()
    for _ in range(10):
        normal.paid(day, day.order("web"), day.ago(minutes=2), erp=False)
    says = [said for said in day.phase.says if isinstance(said, Say)]
    await site.send(says)
    return [said.order.key for said in says]
