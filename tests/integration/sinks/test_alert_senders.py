"""The outbox and its senders, on a real PostgreSQL and against a stand-in that checks signatures and answers as platforms do."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from schemas.records import Alert
from sinks.alerts import sender
from sinks.alerts.config import Bot, Sms
from sinks.alerts.routing import Router, alert_id
from sinks.alerts.sender import Senders
from sinks.postgres.commit import Batch, Committer
from sinks.postgres.database import Database
from tests.integration.sinks.bot import DINGTALK_SECRET, DINGTALK_TOKEN, SMS_SECRET, WECOM_KEY, StandIn, stand_in
from tests.integration.sinks.given import NOW

START = NOW / 1000


@dataclass
class Desk:
    """Senders that are stepped by hand, on a clock of their own."""

    database: Database
    router: Router
    bot: StandIn
    now: float = START
    senders: Senders = field(init=False)

    async def open(self) -> None:
        """Begin."""
        self.senders = Senders(self.database, self.router.targets, clock=lambda: self.now)
        await self.senders.open_session()  # without `start`: steps are made by hand
        for outbox in self.senders.outboxes.values():
            await outbox.meet()

    async def alert(self, count: int = 1, first: int = 0, **fields: Any) -> None:
        """Write alerts as the sink does."""
        told = {"kind": "conflict_opened", "severity": "warning", "order_key": "web:s1:A1", "channel": "web"} | fields
        batch = Batch()
        for n in range(first, first + count):
            batch.add(self.router.rows(Alert(alert_key=f"{told['kind']}:{n}", at=NOW, **told), int(self.now * 1000)))
        await Committer(self.database, linger=0).write(batch)

    async def step(self, target: str = "ding", times: int = 1) -> float:
        """Make steps; the wait after the last one."""
        wait = 0.0
        for _ in range(times):
            wait = await self.senders.step(target)
        return wait

    async def drain(self, target: str = "ding", *, until: float) -> None:
        """Step until nothing waits, advancing the clock as the sender would wait; at most so many seconds."""
        end = self.now + until
        while self.now < end:
            wait = await self.step(target)
            if not await self.rows("status = 'pending' AND target = $1", target):
                return
            self.now += wait

    async def rows(self, where: str = "true", *arguments: Any) -> list[dict[str, Any]]:
        """Rows of the outbox."""
        pool = await self.database.pool()
        return [
            dict(row) for row in await pool.fetch(f"SELECT * FROM lockstep.alerts WHERE {where} ORDER BY alert_key, target", *arguments)
        ]

    async def target(self, name: str = "ding") -> dict[str, Any]:
        """The target's row."""
        row = await (await self.database.pool()).fetchrow("SELECT * FROM lockstep.alert_targets WHERE target = $1", name)
        return dict(row or {})


MakeDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def make(fresh_postgres: str) -> AsyncIterator[MakeDesk]:
    """Make a desk with some of the targets ding, wecom, sms."""
    made: list[Desk] = []
    async with stand_in() as bot:

        async def desk(*names: str, receives: tuple[str, ...] = (), **options: Any) -> Desk:
            bots = {
                "ding": Bot("ding", "dingtalk", bot.url, DINGTALK_TOKEN, DINGTALK_SECRET, receives),
                "wecom": Bot("wecom", "wecom", bot.url, WECOM_KEY),
            }
            sms = Sms(bot.url + "/sms", SMS_SECRET) if "sms" in names else None
            router = Router(tuple(bots[name] for name in names if name in bots), sms, **options)
            one = Desk(Database(fresh_postgres), router, bot)
            await one.open()
            made.append(one)
            return one

        yield desk
        for each in made:
            await each.senders.stop()
            await each.database.close()


@pytest.mark.parametrize("target", ["ding", "wecom", "sms"])
async def test_message_is_signed_and_holds_the_alerts_id(make: MakeDesk, target: str) -> None:
    """Each platform takes the message as its own; it holds the alert's id, and the row becomes sent."""
    desk = await make(target)
    kind = "stall_sms" if target == "sms" else "conflict_opened"
    await desk.alert(kind=kind, parcel_key="zto:7", customer_id="c1")
    await desk.step(target)
    (row,) = await desk.rows()
    assert set(desk.bot.ids) == {row["alert_id"]} == {alert_id(f"{kind}:0", target)}
    assert (row["status"], row["attempts"], row["sent_at"].timestamp()) == ("sent", 1, START)
    if target == "sms":
        assert (desk.bot.taken[0]["customer_id"], desk.bot.taken[0]["parcel_key"]) == ("c1", "zto:7")


