"""Breaches, pauses and resumes of a channel, finding by finding."""

from typing import Any

import pytest

from schemas.records import Alert, ChannelControl, ChannelFinding
from streams.channels import gate
from streams.channels.agent import apply
from streams.channels.state import DAYS_KEPT, NAMED, Channel
from streams.policy import DAY, HOUR, MINUTE, Conflicts, Policy, Resume

NOON = 1_795_320_000_000  # 2026-11-22T04:00:00Z, 12:00 in Shanghai
MIDNIGHT = NOON + 12 * HOUR
POLICY = Policy()
Effects = list[ChannelControl | Alert]


def finding(kind: str, n: int, at: int = NOON, **more: Any) -> ChannelFinding:
    """The n-th finding of a kind; a person's commands have a name and a reason."""
    if kind in {"pause", "resume"}:
        more = {"by": "li", "detail": "because"} | more
    else:
        more = {"order_key": f"web:s1:{n}", "origin_partition": 0, "origin_offset": n} | more
    return ChannelFinding(finding_id=f"{kind}-{n}", channel="web", kind=kind, at=at, **more)


def feed(channel: Channel, *findings: ChannelFinding, policy: Policy = POLICY) -> Effects:
    """Everything that the findings lead to."""
    return [effect for item in findings for effect in apply(channel, item, policy)]


def conflicts(first: int, count: int, at: int = NOON) -> list[ChannelFinding]:
    """Conflicts of as many orders."""
    return [finding("conflict", n, at) for n in range(first, first + count)]


def controls(effects: Effects) -> list[ChannelControl]:
    """The control records among the effects."""
    return [effect for effect in effects if isinstance(effect, ChannelControl)]


def alerts(effects: Effects) -> list[Alert]:
    """The alerts among the effects."""
    return [effect for effect in effects if isinstance(effect, Alert)]


def test_the_fifteenth_conflict_does_not_pause() -> None:
    """The control topic stays empty as long as nothing breaches."""
    assert feed(Channel("web"), *conflicts(0, 15)) == []


def test_the_sixteenth_conflict_of_the_day_pauses_once() -> None:
    """One control record and one alert that names the breach; more conflicts change nothing."""
    channel = Channel("web")
    effects = feed(channel, *conflicts(0, 40))
    (control,), (alert,) = controls(effects), alerts(effects)
    assert (control.seq, control.action, control.state, control.reason) == (1, "pause", "paused", "channel_conflicts")
    assert (control.by, control.since) == ("lockstep", NOON)
    assert control.evidence == [f"conflict-{n}" for n in range(16)]
    assert control.order_keys == [f"web:s1:{n}" for n in range(16)]
    assert (alert.kind, alert.alert_key, alert.channel) == ("channel_paused", "channel_paused:web:1", "web")
    assert (alert.params["reason"], alert.params["count"], alert.params["limit"]) == ("channel_conflicts", "16", "15")
    assert channel.days["2026-11-22"].conflicts == 40


def test_the_limit_is_the_policys() -> None:
    """With a limit of 0 the first conflict pauses."""
    policy = Policy(conflicts=Conflicts(max_per_day=0))
    assert controls(feed(Channel("web"), *conflicts(0, 1), policy=policy))


def test_a_conflict_read_twice_counts_once() -> None:
    """The same finding written again after a crash is told by its id."""
    assert feed(Channel("web"), *conflicts(0, 15), *conflicts(0, 15)) == []


def test_two_conflicts_of_one_order_count_twice_and_name_it_once() -> None:
    """Conflicts are counted, not orders."""
    twice = [finding("conflict", n, order_key="web:s1:1") for n in range(16)]
    (control,) = controls(feed(Channel("web"), *twice))
    assert control.order_keys == ["web:s1:1"]


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    """15 conflicts before midnight and 15 after do not pause; the 16th after it does."""
    channel = Channel("web")
    assert feed(channel, *conflicts(0, 15, MIDNIGHT - 1), *conflicts(20, 15, MIDNIGHT)) == []
    (control,) = controls(feed(channel, finding("conflict", 99, MIDNIGHT + HOUR)))
    assert control.evidence == [*(f"conflict-{n}" for n in range(20, 35)), "conflict-99"]


def test_days_are_told_apart_in_any_order_of_reading() -> None:
    """Partitions of orders run apart: a conflict of yesterday read today counts for yesterday."""
    channel = Channel("web")
    mixed = [item for pair in zip(conflicts(0, 15, MIDNIGHT - 1), conflicts(20, 15, MIDNIGHT), strict=True) for item in pair]
    assert feed(channel, *mixed) == []
    assert controls(feed(channel, finding("conflict", 99, MIDNIGHT - 1)))


