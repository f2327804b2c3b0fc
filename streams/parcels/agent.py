"""The task that keeps the parcels: nodes and links in; state, stalls, alerts and what parcels say of orders out."""

from collections.abc import Iterable

import msgspec

from schemas import topics
from schemas.records import Alert, Observation, ParcelObservation, ParcelState, Stall
from streams import wire
from streams.lost import on_lost
from streams.parcels import alerts, links, nodes, procedures, watch
from streams.parcels.state import Parcel
from streams.policy import Policy
from streams.records import Context, Output, Record, Task

Effect = Stall | Alert | Observation


def apply(parcel: Parcel, fact: ParcelObservation, policy: Policy, place: bytes | None = None) -> list[Effect]:
    """Take one node or link into the parcel; `place` is that of the raw event, see `nodes.novelty`.

    Raises:
        ValueError: the fact is neither, or links to nothing.
    """
    match fact.kind:
        case "node":
            novelty = nodes.novelty(parcel, fact, place, policy)
            if novelty is nodes.REPLAY:
                return []
            effects = _node(parcel, fact, policy) if novelty is nodes.NEW else []
        case "link":
            known = (parcel.order_key, parcel.customer_id, len(parcel.orders))
            effects = [*links.take(parcel, fact)]
            if known == (parcel.order_key, parcel.customer_id, len(parcel.orders)):
                return []
        case _:
            raise ValueError(f"parcel {fact.parcel_key}: a fact is a node or a link, not {fact.kind!r}")
    parcel.updated_at = max(parcel.updated_at, fact.received_at)
    parcel.changed()
    return [*effects, *_risk(parcel, policy)]


def _node(parcel: Parcel, node: ParcelObservation, policy: Policy) -> list[Effect]:
    effects: list[Effect] = [*watch.over_before(parcel, node, policy)]
    word = nodes.says(parcel, node)
    held_before = parcel.reason if parcel.status == "Held" else None
    if nodes.take(parcel, node):
        parcel.reason = reason = (procedures.reason_of(node) or procedures.OTHER) if node.status == "Held" else None
        if reason is not None and reason != held_before:
            effects.append(alerts.held(parcel, node, reason))
    parcel.address_fault = parcel.address_fault or procedures.blames_address(node)
    parcel.returning = parcel.returning or node.status in {"Returning", "Returned"}
    if word is not None:
        effects += [links.statement(parcel, word, order) for order in parcel.orders]
    return effects


def _risk(parcel: Parcel, policy: Policy) -> list[Alert]:
    """Once a parcel, when it is known whose it is: it comes back, and its address was blamed."""
    if parcel.risk_told or not (parcel.address_fault and parcel.returning and parcel.orders):
        return []
    parcel.risk_told = True
    return [alerts.returned_for_address(parcel, policy, parcel.updated_at)]


def task(policy: Policy) -> Task:
    """Keyed by parcel, from `parcel.observation`; deadlines are judged as far as `raw.parcel` has been read."""
    catching_up = policy.reader_stuck // 10  # behind by less is ordinary: a mark's own lag, a tick

    def fold(state: Parcel | None, record: Record, ctx: Context) -> tuple[Parcel, list[Output]]:
        fact = wire.decode(record, ParcelObservation)
        parcel = state or Parcel(fact.parcel_key, fact.courier, fact.tracking_no)
        return parcel, _outputs(apply(parcel, fact, policy, wire.raw_place(record)), wire.trace(record))

    def summary(key: bytes, parcel: Parcel, last: Record | None, ctx: Context) -> list[Output]:
        if parcel.version == parcel.told:
            return []
        parcel.told = parcel.version
        return [_state(parcel.record(), wire.trace(last) if last else None)]

    def due(parcel: Parcel) -> float:
        return watch.due_at(parcel, policy) / 1000

    def on_due(key: bytes, parcel: Parcel, judged: float, ctx: Context) -> tuple[Parcel | None, list[Output]]:
        at, clock = round(judged * 1000), int(ctx.now * 1000)
        effects: list[Effect] = [*watch.judge(parcel, policy, at, clock if clock - at > catching_up else at)]
        if effects:
            parcel.changed()
        gone = watch.leaves_at(parcel, policy) <= at
        return None if gone else parcel, _outputs(effects, None)

    return Task(
        name="parcels",
        sources=(topics.PARCEL_OBSERVATION,),
        fold=fold,
        outputs=frozenset({topics.PARCEL_STATE, topics.PARCEL_STALL, topics.ORDER_OBSERVATION, topics.ALERT, topics.DEAD}),
        bury=wire.bury,
        state=Parcel,
        changelog=topics.PARCELS_CHANGELOG,
        summary=summary,
        due=due,
        on_due=on_due,
        mark=wire.mark,
        feeds=frozenset({topics.RAW_PARCEL}),
        feed_timeout=policy.reader_stuck / 1000,
        on_stuck=wire.on_stuck("parcels"),
        on_lost=on_lost("parcels"),
    )


def _outputs(effects: Iterable[Effect], traceparent: bytes | None) -> list[Output]:
    return [_output(effect, traceparent) for effect in effects]


def _output(effect: Effect, traceparent: bytes | None) -> Output:
    match effect:
        case Alert():
            return wire.alert(effect, traceparent)
        case Observation():
            return _written(topics.ORDER_OBSERVATION, effect.order_key, effect, effect.event_id, effect.occurred_at, traceparent)
        case Stall():
            event_id = f"{effect.parcel_key}/{effect.kind}/{effect.episode}/{effect.tier}"
            return _written(topics.PARCEL_STALL, effect.parcel_key, effect, event_id, effect.due_at, traceparent)


def _state(state: ParcelState, traceparent: bytes | None) -> Output:
    event_id = f"{state.parcel_key}/{state.version}"
    return _written(topics.PARCEL_STATE, state.parcel_key, state, event_id, state.updated_at, traceparent)


def _written(topic: str, key: str, record: msgspec.Struct, event_id: str, at: int, traceparent: bytes | None) -> Output:
    source = record.source if isinstance(record, Observation) else wire.US
    rekey = topic == topics.ORDER_OBSERVATION
    return wire.output(topic, key, record, event_id=event_id, source=source, at=at, rekey=rekey, traceparent=traceparent)