async def test_repeated_alert_is_sent_once(make: MakeDesk) -> None:
    """An alert that is written again, before or after it was sent, makes no second message."""
    desk = await make("ding")
    for _ in range(2):
        await desk.alert()
        await desk.alert()
        await desk.step(times=2)
    assert len(desk.bot.taken) == 1


async def test_kinds_find_their_targets(make: MakeDesk) -> None:
    """`receives` chooses kinds, empty takes all for teams; customers' messages go to the gateway; nobody's is unrouted, visibly."""
    desk = await make("ding", "wecom", "sms", receives=("channel_paused",))
    for kind in ("channel_paused", "conflict_opened", "stall_sms"):
        await desk.alert(kind=kind)
    found = {(row["kind"], row["target"]) for row in await desk.rows()}
    assert found == {("channel_paused", "ding"), ("channel_paused", "wecom"), ("conflict_opened", "wecom"), ("stall_sms", "sms")}
    alone = await make("ding", receives=("channel_paused",))
    await alone.alert(kind="risk_review")
    (row,) = await alone.rows("kind = 'risk_review'")
    assert (row["target"], row["status"]) == ("none", "unrouted")


async def test_no_minute_holds_more_than_twenty_and_digests_hold_all_ids(make: MakeDesk) -> None:
    """Of 90 alerts that come at once and 60 that trickle in, every id arrives once, in at most 20 messages in any minute."""
    desk = await make("ding")
    await desk.alert(90)
    times: list[float] = []
    for n in range(180):
        if n < 60:
            await desk.alert(first=1000 + n)
        while True:
            before = desk.bot.requests
            await desk.step()
            if desk.bot.requests == before:
                break
            times.append(desk.now)
        desk.now += 1
    expected = {row["alert_id"] for row in await desk.rows()}
    assert Counter(desk.bot.ids) == Counter(expected)
    assert len(expected) == 150
    assert all(sum(begin <= time <= begin + 60 for time in times) <= 20 for begin in times)
    assert {row["status"] for row in await desk.rows()} == {"sent"}
    slowest = max((row["sent_at"] - row["created_at"]).total_seconds() for row in await desk.rows())
    assert slowest < 20


async def test_critical_alerts_pass_first(make: MakeDesk) -> None:
    """With the bot's tokens nearly used up by warnings, a critical alert still goes at once, alone."""
    desk = await make("ding")
    for n in range(40):
        await desk.alert(first=n)
        await desk.step()
        desk.now += 0.5
    await desk.alert(30, first=100)
    await desk.alert(kind="channel_paused", severity="critical")
    await desk.step()
    assert "已暂停放单" in desk.bot.taken[-1]["text"]["content"]
    assert len(desk.bot.ids) == len(set(desk.bot.ids))
    (row,) = await desk.rows("kind = 'channel_paused'")
    assert row["status"] == "sent"


async def test_wecom_backlog_fits_its_small_messages(make: MakeDesk) -> None:
    """A backlog of 300 alerts goes to WeCom in digests of at most 2048 bytes, each id once."""
    desk = await make("wecom")
    await desk.alert(300)
    await desk.drain("wecom", until=600)
    assert Counter(desk.bot.ids) == Counter(row["alert_id"] for row in await desk.rows())
    assert len(desk.bot.taken) < 20


async def test_throttled_bot_is_left_in_peace(make: MakeDesk) -> None:
    """After errcode 130101 nothing is sent for as long as the body says, then everything as one digest."""
    desk = await make("ding")
    desk.bot.answers.append({"errcode": 130101, "errmsg": "send too fast", "wait": 120})
    await desk.alert(3)
    await desk.step()
    asked = desk.bot.requests
    for _ in range(11):
        desk.now += 10
        await desk.step()
    assert (desk.bot.requests, (await desk.target())["state"]) == (asked, "slow")
    desk.now += 15
    await desk.step()
    assert (len(desk.bot.taken), len(desk.bot.ids)) == (1, 3)
    assert (await desk.target())["state"] == "ok"


