"""What the engine does with records that are not as they should be, and with topics that change under it."""

import asyncio
import json

import pytest
from aiokafka.partitioner import murmur2

from tests.integration.engine.harness import Bench, stop


async def test_bad_records_are_buried_alone(bench: Bench) -> None:
    """A fold that raises, an output that no broker takes and an undeclared topic bury their record, and no other."""
    bad = [(b"k1", b"poison"), (b"k1", b"big"), (b"k2", b"astray")]
    await bench.send([(b"k1", b"v"), (b"k2", b"v"), *bad, (b"k1", b"v"), (b"k2", b"v")])
    await bench.send((b"k%d" % number, b"by") for number in range(50))
    bench.start()
    told = await bench.until_told()
    await bench.settle()
    assert set(told) == bench.expected()
    letters = [dict(record.headers) for record in await bench.read("dead")]
    assert sorted(letter["reason"] for letter in letters) == [b"fold_failed", b"fold_failed", b"oversized"]
    assert all(len(letter["digest"]) == 16 for letter in letters)
    moved = await bench.read("by")
    assert len(moved) == 50
    for record in moved:  # outputs with another key go where Java clients would put them
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % bench.partitions


async def test_poison_flood_waits_and_goes_on(bench: Bench) -> None:
    """Too many failing records stop their partition, unburied; other partitions go on, and so does it when repaired."""
    await bench.send([(b"k1", b"v")])
    await bench.send((b"k1", b"poison") for _ in range(80))
    await bench.send((b"k%d" % number, b"v") for number in range(40))
    place = (murmur2(b"k1") & 0x7FFFFFFF) % bench.partitions
    elsewhere = {key for key, _ in bench.expected() if (murmur2(key.encode()) & 0x7FFFFFFF) % bench.partitions != place}
    worker = bench.start(STUCK_S=3)

    async def others() -> bool:
        return elsewhere <= {key for key, _ in await bench.told()}

    await bench.until(others, 30)
    await asyncio.sleep(5)  # longer than a lane may stand still: it waits, it is not stuck
    assert not await bench.read("dead")
    assert "records failed one after the other" in bench.logged()
    assert worker.poll() is None
    assert stop(worker) == 0


async def test_recreated_source_begins_anew(bench: Bench) -> None:
    """A source that is deleted and made anew is read from its beginning: its fences do not skip the new records."""
    await bench.send_random(2000, keys=50)
    bench.start(STUCK_S=4, METADATA_MS=2000)
    await bench.until_told()
    await bench.settle()
    await bench.recreate("in")
    await bench.send_random(300, keys=50, seed=2)
    told = await bench.until_told(60)
    await bench.settle()
    assert set(told) == bench.expected()
    assert "deleted and made anew" in bench.logged()


async def test_deadlines_fire_once_over_restarts(bench: Bench) -> None:
    """A key is dropped once, so long after its last record, also if its worker is killed in between."""
    await bench.send((b"k%d" % number, b"v") for number in range(300))
    worker = bench.start(INSTANCE="a", DUE_S=6)
    await bench.until_told()
    worker.kill()
    worker.wait()
    bench.start(INSTANCE="a", DUE_S=6)

    async def all_dropped() -> bool:
        return len(await bench.read("by")) >= 300

    await bench.until(all_dropped, 30)
    await asyncio.sleep(2)
    dropped = [json.loads(record.value)["key"] for record in await bench.read("by")]
    assert sorted(dropped) == sorted({f"k{number}" for number in range(300)})

    async def forgotten() -> bool:
        return not await bench.states()

    await bench.until(forgotten, 10)


@pytest.mark.chaos
async def test_renewal_is_not_noticed(bench: Bench) -> None:
    """A partition that is opened anew to renew its producer loses nothing and doubles nothing."""
    await bench.send_random(6000)
    bench.start(RENEW_S=2, STUCK_S=8, SLOW_MS=1, POLL=100)
    told = await bench.until_told(60)
    await bench.settle()
    assert set(told) == bench.expected()
    assert set(told.values()) == {1}
    assert bench.logged().count("opened at") > bench.partitions
