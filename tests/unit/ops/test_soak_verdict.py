"""The soak's verdict, its samples and its flood, without servers."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from ops.bench.soak import bot, plot, proc
from ops.bench.soak.flood import Flood, configuration
from ops.bench.soak.run import Options
from ops.bench.soak.sample import Sample, told
from ops.bench.soak.verdict import Judged, judge
from ops.config import load
from schemas.codec import decode
from schemas.records import RawEvent

MB = 1_000_000


def _series(of: Callable[[int], float], name: str = "stream-1.resident", samples: int = 60) -> list[Sample]:
    return [{"at": 5.0 * n, "read": 1000.0 * n, name: of(n)} for n in range(samples)]


def _judged(samples: list[Sample]) -> Judged:
    (one,) = judge(samples)
    return one


@pytest.mark.parametrize(
    ("what", "of", "flat"),
    [
        ("flat", lambda _: 300 * MB, True),
        ("a saw", lambda n: (300 + 40 * (n % 5)) * MB, True),
        ("warms up in the first third", lambda n: min(n, 18) * 20 * MB, True),
        ("a leak of 2 MB a sample", lambda n: (200 + 2 * n + 30 * (n > 40)) * MB, False),
        ("a step in the last third", lambda n: (200 if n < 42 else 300) * MB, False),
    ],
)
def test_growth_is_told_from_warming_up(what: str, of: Callable[[int], float], *, flat: bool) -> None:
    """What grows after the warm-up is not flat; a saw, and what fills up at first, are."""
    assert _judged(_series(of)).flat is flat, what


def test_more_load_explains_a_larger_state_but_no_leak() -> None:
    """A state that grows as the rate does is flat; one that doubles at a rate a quarter higher is not."""

    def at(n: int, factor: float) -> Sample:
        return {"at": 5.0 * n, "read": 5_000.0 * n + max(0, n - 40) * 1_250.0, "stream-1.state_keys": 100_000 * (factor if n > 40 else 1)}

    assert _judged([at(n, 1.25) for n in range(60)]).flat
    assert not _judged([at(n, 2.0) for n in range(60)]).flat


def test_a_bound_holds_at_every_moment() -> None:
    """A single sample above the bound of a lag, or one lost record, spoils the verdict."""
    assert _judged(_series(lambda _: 30_000, "raw_lag")).flat
    assert not _judged(_series(lambda n: 90_000 if n == 3 else 10, "raw_lag")).flat
    assert not _judged(_series(lambda n: float(n == 59), "stream-1.lost")).flat


def test_too_few_samples_make_no_verdict() -> None:
    """A soak that is too short says so instead of saying that all is well."""
    with pytest.raises(ValueError, match="too few"):
        judge(_series(lambda _: 1, samples=5))


def test_what_has_no_rule_is_not_judged() -> None:
    """Rows that are kept for good may grow."""
    assert judge(_series(lambda n: n * 1e9, "database")) == []


def test_metrics_of_a_role_become_series() -> None:
    """Gauges are summed over partitions, those of states for each task; what is not ours is left out."""
    registry = CollectorRegistry()
    keys = Gauge("lockstep_engine_state_keys", "x", ("task", "partition"), registry=registry)
    keys.labels("orders", "0").set(3)
    keys.labels("orders", "1").set(4)
    Gauge("lockstep_engine_asyncio_tasks", "x", registry=registry).set(9)
    Gauge("something_else", "x", registry=registry).set(1)
    assert told(generate_latest(registry).decode()) == {"orders.state_keys": 7.0, "tasks": 9.0}


def test_a_process_is_sized() -> None:
    """This process has memory, files and a thread; a file more is seen, and one that is gone counts nothing."""
    before = proc.of([os.getpid()])
    with Path("/dev/null").open() as _:
        assert proc.of([os.getpid()]).files == before.files + 1
    assert before.resident > MB
    assert before.threads >= 1
    assert proc.of([2**22 + 1]) == proc.Size(0, 0, 0)


def test_the_flood_says_what_it_counts(tmp_path: Path) -> None:
    """Each fact is one raw record, with duplicates and garbage among them, and no order number comes twice."""
    file = tmp_path / "lockstep.yaml"
    file.write_text(configuration(20, "http://127.0.0.1:9"))
    config, now = load(file), int(time.time() * 1000)
    assert config.policy.order_retention == config.policy.parcel_retention == 20_000
    flood = Flood(config.shops, 1, now)
    records = [record for _ in range(3) for record in flood.next(400, now)]
    key, fresh = flood.one(now)
    assert len(records) + len(fresh) == flood.facts
    events = [decode(record.value, RawEvent).event_id for record in records]
    assert 0 < len(events) - len(set(events)) < 0.05 * len(events)
    assert any(b"\xff no message" in record.value for record in records)
    assert any(b"WaitGift" in record.value for record in records)
    assert key.encode() not in {record.key for record in records}


def test_retentions_fit_into_the_warm_up() -> None:
    """What an order that never ends is kept for, four retentions, is less than the first third of a soak of 20 minutes."""
    options = Options(minutes=20)
    assert options.retention * 4 < 20 * 60 * 0.4
    assert options.interval == 5.0


async def test_the_bot_has_its_moods() -> None:
    """Of forty messages most are taken, some fail, and one is left without an answer."""
    robot = bot.MoodyBot()
    moods = [robot.mood() for _ in range(40)]
    assert {"taken", "slow", "error", "busy", "silent"} == set(moods)
    assert moods.count("taken") + moods.count("slow") > 24
    async with (
        asyncio.timeout(10),
        bot.serving(bot.MoodyBot()) as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/robot/send", json={}) as answer,
    ):
        assert json.loads(await answer.text())["errcode"] == 0


def test_samples_become_a_page_of_plots(tmp_path: Path) -> None:
    """The plot is a PNG, also where series are missing from some samples."""
    samples = _series(lambda _: 300 * MB)
    samples[3]["outbox"] = 7.0
    plot.draw(samples, "a soak", tmp_path / "soak.png")
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")
    assert plot.with_rate(samples)[-1]["rate"] == pytest.approx(200.0)