def test_an_order_that_jumps_too_often_pauses_at_once() -> None:
    """The breach of one order is enough, and the alert names the order."""
    channel = Channel("web")
    effects = feed(channel, finding("order_jumps", 7), finding("order_jumps", 8))
    (control,), (alert,) = controls(effects), alerts(effects)
    assert (control.reason, control.order_keys, control.evidence) == ("order_jumps", ["web:s1:7"], ["order_jumps-7"])
    assert (alert.order_key, alert.params["limit"]) == ("web:s1:7", "3")


def test_resume_is_a_persons_act_and_is_told() -> None:
    """It carries who and why, with the next seq."""
    channel = Channel("web")
    feed(channel, *conflicts(0, 16))
    effects = feed(channel, finding("resume", 1, NOON + 1))
    (control,), (alert,) = controls(effects), alerts(effects)
    assert (control.seq, control.action, control.state, control.reason) == (2, "resume", "open", "manual")
    assert (control.by, control.why, control.since) == ("li", "because", NOON + 1)
    assert (alert.kind, alert.params["by"]) == ("channel_resumed", "li")


def test_the_days_count_starts_again_from_the_resume() -> None:
    """15 more conflicts of the same day do not pause, the 16th after the resume does."""
    channel = Channel("web")
    feed(channel, *conflicts(0, 20), finding("resume", 1, NOON + 1))
    assert feed(channel, *conflicts(100, 15, NOON + 2)) == []
    (control,) = controls(feed(channel, *conflicts(200, 1, NOON + 2)))
    assert control.evidence[0] == "conflict-100"
    assert control.seq == 3


def test_what_was_opened_before_the_resume_does_not_count_after_it() -> None:
    """A straggler of another partition, or a repeat after a crash, does not shut the channel again."""
    channel = Channel("web")
    feed(channel, *conflicts(0, 16), finding("resume", 1, NOON + 10))
    assert feed(channel, *conflicts(0, 60, NOON), *conflicts(100, 60, NOON + 10), finding("order_jumps", 1, NOON)) == []


def test_a_command_read_twice_is_obeyed_once() -> None:
    """A resume that is read again does not open a channel that was paused since, nor a pause shut one."""
    channel = Channel("web")
    feed(channel, *conflicts(0, 16), finding("resume", 1, NOON + 1), *conflicts(100, 16, NOON + 2))
    assert feed(channel, finding("resume", 1, NOON + 1)) == []
    assert channel.state == "paused"
    feed(channel, finding("pause", 5, NOON + 3), finding("resume", 2, NOON + 4))
    assert feed(channel, finding("pause", 5, NOON + 3)) == []
    assert channel.state == "open"


def test_a_manual_pause_shuts_an_open_channel() -> None:
    """By a person, with the reason, and an alert."""
    effects = feed(Channel("web"), finding("pause", 1))
    (control,), (alert,) = controls(effects), alerts(effects)
    assert (control.action, control.reason, control.by, control.why) == ("pause", "manual", "li", "because")
    assert (alert.kind, alert.params["reason"]) == ("channel_paused", "manual")


def test_what_is_already_so_stays_as_it_is() -> None:
    """A resume of an open channel and a second manual pause write nothing: the topic is empty until the first pause."""
    channel = Channel("web")
    assert feed(channel, finding("resume", 1)) == []
    feed(channel, finding("pause", 1))
    assert feed(channel, finding("pause", 2, NOON + 5)) == []


def test_a_person_takes_over_a_pause_by_breach() -> None:
    """From then on only a person opens the channel, whatever the policy says of quiet times."""
    policy = Policy(resume=Resume(after=HOUR))
    channel = Channel("web")
    feed(channel, *conflicts(0, 16), policy=policy)
    assert gate.quiet_due(channel, policy) == NOON + HOUR
    (control,) = controls(feed(channel, finding("pause", 1, NOON + 1), policy=policy))
    assert (control.reason, control.seq) == ("manual", 2)
    assert gate.quiet_due(channel, policy) is None


def test_no_policy_no_resume() -> None:
    """By default a paused channel waits for a person without end."""
    channel = Channel("web")
    feed(channel, *conflicts(0, 16))
    assert gate.quiet_due(channel, POLICY) is None
    assert gate.quiet(channel, POLICY, NOON + 100 * DAY) == []


def test_a_quiet_channel_opens_half_then_wholly() -> None:
    """After the quiet time half open, after 30 more minutes without a conflict open; each carries its due time."""
    policy = Policy(resume=Resume(after=HOUR))
    channel = Channel("web")
    feed(channel, *conflicts(0, 16), finding("conflict", 50, NOON + MINUTE), policy=policy)
    assert gate.quiet(channel, policy, NOON + MINUTE + HOUR - 1) == []
    (half, *_) = controls(gate.quiet(channel, policy, NOON + 5 * HOUR))
    assert (half.action, half.state, half.reason, half.by) == ("resume", "half_open", "quiet", "lockstep")
    assert half.since == NOON + MINUTE + HOUR
    feed(channel, finding("conflict", 51, half.since + MINUTE), policy=policy)
    due = half.since + 31 * MINUTE
    assert gate.quiet(channel, policy, due - 1) == []
    (whole, *_) = controls(gate.quiet(channel, policy, due + HOUR))
    assert (whole.state, whole.since) == ("open", due)
    assert gate.quiet_due(channel, policy) is None