async def test_wecom_frequency_waits_and_goes_on(make: MakeDesk) -> None:
    """After errcode 45009 the same alert is sent later, with the same id."""
    desk = await make("wecom")
    desk.bot.answers.append(45009)
    await desk.alert()
    await desk.drain("wecom", until=200)
    (row,) = await desk.rows()
    assert (row["status"], row["attempts"], desk.bot.ids) == ("sent", 2, [row["alert_id"]])
    assert desk.now >= START + 60


@pytest.mark.parametrize(("target", "code"), [("ding", 310000), ("ding", 300005), ("wecom", 93000)])
async def test_configuration_error_is_not_retried(make: MakeDesk, caplog: pytest.LogCaptureFixture, target: str, code: int) -> None:
    """A wrong signature or key fails its alert at once, is said to the operator without the secret, and is not tried again."""
    desk = await make(target)
    desk.bot.answers.append(code)
    await desk.alert()
    with caplog.at_level(logging.INFO):
        await desk.step(target, times=3)
    (row,) = await desk.rows()
    assert (row["status"], row["attempts"], desk.bot.requests) == ("failed", 1, 1)
    assert f"errcode {code}" in row["error"]
    assert (await desk.target(target))["state"] == "misconfigured"
    assert "until its configuration is repaired" in caplog.text
    for secret in (DINGTALK_TOKEN, DINGTALK_SECRET, WECOM_KEY):
        assert secret not in caplog.text + row["error"]


async def test_repaired_configuration_brings_back_what_failed(make: MakeDesk) -> None:
    """When the target works again, what failed by its configuration is sent after all."""
    desk = await make("ding")
    desk.bot.answers.extend([310000])
    await desk.alert()
    await desk.step()
    desk.now += 60
    await desk.alert(first=1)
    await desk.drain(until=60)
    assert sorted(desk.bot.ids) == sorted(row["alert_id"] for row in await desk.rows())
    assert {row["status"] for row in await desk.rows()} == {"sent"}


