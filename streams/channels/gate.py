"""Breaches, commands and the quiet time: what shuts and opens a channel's gate. Semantics §4, §5. Pure."""

from schemas.records import Alert, ChannelControl, ChannelFinding
from streams.channels.state import COMMANDS_KEPT, IDS_KEPT, NAMED, Channel
from streams.days import shanghai_day
from streams.policy import Policy

Effects = list[ChannelControl | Alert]
BREACHES = frozenset({"channel_conflicts", "order_jumps"})


def conflict(channel: Channel, finding: ChannelFinding, policy: Policy) -> Effects:
    """Count a conflict at its opening; the one above the limit of its day breaches.

    What was opened before the last resume does not count any more, whenever it is read.
    """
    if finding.at <= channel.resumed_at:
        return []
    day = channel.day(finding.at)
    if finding.finding_id in day.ids:
        return []
    if len(day.ids) < max(IDS_KEPT, policy.conflicts.max_per_day + 1):
        day.ids.append(finding.finding_id)
    if finding.order_key and len(day.orders) < NAMED and finding.order_key not in day.orders:
        day.orders.append(finding.order_key)
    day.conflicts += 1
    channel.last_conflict_at = max(channel.last_conflict_at, finding.at)
    if channel.state == "paused" or day.conflicts <= policy.conflicts.max_per_day:
        return []
    limit = {"count": str(day.conflicts), "limit": str(policy.conflicts.max_per_day), "day": shanghai_day(finding.at)}
    return _pause(channel, "channel_conflicts", finding, limit, (day.ids[-NAMED:], day.orders))


def jumps(channel: Channel, finding: ChannelFinding, policy: Policy) -> Effects:
    """An order has jumped too often: that breaches at once."""
    if channel.state == "paused" or finding.at <= channel.resumed_at:
        return []
    orders = [finding.order_key] if finding.order_key else []
    limit = {"count": str(policy.jumps.max_per_order + 1), "limit": str(policy.jumps.max_per_order)}
    return _pause(channel, "order_jumps", finding, limit, ([finding.finding_id], orders))


def command(channel: Channel, finding: ChannelFinding) -> Effects:
    """A person's pause or resume, once, however often it is read. What is already so is left as it is."""
    if finding.finding_id in channel.commands:
        return []
    channel.commands = [*channel.commands, finding.finding_id][-COMMANDS_KEPT:]
    if finding.kind == "resume":
        return [] if channel.state == "open" else _resume(channel, "open", "manual", finding.at, finding)
    if channel.state == "paused" and channel.reason == "manual":
        return []
    return _pause(channel, "manual", finding, {}, ([finding.finding_id], []))


def quiet_due(channel: Channel, policy: Policy) -> int | None:
    """When a quiet channel is opened by policy: half, then wholly. What a person has shut, a person opens."""
    quiet_since = max(channel.since, channel.last_conflict_at)
    if channel.state == "half_open":
        return quiet_since + policy.resume.open_after
    if channel.state == "paused" and channel.reason in BREACHES and policy.resume.after is not None:
        return quiet_since + policy.resume.after
    return None


def quiet(channel: Channel, policy: Policy, judged: int) -> Effects:
    """Open a channel whose quiet time is over; it carries the time at which that was due."""
    due = quiet_due(channel, policy)
    if due is None or due > judged:
        return []
    return _resume(channel, "half_open" if channel.state == "paused" else "open", "quiet", due, None)


def _pause(channel: Channel, reason: str, finding: ChannelFinding, limit: dict[str, str], named: tuple[list[str], list[str]]) -> Effects:
    evidence, orders = named
    channel.state, channel.reason, channel.since = "paused", reason, finding.at
    params = limit | {"orders": ", ".join(orders[:10])}
    return _issue(channel, finding if reason == "manual" else None, (list(evidence), list(orders)), params)


def _resume(channel: Channel, state: str, reason: str, at: int, finding: ChannelFinding | None) -> Effects:
    """Open the gate; after a pause, and by a person, the count of conflicts starts again."""
    if channel.state == "paused" or finding is not None:
        channel.resumed_at = max(channel.resumed_at, at)
        for day in channel.days.values():
            day.conflicts, day.ids, day.orders = 0, [], []
    channel.state, channel.reason, channel.since = state, reason, at
    return _issue(channel, finding, ([finding.finding_id] if finding else [], []), {})


def _issue(channel: Channel, person: ChannelFinding | None, named: tuple[list[str], list[str]], params: dict[str, str]) -> Effects:
    channel.seq += 1
    action, kind = ("pause", "channel_paused") if channel.state == "paused" else ("resume", "channel_resumed")
    by = (person.by if person else None) or "lockstep"
    why = person.detail if person else None
    control = ChannelControl(
        channel=channel.channel,
        seq=channel.seq,
        action=action,
        state=channel.state,
        reason=channel.reason,
        why=why,
        by=by,
        since=channel.since,
        evidence=named[0],
        order_keys=named[1],
    )
    notice = Alert(
        alert_key=f"{kind}:{channel.channel}:{channel.seq}",
        kind=kind,
        severity="critical" if action == "pause" else "info",
        at=channel.since,
        channel=channel.channel,
        order_key=named[1][0] if channel.reason == "order_jumps" and named[1] else None,
        params={"reason": channel.reason, "state": channel.state, "by": by, "why": why or "", **params},
    )
    return [control, notice]
