"""F31: local state corrupt or locked, disks of workers and brokers full."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import rocksdict
from aiokafka.errors import KafkaError

from ops.bench.pipeline.offsets import Offsets
from ops.bench.pipeline.rig import Rig
from ops.chaos.disk import NoSmallDisk, filled, small_disk
from tests.chaos.report import Row
from tests.chaos.site import Site, built
from tests.integration.pipeline.stage import RAW

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]


@pytest.fixture
def rocks(site: Site) -> Rig:
    """Stream workers of the site that keep their states in RocksDB."""
    file = site.rig.folder / "rocks.yaml"
    file.write_text(site.rig.config.read_text(encoding="utf-8") + "store: rocksdb\n", encoding="utf-8")
    return replace(site.outside, config=file)


def _stores(site: Site, instance: str = "1") -> list[Path]:
    found = sorted((site.rig.folder / instance / "state").glob("stream-*/lockstep-stream-*"))
    return [path for path in found if path.is_dir() and (path / "CURRENT").exists()]


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["corrupt", "locked", "truncated"])
async def test_f31_local_state_unusable(site: Site, row: Row, rocks: Rig, how: str) -> None:
    """A worker whose local state is corrupt or locked makes it anew from the changelog and goes on."""
    row.injected(f"RocksDB folders {how} while the worker is killed, then started")
    await site.roles()
    await site.settled()
    await site.stop("stream")
    given = await site.day(150, seed=3101)
    worker = site.base["stream"] = rocks.start("stream")
    await rocks.ready(worker)
    await given.send(0.6)
    await site.settled(worker)
    await site.rig.kill(worker)
    stores = _stores(site)
    handles = []
    for path in stores:
        if how == "locked":
            handles.append(rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True)))
            continue
        for file in [*path.glob("MANIFEST*"), *path.glob("*.sst"), *path.glob("*.log")]:
            file.write_bytes(b"" if how == "truncated" else os.urandom(max(64, file.stat().st_size)))
    row.saw(f"folder {how}", len(stores))
    began = time.monotonic()
    worker = site.base["stream"] = rocks.start("stream")
    await rocks.ready(worker)
    await site.fresh(row, since=began)
    await given.send()
    await given.holds(row)
    for handle in handles:
        handle.close()
    await site.stop("stream")


@pytest.mark.chaos
async def test_f31_local_disk_full(site: Site, row: Row, rocks: Rig) -> None:
    """A worker whose disk is full opens its partitions anew until there is room; nothing is lost meanwhile."""
    try:
        with small_disk(24) as disk:
            row.injected("the stream worker's RocksDB on a tmpfs of 24 MiB, filled to the last byte under load for 15 s")
            place = Rig(disk, rocks.config, rocks.kafka, rocks.dsn)
            try:
                await _on_a_full_disk(site, row, place)
            finally:
                await place.end()
                site.base.pop("stream", None)
    except NoSmallDisk as why:
        row.cannot(str(why))


async def _on_a_full_disk(site: Site, row: Row, place: Rig) -> None:
    await site.roles()
    await site.settled()
    await site.stop("stream")
    given = await site.day(400, seed=3102)
    worker = place.start("stream", "1")
    await place.ready(worker)
    await given.send(0.3)
    await site.settled(worker)
    with filled(place.folder):
        left = os.statvfs(place.folder)
        row.saw("disk with no byte left", int(left.f_bavail * left.f_bsize < 1 << 16))
        await given.send(0.4)
        await asyncio.sleep(15)
    if worker.popen.poll() is not None:
        row.holds(f"the worker ended with status {worker.popen.returncode}, for its supervisor to start it")
        worker = place.start("stream", "1")
    await site.fresh(row)
    await given.send()
    site.base["stream"] = worker
    await given.holds(row)


@pytest.fixture
def tight(request: pytest.FixtureRequest) -> Iterator[tuple[Path, Site] | str]:
    """An installation whose servers are on a small disk of their own; or why there is none."""
    try:
        with small_disk(220) as disk, built(disk) as own:
            yield disk, own
            asyncio.run(own.down())
    except NoSmallDisk as why:
        yield str(why)


@pytest.mark.chaos
async def test_f31_brokers_disk_full(row: Row, tight: tuple[Path, Site] | str) -> None:
    """When the only broker's disk is full all wait; with room again, and the broker started, everything is there once."""
    row.injected("Kafka's logs on a tmpfs of 220 MiB, filled to the last byte under load for 15 s; then room, and Kafka restarted")
    if isinstance(tight, str):
        row.cannot(tight)
        return
    disk, own = tight
    await own.begin()
    roles = await own.roles()
    given = await own.day(200, seed=3103)
    with filled(disk):
        row.saw("disk with no byte left", int(os.statvfs(disk).f_bavail * 4096 < 1 << 20))
        sending = asyncio.create_task(own.send(given.torture.says[:200]))
        await asyncio.sleep(15)
        died = not own.kafka.pids
    row.holds("Kafka ended itself" if died else "Kafka lived on")
    await own.kafka.kill()
    await own.kafka.start()
    began = time.monotonic()
    for role in roles:
        if role.popen.poll() is not None:
            own.base.pop(role.name, None)
    await own.roles()
    with contextlib.suppress(KafkaError):  # what is not acknowledged is sent again below
        await sending
    async with Offsets(own.rig.kafka) as offsets:
        own.sent = sum((await offsets.ends(RAW)).values())
    before = own.sent
    await own.fresh(row, since=began)
    await given.send()
    await own.settled(*own.base.values())
    own.records = list(own.load.records(given.torture.says))
    disturbed, undisturbed = await own.orders(), own.undisturbed()
    keys = [key for key in undisturbed if given.torture.marker in key]
    assert {key: disturbed.get(key) for key in keys} == {key: undisturbed[key] for key in keys}
    row.holds(f"{before} events were there before the restart; orders equal an undisturbed run")
    await own.books(row)
