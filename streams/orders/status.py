"""The order's own status, and its state as others read it. Semantics §2. Pure."""

from schemas.records import OrderState, SourceState
from schemas.status import ENDS, FINAL
from streams.orders.state import NO_RANK, Case, Order, Source


def status_of(order: Order) -> str | None:
    """The channel's status where that is an end, else the greatest rank that a source states.

    An end that only a system states does not end the order; it shows where nothing else is known.
    """
    voice = order.voice
    if voice is not None and voice.status in ENDS:
        return voice.status
    best, rank, other = None, NO_RANK, None
    for source in order.sources.values():
        ranked = source.ranked
        if ranked is not None and ranked not in ENDS and source.rank > rank:
            best, rank = ranked, source.rank
        other = other or source.status
    return best or other


def aftersale_of(order: Order) -> str | None:
    """The newest word on any refund: the channel's, else that of another source."""
    voice = order.voice
    if voice is not None and voice.cases:
        return _newest(voice)
    return next((_newest(source) for source in order.sources.values() if source.cases), None)


def _newest(source: Source) -> str | None:
    if not source.cases:
        return None
    newest: Case = max(source.cases.values(), key=lambda case: (case.at, case.received))
    return newest.status


def amount_of(order: Order) -> tuple[int | None, str | None]:
    """The payable amount: the channel's, else the first that a source states."""
    voice = order.voice
    if voice is not None and voice.amount is not None:
        return voice.amount, voice.currency
    return next(((one.amount, one.currency) for one in order.sources.values() if one.amount is not None), (None, None))


def finished(order: Order) -> bool:
    """Whether nothing more is expected of the order: it may be forgotten some day."""
    held = order.pool is not None and order.pool.action == "hold"
    return not held and (order.ended or status_of(order) in FINAL)


def state_of(order: Order) -> OrderState:
    """The order as others see it. Whoever changes the order raises its version."""
    amount, currency = amount_of(order)
    pool = order.pool
    return OrderState(
        order_key=order.key,
        channel=order.channel,
        shop_id=order.shop_id,
        order_id=order.order_id,
        version=order.version,
        status=status_of(order),
        aftersale_status=aftersale_of(order),
        payable_minor=amount,
        currency=currency,
        payment_method=order.payment_method,
        customer_id=order.customer_id,
        province=order.province,
        paid=order.paid,
        paid_at=order.paid_at or None,
        ended=order.ended,
        jump_count=order.jumps,
        open_conflicts=order.open_conflicts,
        pool=pool.action if pool else None,
        released=order.released,
        gate=pool.gate if pool else None,
        rule_id=pool.rule_id if pool else None,
        audit_seq=order.seq,
        audit_head=order.head.hex(),
        sources=[_source(name, source) for name, source in order.sources.items() if _has_spoken(source)],
        parcels=list(order.parcels),
        updated_at=order.updated,
    )


def _has_spoken(source: Source) -> bool:
    """A courier has not while another one speaks for the order's parcels."""
    return source.observations > 0 or source.duplicates > 0 or source.status is not None


def _source(name: str, source: Source) -> SourceState:
    return SourceState(
        source=name,
        source_kind=source.kind,
        status=source.status,
        aftersale_status=_newest(source) if source.cases else None,
        stock_status=source.stock,
        occurred_at=source.at or None,
        received_at=source.received or None,
        payable_minor=source.amount,
        currency=source.currency,
        observations=source.observations,
        duplicates=source.duplicates,
    )