@pytest.mark.parametrize("answer", [(500,), (503,), "hang", "garbage", -1])
async def test_passing_failure_is_tried_again(make: MakeDesk, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """An answer of 5xx, none, nonsense or busy is tried again after a moment, and the message arrives once."""
    monkeypatch.setattr(sender, "REQUEST_SECONDS", 0.3)
    desk = await make("ding")
    desk.bot.answers.append(answer)
    await desk.alert()
    await desk.drain(until=120)
    (row,) = await desk.rows()
    assert (row["status"], row["attempts"], desk.bot.ids) == ("sent", 2, [row["alert_id"]])


async def test_lost_answer_repeats_the_message_with_the_same_id(make: MakeDesk) -> None:
    """A connection reset after the message was read sends it once more: the reader sees one id."""
    desk = await make("ding")
    desk.bot.answers.append("reset")
    await desk.alert()
    await desk.drain(until=60)
    (row,) = await desk.rows()
    assert desk.bot.ids == [row["alert_id"]] * 2


async def test_database_that_fails_after_sending_doubles_no_message(make: MakeDesk, fresh_postgres: str) -> None:
    """Connections that die while a message is under way do not make it go twice."""
    desk = await make("ding")
    await desk.alert()
    killer = await asyncpg.connect(fresh_postgres)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    desk.bot.on_request = lambda: killer.fetch(kill)
    await desk.step(times=2)
    await killer.close()
    (row,) = await desk.rows()
    assert (row["status"], len(desk.bot.taken)) == ("sent", 1)


async def test_both_bots_dead_for_an_hour(make: MakeDesk) -> None:
    """Bots that are away for an hour are asked seldom; afterwards everything arrives, the oldest too, as a digest."""
    desk = await make("ding", "wecom")
    desk.bot.answers.extend([(502,)] * 500)
    for minute in range(60):
        await desk.alert(first=minute)
        for _ in range(6):
            for target in ("ding", "wecom"):
                await desk.step(target)
            desk.now += 10
    asked = desk.bot.requests
    assert asked <= 2 * 70
    desk.bot.answers.clear()
    for target in ("ding", "wecom"):
        await desk.drain(target, until=300)
    assert Counter(desk.bot.ids) == Counter(row["alert_id"] for row in await desk.rows())
    assert desk.bot.requests - asked <= 6
    assert {row["status"] for row in await desk.rows()} == {"sent"}


async def test_platform_that_stays_away_is_given_up_after_a_day(make: MakeDesk) -> None:
    """An alert that cannot be sent for a day fails, with the reason, and does not wait for ever."""
    desk = await make("ding")
    desk.bot.answers.extend([(500,)] * 10)
    await desk.alert()
    await desk.step()
    desk.now += 86_500
    await desk.step()
    (row,) = await desk.rows()
    assert (row["status"], row["error"]) == ("failed", "HTTP 500")


async def test_refused_sms_does_not_hold_the_others(make: MakeDesk) -> None:
    """A number that the gateway refuses is tried a few times and then failed; the next customer's message goes at once."""
    desk = await make("sms")
    await desk.alert(2, kind="stall_sms")
    desk.bot.answers.append(4711)
    await desk.step("sms", times=2)
    assert len(desk.bot.taken) == 1
    desk.bot.answers.extend([4711] * 20)
    await desk.drain("sms", until=3600)
    assert sorted(row["status"] for row in await desk.rows()) == ["failed", "sent"]
    assert max(row["attempts"] for row in await desk.rows()) == 8


async def test_worker_that_dies_after_sending_repeats_with_the_same_id(make: MakeDesk) -> None:
    """A claim whose worker died runs out after its lease, not before, and the message goes once more."""
    desk = await make("ding")
    await desk.alert()
    await desk.senders.outboxes["ding"].claim(desk.now)
    await desk.step()
    assert not desk.bot.taken
    desk.now += 61
    await desk.step()
    assert len(desk.bot.taken) == 1


async def test_workers_share_an_outbox(make: MakeDesk) -> None:
    """Three workers at once send each alert once and keep the limit together."""
    desks = [await make("ding") for _ in range(3)]
    await desks[0].alert(40, severity="critical", kind="channel_paused")
    await asyncio.gather(*(desk.step(times=12) for desk in desks))
    assert Counter(desks[0].bot.ids) == Counter(row["alert_id"] for row in await desks[0].rows())
    assert desks[0].bot.requests <= 20


async def test_quiet_hours_hold_customers_messages(make: MakeDesk) -> None:
    """In quiet hours a customer's message waits for their end; it is dropped, visibly, if the parcel has moved by then."""
    desk = await make("sms", quiet=(22 * 60, 8 * 60))
    desk.now = 1_763_823_600.0  # 23:00 in Shanghai
    await desk.alert(kind="stall_sms", parcel_key="zto:1")
    await desk.alert(first=1, kind="stall_sms", parcel_key="zto:2")
    pool = await desk.database.pool()
    for key, moved in (("zto:1", -3600), ("zto:2", 3600)):
        await pool.execute(
            "INSERT INTO lockstep.parcels (parcel_key, courier, tracking_no, version, last_movement_at, watching, episode, tier,"
            " observations, duplicates, updated_at) VALUES ($1, 'zto', '1', 1, to_timestamp($2), true, 1, 1, 1, 0, now())",
            key,
            NOW / 1000 + moved,
        )
    await desk.step("sms")
    assert not desk.bot.taken
    desk.now += 9 * 3600
    await desk.step("sms", times=2)
    assert [body["parcel_key"] for body in desk.bot.taken] == ["zto:1"]
    assert [row["status"] for row in await desk.rows()] == ["sent", "obsolete"]


async def test_senders_run_by_themselves(make: MakeDesk) -> None:
    """Started senders deliver what is written while they run, soon after they are poked, and end at once."""
    desk = await make("ding", "wecom")
    running = Senders(desk.database, desk.router.targets)
    await running.start()
    await asyncio.sleep(0.2)
    desk.now = asyncio.get_running_loop().time() + 1e9
    await desk.alert(3)
    running.poke()
    async with asyncio.timeout(5):
        while len(desk.bot.ids) < 6:
            desk.bot.asked.clear()
            await desk.bot.asked.wait()
        await running.stop()