def test_a_breach_shuts_a_half_open_channel() -> None:
    """The count began anew at the half opening, so the 16th conflict since then pauses; full opening keeps the count."""
    policy = Policy(resume=Resume(after=HOUR))
    channel = Channel("web")
    feed(channel, *conflicts(0, 16), policy=policy)
    gate.quiet(channel, policy, NOON + HOUR)
    after = NOON + HOUR + 1
    assert controls(feed(channel, *conflicts(100, 15, after), policy=policy)) == []
    gate.quiet(channel, policy, after + HOUR)
    assert channel.state == "open"
    assert controls(feed(channel, *conflicts(200, 1, after + HOUR), policy=policy))


def test_a_control_record_is_bounded() -> None:
    """With a limit of 500 the record names 50 findings and 50 orders."""
    policy = Policy(conflicts=Conflicts(max_per_day=500))
    (control,) = controls(feed(Channel("web"), *conflicts(0, 501), policy=policy))
    assert (len(control.evidence), len(control.order_keys)) == (NAMED, NAMED)


def test_old_days_are_forgotten() -> None:
    """A channel's state does not grow with its age."""
    channel = Channel("web")
    for day in range(60):
        feed(channel, finding("paid", day, NOON + day * DAY))
    assert len(channel.days) == DAYS_KEPT


def test_an_unknown_kind_is_an_error() -> None:
    """A finding that nobody understands is buried, not passed over."""
    with pytest.raises(ValueError, match="kind gossip"):
        feed(Channel("web"), finding("gossip", 1))


def test_the_first_filtered_order_of_the_day_alerts() -> None:
    """One of one is more than 1 %: a rule that filters is seen from the first order on, once."""
    channel = Channel("web")
    feed(channel, finding("paid", 1))
    (alert,) = alerts(feed(channel, finding("filtered", 1, rule_id="r1"), finding("filtered", 2, rule_id="r1")))
    assert (alert.kind, alert.alert_key) == ("filter_rate", "filter_rate:web:r1:2026-11-22")
    assert (alert.params["filtered"], alert.params["paid"], alert.params["rule_id"]) == ("1", "1", "r1")


def test_exactly_one_percent_is_not_more() -> None:
    """1 of 100 is silent, 2 of 199 alert, 2 of 200 do not."""
    for paid, filtered, told in ((100, 1, False), (99, 1, True), (200, 2, False), (199, 2, True), (5700, 57, False)):
        channel = Channel("web")
        feed(channel, *(finding("paid", n) for n in range(paid)))
        first = feed(channel, *(finding("filtered", n, rule_id="r1") for n in range(filtered)))
        assert bool(first) is told


def test_each_rule_and_day_has_its_own_alert() -> None:
    """Another rule alerts for itself, and the same rule again on the next day, for each channel once."""
    channel = Channel("web")
    found = feed(
        channel,
        finding("filtered", 1, rule_id="r1"),
        finding("filtered", 2, rule_id="r2"),
        finding("filtered", 3, MIDNIGHT, rule_id="r1"),
        finding("filtered", 4, MIDNIGHT, rule_id="r1"),
    )
    assert [alert.alert_key for alert in alerts(found)] == [
        "filter_rate:web:r1:2026-11-22",
        "filter_rate:web:r2:2026-11-22",
        "filter_rate:web:r1:2026-11-23",
    ]


def test_repeated_findings_do_not_move_the_rate() -> None:
    """Paid and filtered orders written again after a crash are told by their origin, partition by partition."""
    channel = Channel("web")
    batch = [finding("paid", n) for n in range(50)] + [finding("paid", n, origin_partition=1) for n in range(50)]
    feed(channel, *batch, *batch[10:], *batch)
    feed(channel, finding("filtered", 3, rule_id="r"), finding("filtered", 3, rule_id="r"))
    day = channel.days["2026-11-22"]
    assert (day.paid, day.filtered) == (100, {"r": 1})


def test_orders_without_an_origin_are_told_by_their_id() -> None:
    """What a tick has led to has no offset; it still counts, and once."""
    channel = Channel("web")
    ticked = [finding("paid", n, origin_partition=-1, origin_offset=-1) for n in range(3)]
    feed(channel, *ticked, *ticked)
    assert channel.days["2026-11-22"].paid == 3
