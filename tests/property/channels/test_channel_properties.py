"""Channels against a naive count, for any mix of findings, repeats and crashes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec, topics
from schemas.records import Alert, ChannelControl, ChannelFinding
from streams import wire
from streams.channels import agent
from streams.channels.state import Channel
from streams.days import shanghai_day
from streams.policy import DAY, HOUR, Conflicts, Policy
from streams.records.driver import Driver

START = 1_795_312_800_000
LIMIT = 3
POLICY = Policy(conflicts=Conflicts(max_per_day=LIMIT))
KINDS = st.sampled_from(["conflict"] * 8 + ["resume", "pause", "order_jumps", "paid", "paid", "filtered"])


@st.composite
def histories(draw: st.DrawFn) -> list[ChannelFinding]:
    """Findings in the order of their times over some days, some of them written twice, later on."""
    found, at = list[ChannelFinding](), START
    for n in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([1, 1000, HOUR, 5 * HOUR]))
        kind = draw(KINDS)
        found.append(
            ChannelFinding(
                finding_id=f"{kind}-{n}",
                channel="web",
                kind=kind,
                at=at,
                order_key=f"web:s1:{n}",
                rule_id="r",
                by="li",
                origin_partition=0,
                origin_offset=n,
            )
        )
    for item in draw(st.lists(st.sampled_from(found), max_size=8)):
        found.insert(draw(st.integers(found.index(item) + 1, len(found))), item)
    return found


def naive(findings: list[ChannelFinding]) -> list[tuple[str, str]]:
    """(action, reason) by the words of semantics §4 and §5, with everything remembered."""
    said, seen = list[tuple[str, str]](), set[str]()
    state, reason, counted = "open", "", dict[str, int]()
    for item in findings:
        if item.finding_id in seen:
            continue
        seen.add(item.finding_id)
        breach = None
        if item.kind == "conflict":
            day = shanghai_day(item.at)
            counted[day] = counted.get(day, 0) + 1
            breach = "channel_conflicts" if counted[day] > LIMIT else None
        elif item.kind == "order_jumps":
            breach = "order_jumps"
        elif item.kind == "pause" and (state, reason) != ("paused", "manual"):
            state, reason = "paused", "manual"
            said.append(("pause", reason))
        elif item.kind == "resume" and state == "paused":
            state, reason, counted = "open", "manual", {}
            said.append(("resume", reason))
        if breach and state == "open":
            state, reason = "paused", breach
            said.append(("pause", reason))
    return said


@given(histories())
@settings(max_examples=300)
def test_controls_are_those_of_a_naive_count(findings: list[ChannelFinding]) -> None:
    """Pauses and resumes, their order and reasons, are what counting by hand gives; seqs have no gap; alerts pair up."""
    channel = Channel("web")
    effects = [effect for item in findings for effect in agent.apply(channel, item, POLICY)]
    controls = [effect for effect in effects if isinstance(effect, ChannelControl)]
    assert [(control.action, control.reason) for control in controls] == naive(findings)
    assert [control.seq for control in controls] == list(range(1, len(controls) + 1))
    told = [effect for effect in effects if isinstance(effect, Alert) and effect.kind != "filter_rate"]
    assert [alert.kind for alert in told] == [f"channel_{control.action}d" for control in controls]


@given(histories())
@settings(max_examples=200)
def test_orders_are_counted_once_each_day(findings: list[ChannelFinding]) -> None:
    """Paid and filtered orders of a day are those of distinct origins, and one alert a rule and day at most."""
    channel = Channel("web")
    alerts = [
        effect.alert_key
        for item in findings
        for effect in agent.apply(channel, item, POLICY)
        if isinstance(effect, Alert) and effect.kind == "filter_rate"
    ]
    distinct = {item.finding_id: item for item in findings}.values()
    newest = max(findings, key=lambda item: item.at).at
    for name, day in channel.days.items():
        of_day = [item.kind for item in distinct if shanghai_day(item.at) == name]
        if name > shanghai_day(newest - 6 * DAY):
            assert (day.paid, sum(day.filtered.values())) == (of_day.count("paid"), of_day.count("filtered"))
    assert len(set(alerts)) == len(alerts)


@given(histories(), st.lists(st.integers(0, 25), max_size=3), st.integers(1, 5))
@settings(max_examples=100)
def test_crashes_change_no_control(findings: list[ChannelFinding], crashes: list[int], batch: int) -> None:
    """Killed at any effects, with any batches: the control records by seq are those of an undisturbed run."""
    steps, count = list(crashes), [0]

    def crash(effect: str) -> bool:
        count[0] += 1
        if steps and count[0] > steps[0]:
            del steps[0]
            count[0] = 0
            return True
        return False

    def controls(**options: Any) -> dict[int, ChannelControl]:
        run = Driver([agent.task(POLICY)], clock=START / 1000, **options)
        for item in findings:
            run.send(topics.CHANNEL_FINDING, b"web", codec.encode(item))
        run.run()
        found = [wire.decode(record, ChannelControl) for record in run.read(topics.CHANNEL_CONTROL)]
        assert len({codec.encode(control) for control in found}) == len({control.seq for control in found})
        return {control.seq: control for control in found}

    assert controls(batch=batch, crash=crash) == controls()
