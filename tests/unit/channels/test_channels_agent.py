"""The channels task, on the test driver."""

from typing import Any

import pytest

from schemas import codec, topics
from schemas.records import Alert, ChannelControl, ChannelFinding, DeadLetter
from streams import wire
from streams.channels import agent
from streams.channels.state import Channel
from streams.policy import HOUR, Policy, Resume
from streams.records.driver import Driver

START = 1_795_320_000.0
NOON = int(START * 1000)


def driver(policy: Policy | None = None, **options: Any) -> Driver:
    """A driver with the channels task."""
    return Driver([agent.task(policy or Policy())], clock=START, **options)


def send(to: Driver, kind: str, n: int, at: int = NOON, channel: str = "web") -> None:
    """A finding as orders or the command line write it."""
    found = ChannelFinding(
        finding_id=f"{kind}-{n}",
        channel=channel,
        kind=kind,
        at=at,
        order_key=f"{channel}:s1:{n}",
        rule_id="r1",
        by="li",
        origin_partition=0,
        origin_offset=n,
    )
    to.send(topics.CHANNEL_FINDING, channel.encode(), codec.encode(found))


def controls(run: Driver) -> list[ChannelControl]:
    """The control records, in the order of writing."""
    return [wire.decode(record, ChannelControl) for record in run.read(topics.CHANNEL_CONTROL)]


def alert_keys(run: Driver) -> list[str]:
    """The alerts' keys, in the order of writing."""
    return [wire.decode(record, Alert).alert_key for record in run.read(topics.ALERT)]


def test_channels_are_counted_apart() -> None:
    """15 conflicts each of two channels pause neither; the 16th of one pauses that one."""
    run = driver(partitions=4)
    for n in range(15):
        send(run, "conflict", n)
        send(run, "conflict", n, channel="douyin")
    run.run()
    assert controls(run) == []
    send(run, "conflict", 15, channel="douyin")
    run.run()
    (control,) = controls(run)
    assert control.channel == "douyin"
    assert run.read(topics.CHANNEL_CONTROL)[0].key == b"douyin"


def test_an_unreadable_finding_is_buried_and_the_rest_goes_on() -> None:
    """Our own topic's garbage is a dead letter of kind internal, which is no fact of any source."""
    run = driver()
    run.send(topics.CHANNEL_FINDING, b"web", b"garbage")
    for n in range(16):
        send(run, "conflict", n)
    run.run()
    assert len(controls(run)) == 1
    (letter,) = (wire.decode(record, DeadLetter) for record in run.read(topics.DEAD))
    assert (letter.kind, letter.source, letter.reason) == ("internal", "lockstep", "fold_failed")


@pytest.mark.parametrize("when", range(0, 60, 1))
def test_a_crash_between_any_two_effects_pauses_once(when: int) -> None:
    """After a crash at each effect there is one pause and one resume, by seq, and the counts are right."""
    effects = iter(range(10_000))
    run = driver(crash=lambda _: next(effects) == when, batch=3)
    for n in range(20):
        send(run, "paid", n)
        send(run, "conflict", n)
    send(run, "resume", 1, NOON + 1)
    for n in range(15):
        send(run, "conflict", 100 + n, NOON + 2)
    run.run()
    found = {control.seq: control for control in controls(run)}
    assert [found[seq].action for seq in sorted(found)] == ["pause", "resume"]
    assert len({codec.encode(control) for control in controls(run)}) == 2
    assert set(alert_keys(run)) == {"channel_paused:web:1", "channel_resumed:web:2"}
    channel = run.state("channels", b"web")
    assert isinstance(channel, Channel)
    assert (channel.days["2026-11-22"].conflicts, channel.days["2026-11-22"].paid) == (15, 20)


def test_a_restart_in_between_keeps_the_count() -> None:
    """The worker that reads the 16th need not be the one that read the 15th."""
    run = driver()
    for n in range(15):
        send(run, "conflict", n)
    run.run()
    run.restart()
    assert controls(run) == []
    send(run, "conflict", 15)
    run.run()
    assert len(controls(run)) == 1


def test_a_quiet_channel_is_opened_by_the_clock() -> None:
    """With the policy, half open after the quiet time and open 30 minutes later, also over a restart."""
    run = driver(Policy(resume=Resume(after=HOUR)))
    for n in range(16):
        send(run, "conflict", n)
    run.run()
    run.advance(3599)
    assert len(controls(run)) == 1
    run.restart()
    run.advance(2)
    assert [control.state for control in controls(run)] == ["paused", "half_open"]
    run.advance(1800)
    assert [control.state for control in controls(run)] == ["paused", "half_open", "open"]
    assert run.errors == []
