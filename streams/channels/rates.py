"""How many of a channel's paid orders its rules filter: never silently. Semantics §8. Pure."""

from schemas.records import Alert, ChannelFinding
from streams.channels.state import Channel, counted_before
from streams.days import shanghai_day
from streams.policy import Policy


def paid(channel: Channel, finding: ChannelFinding) -> None:
    """Count a paid order, once."""
    day = channel.day(finding.at)
    if not counted_before(day, finding):
        day.paid += 1


def filtered(channel: Channel, finding: ChannelFinding, policy: Policy) -> list[Alert]:
    """Count a filtered order, once; alert when its rule takes too much of the day, once per rule and day."""
    day, rule = channel.day(finding.at), finding.rule_id or "?"
    if counted_before(day, finding):
        return []
    count = day.filtered[rule] = day.filtered.get(rule, 0) + 1
    if rule in day.alerted or count / max(day.paid, count) <= policy.filter_rate:
        return []
    day.alerted.append(rule)
    name = shanghai_day(finding.at)
    params = {"rule_id": rule, "day": name, "filtered": str(count), "paid": str(max(day.paid, count))}
    return [
        Alert(
            alert_key=f"filter_rate:{channel.channel}:{rule}:{name}",
            kind="filter_rate",
            severity="warning",
            at=finding.at,
            channel=channel.channel,
            order_key=finding.order_key,
            params=params | {"limit": f"{policy.filter_rate:.2%}"},
        )
    ]
