"""The task that keeps the channels: findings in, control records and alerts out."""

from collections.abc import Sequence

from schemas import topics
from schemas.records import Alert, ChannelControl, ChannelFinding
from streams import wire
from streams.channels import gate, rates
from streams.channels.state import Channel
from streams.lost import on_lost
from streams.policy import Policy
from streams.records import Context, Output, Record, Task


def apply(channel: Channel, finding: ChannelFinding, policy: Policy) -> Sequence[ChannelControl | Alert]:
    """Take one finding into the channel's state. Raises ValueError for a kind that nobody knows."""
    match finding.kind:
        case "conflict":
            return gate.conflict(channel, finding, policy)
        case "order_jumps":
            return gate.jumps(channel, finding, policy)
        case "pause" | "resume":
            return gate.command(channel, finding)
        case "paid":
            rates.paid(channel, finding)
            return []
        case "filtered":
            return rates.filtered(channel, finding, policy)
    raise ValueError(f"finding {finding.finding_id} of {finding.channel}: no finding is of the kind {finding.kind}")


def task(policy: Policy) -> Task:
    """Keyed by channel, from `channel.finding`."""

    def fold(state: Channel | None, record: Record, ctx: Context) -> tuple[Channel, list[Output]]:
        finding = wire.decode(record, ChannelFinding)
        channel = state or Channel(finding.channel)
        return channel, _outputs(apply(channel, finding, policy), wire.trace(record))

    def due(channel: Channel) -> float | None:
        at = gate.quiet_due(channel, policy)
        return None if at is None else at / 1000

    def on_due(key: bytes, channel: Channel, judged: float, ctx: Context) -> tuple[Channel, list[Output]]:
        return channel, _outputs(gate.quiet(channel, policy, round(judged * 1000)), None)

    return Task(
        name="channels",
        sources=(topics.CHANNEL_FINDING,),
        fold=fold,
        outputs=frozenset({topics.CHANNEL_CONTROL, topics.ALERT, topics.DEAD}),
        bury=wire.bury,
        state=Channel,
        changelog=topics.CHANNELS_CHANGELOG,
        due=due,
        on_due=on_due,
        on_lost=on_lost("channels"),
    )


def _outputs(effects: Sequence[ChannelControl | Alert], traceparent: bytes | None) -> list[Output]:
    return [_control(item, traceparent) if isinstance(item, ChannelControl) else wire.alert(item, traceparent) for item in effects]


def _control(control: ChannelControl, traceparent: bytes | None) -> Output:
    return wire.output(
        topics.CHANNEL_CONTROL,
        control.channel,
        control,
        event_id=f"{control.channel}/{control.seq}",
        source=wire.US,
        at=control.since,
        rekey=True,  # the control topic has one partition
        traceparent=traceparent,
    )
