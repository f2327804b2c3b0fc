"""The fold against the model: the same facts in any order, doubled and delayed, give the same answers."""

from collections import Counter

from hypothesis import event, given, settings
from hypothesis import strategies as st

from schemas.records import AuditRecord, Conflict, Jump, Observation, ParcelRef, PoolRecord
from streams.orders import evidence
from streams.orders.fold import Orders
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.orders.status import state_of
from streams.policy import MINUTE, Policy
from tests.property.orders import model

BEGIN = 1_800_000_000_000
POLICY = Policy(links={"web:s1": {"erp": "erp", "wms": "wms"}})
CHANNEL = ("Created", "PaymentPending", "PaymentConfirmed", "Shipped", "Signed", "Completed", "Cancelled", "Closed", "OnHold")
SYSTEM = ("PaymentConfirmed", "Approved", "Allocated", "Picking", "Packed", "Shipped", "Completed", "Cancelled", "OnHold")
REFUND = ("RefundRequested", "RefundApproved", "RefundRejected", "Refunded", "RefundClosed")
NODES = ("PickedUp", "InTransit", "OutForDelivery", "Signed")
minutes = st.integers(0, 40).map(lambda minute: BEGIN + minute * MINUTE)
amounts = st.sampled_from((None, None, 100, 200))


@st.composite
def ranked(draw: st.DrawFn) -> dict[str, object]:
    """A word on the fulfilment axis, of the channel or of a system."""
    source = draw(st.sampled_from(("web", "web", "erp", "wms")))
    statuses = CHANNEL if source == "web" else SYSTEM
    parcels = draw(st.sampled_from(((), (), ("1",), ("1", "2"))))
    return {
        "source": source,
        "source_kind": "channel" if source == "web" else "system",
        "status": draw(st.sampled_from(statuses)),
        "payable_minor": draw(amounts),
        "parcels": [ParcelRef(courier="zto", tracking_no=number) for number in parcels],
    }


@st.composite
def refund(draw: st.DrawFn) -> dict[str, object]:
    """A word on a refund case, of the channel."""
    return {
        "source": "web",
        "source_kind": "channel",
        "axis": "aftersale",
        "status": draw(st.sampled_from(REFUND)),
        "case_id": draw(st.sampled_from(("r1", "r2"))),
        "aftersale_kind": draw(st.sampled_from(("refund_only", "return_refund", None))),
        "partial_refund": draw(st.booleans()),
    }


@st.composite
def node(draw: st.DrawFn) -> dict[str, object]:
    """What a parcel says of the order."""
    courier = draw(st.sampled_from(("zto", "sf")))
    return {
        "source": courier,
        "source_kind": "courier",
        "status": draw(st.sampled_from(NODES)),
        "parcel_key": f"{courier}:{draw(st.sampled_from('12'))}",
        "derived": True,
    }


stock = st.just({"source": "erp", "source_kind": "system", "axis": "stock", "status": "Restored"})
words = st.one_of(ranked(), ranked(), ranked(), refund(), node(), stock)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Observation]:
    """Facts as they are delivered: in any order, some again, each received some minutes after the one before."""
    said = draw(st.lists(st.tuples(words, minutes), min_size=1, max_size=14))
    again = draw(st.lists(st.integers(0, len(said) - 1), max_size=4))
    numbers = draw(st.permutations([*range(len(said)), *again]))
    gaps = draw(
        st.lists(st.sampled_from((0, 1, 30_000, MINUTE, 8 * MINUTE, 3 * 60 * MINUTE)), min_size=len(numbers), max_size=len(numbers))
    )
    received, facts = BEGIN, []
    for number, gap in zip(numbers, gaps, strict=True):
        received += gap
        word, at = said[number]
        facts.append(
            Observation(
                **{"axis": "fulfilment", **word},
                event_id=f"e{number}",
                order_key="web:s1:A1",
                channel="web",
                shop_id="s1",
                order_id="A1",
                occurred_at=at,
                received_at=received,
            )
        )
    return facts


def play(facts: list[Observation], judging: list[bool], policy: Policy = POLICY) -> tuple[Order, list[object]]:
    """Fold; before a fact, judge up to its receipt where `judging` says so, and far beyond at the end."""
    orders = Orders(policy, RuleSet())
    order: Order | None = None
    found: list[object] = []
    for fact, now in zip(facts, judging, strict=True):
        if order is not None and now:
            judged, opened = orders.judge(order, fact.received_at)
            assert judged is not None
            found += opened
        order, more = orders.fold(order, fact)
        found += more
    assert order is not None
    _, more = orders.judge(order, facts[-1].received_at + 24 * 60 * MINUTE)
    return order, found + more


@settings(max_examples=500)
@given(deliveries(), st.data())
def test_the_fold_says_what_the_model_says(facts: list[Observation], data: st.DataObject) -> None:
    """Dispositions, duplicates, jumps, breach, conflicts, pool and final state equal the model's."""
    judging = data.draw(st.lists(st.booleans(), min_size=len(facts), max_size=len(facts)))
    order, found = play(facts, judging)
    told = model.tell(facts, POLICY)
    audited = [(one.raw_event_id, one.disposition) for one in found if isinstance(one, AuditRecord)]
    assert audited == told.dispositions
    assert {name: one.duplicates for name, one in order.sources.items() if one.duplicates} == told.duplicates
    jumps = [one for one in found if isinstance(one, Jump)]
    assert [(one.event_id, one.kind) for one in jumps] == told.jumps
    assert [one.n for one in jumps] == list(range(1, len(jumps) + 1))
    assert [one.event_id for one in jumps if one.breach] == ([told.breach] if told.breach else [])
    assert {name: one.status for name, one in order.sources.items() if name in told.statuses} == told.statuses
    assert [one.action for one in found if isinstance(one, PoolRecord)] == told.pool
    assert (order.paid, order.ended) == (told.paid, told.ended)
    assert state_of(order).status == told.status
    assert bool(order.version) == bool(found or told.duplicates)
    assert conflicts_of(found) == told.conflicts
    for kind, _ in told.conflicts:
        event(f"conflict {kind}")
    for _, kind in told.jumps:
        event(f"jump {kind}")


def conflicts_of(found: list[object]) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Conflicts by kind and system: when opened, when resolved; each once."""
    records = [one for one in found if isinstance(one, Conflict)]
    assert max(Counter((one.conflict_id, one.state) for one in records).values(), default=1) == 1
    systems = {evidence.conflict_id("web:s1:A1", "moved_after_end", name): name for name in ("erp", "wms")}
    ends = {one.conflict_id: one.resolved_at for one in records if one.state == "resolved"}
    opened = [one for one in records if one.state == "opened"]
    assert set(ends) <= {one.conflict_id for one in opened}
    return {(one.kind, systems.get(one.conflict_id, "")): (one.opened_at, ends.get(one.conflict_id)) for one in opened}
