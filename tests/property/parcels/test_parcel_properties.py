"""Parcels against a naive model, for any order, repetition and delay of their facts."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Alert, Observation, ParcelObservation, Stall
from schemas.status import MOVEMENTS, PARCEL, SAYS_OF_ORDER, WATCH_ENDS
from streams.parcels import watch
from streams.parcels.agent import apply
from streams.parcels.state import Parcel
from streams.policy import DAY, HOUR, MINUTE, SECOND, Policy, StallPolicy

START = 1_795_312_800_000
POLICY = Policy(stall=StallPolicy(quiet_hours=None))
STATUSES = st.sampled_from(sorted(PARCEL))
FINAL = START + 20 * DAY


def node(n: int, status: str, occurred_at: int, received_at: int) -> ParcelObservation:
    """The n-th node."""
    return ParcelObservation(
        kind="node",
        event_id=f"n{n}",
        source="zto",
        parcel_key="zto:77",
        courier="zto",
        tracking_no="77",
        status=status,
        occurred_at=occurred_at,
        received_at=received_at,
    )


LINK = ParcelObservation(
    kind="link",
    event_id="l",
    source="web",
    parcel_key="zto:77",
    courier="zto",
    tracking_no="77",
    occurred_at=START,
    received_at=START,
    order_key="web:s1:A1",
    customer_id="c1",
)


@st.composite
def deliveries(draw: st.DrawFn) -> list[ParcelObservation]:
    """Distinct facts at distinct times, each delivered once or more, in any order, with one link among them."""
    facts = [node(n, draw(STATUSES), START + n * HOUR, START + n * HOUR + SECOND) for n in range(draw(st.integers(1, 8)))]
    again = draw(st.lists(st.sampled_from(facts), max_size=5))
    return draw(st.permutations([*facts, *again, LINK]))


@given(deliveries())
@settings(max_examples=300)
def test_what_a_parcel_is_does_not_depend_on_how_its_facts_came(facts: list[ParcelObservation]) -> None:
    """Status, last movement, end, counts and statements follow from the set of facts alone."""
    parcel = Parcel("zto:77", "zto", "77")
    said = [effect for fact in facts for effect in apply(parcel, fact, POLICY) if isinstance(effect, Observation)]
    nodes = {fact.event_id: fact for fact in facts if fact.kind == "node"}
    newest = max(nodes.values(), key=lambda fact: fact.occurred_at)
    moves = [fact.occurred_at for fact in nodes.values() if fact.status in MOVEMENTS]
    assert parcel.status == newest.status
    assert parcel.last_movement_at == max(moves, default=None)
    assert parcel.ended == any(fact.status in WATCH_ENDS for fact in nodes.values())
    assert (parcel.observations, parcel.duplicates) == (len(nodes), len(facts) - 1 - len(nodes))
    words = {SAYS_OF_ORDER[status] for fact in nodes.values() if (status := fact.status or "") in SAYS_OF_ORDER}
    assert sorted(fact.status for fact in said) == sorted(words)
    assert len({fact.event_id for fact in said}) == len(said)


@dataclass
class Naive:
    """Stalls by the words of semantics §7, told as one story after the fact; `until` is when somebody last looked."""

    until: int

    def rows(self, facts: list[ParcelObservation]) -> list[tuple[int, int, int]]:
        """(episode, tier, due) for nodes in the order of their receipt."""
        found: list[tuple[int, int, int]] = []
        moved: int | None = None
        over, episode = False, 0
        for position, fact in enumerate(facts):
            over = over or fact.status in WATCH_ENDS
            if fact.status in MOVEMENTS and (moved is None or fact.occurred_at > moved):
                moved = fact.occurred_at
            elif position:
                continue  # the silence since the last movement was told already, up to its end
            if moved is None or over:
                continue
            end = self._end(facts[position + 1 :], moved)
            due = [moved + tier for tier in POLICY.stall.tiers if moved + tier <= end]
            episode += bool(due)
            found += [(episode, tier, at) for tier, at in enumerate(due, 1)]
        return found

    def _end(self, later: list[ParcelObservation], moved: int) -> int:
        for fact in later:
            if fact.status in WATCH_ENDS or (fact.status in MOVEMENTS and fact.occurred_at > moved):
                return fact.received_at
        return self.until


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[ParcelObservation], list[int]]:
    """Nodes in the order of their receipt, some delayed by hours; and moments at which somebody looks."""
    facts, received = [], START
    for n in range(draw(st.integers(1, 7))):
        received += draw(st.integers(1, 20 * 60)) * MINUTE
        delay = draw(st.sampled_from([0, 0, 0, 90, 600])) * MINUTE
        status = draw(st.sampled_from(["InTransit", "InTransit", "PickedUp", "Held", "LabelCreated", "Signed", "Returning"]))
        facts.append(node(n, status, received - delay, received + 7 * SECOND))
    looks = draw(st.lists(st.integers(0, 6 * 24 * 60), max_size=12).map(sorted))
    return facts, [START + minutes * MINUTE + 30 * SECOND for minutes in looks]


def play(facts: list[ParcelObservation], looks: list[int]) -> list[Any]:
    """Facts and looks by time; a look sees what was received before it."""
    parcel, effects = Parcel("zto:77", "zto", "77"), list[Any]()
    timeline = sorted([(fact.received_at, 0, fact) for fact in facts] + [(at, 1, None) for at in looks], key=lambda item: item[:2])
    for at, _, fact in timeline:
        effects += watch.judge(parcel, POLICY, at, at) if fact is None else apply(parcel, fact, POLICY)
    return effects


@given(stories())
@settings(max_examples=400)
def test_stall_rows_do_not_depend_on_who_was_looking_when(story: tuple[list[ParcelObservation], list[int]]) -> None:
    """Whatever the downtimes: each tier that came due has its row, once, with its due time, in its episode."""
    facts, looks = story
    effects = play(facts, [*looks, FINAL])
    rows = [(row.episode, row.tier, row.due_at) for row in effects if isinstance(row, Stall) and row.kind == "stall"]
    assert sorted(rows) == sorted(Naive(FINAL).rows(facts))
    assert all(row.fired_at >= row.due_at for row in effects if isinstance(row, Stall))


@given(stories())
@settings(max_examples=300)
def test_every_alert_has_its_row_and_each_look_alerts_once(story: tuple[list[ParcelObservation], list[int]]) -> None:
    """The rows that say `alerted` and the alerts are the same set, no key twice, at most one stall alert a look."""
    facts, looks = story
    effects = play(facts, [*looks, FINAL])
    alerts = [alert.alert_key for alert in effects if isinstance(alert, Alert) and alert.kind.startswith("stall_")]
    names = {1: "stall_sms", 2: "stall_task", 3: "stall_compensation"}
    rows = [row for row in effects if isinstance(row, Stall) and row.kind == "stall" and row.alerted]
    assert alerts == [f"{names[row.tier]}:zto:77:{row.episode}" for row in rows]
    assert len(set(alerts)) == len(alerts)
    assert len({row.fired_at for row in rows}) == len(rows)


@given(stories())
@settings(max_examples=200)
def test_a_parcel_looked_at_when_it_asks_for_it_is_never_late(story: tuple[list[ParcelObservation], list[int]]) -> None:
    """`due_at` names every moment at which something comes due, and asks for none in which nothing happens."""
    facts, _ = story
    parcel = Parcel("zto:77", "zto", "77")
    for position, fact in enumerate(facts):
        apply(parcel, fact, POLICY)
        until = facts[position + 1].received_at if position + 1 < len(facts) else FINAL
        while (due := watch.due_at(parcel, POLICY)) < until and due < watch.leaves_at(parcel, POLICY):
            rows = [effect for effect in watch.judge(parcel, POLICY, due, due) if isinstance(effect, Stall)]
            assert rows
            assert all(row.fired_at == max(row.due_at, parcel.heard_at + 1) for row in rows)
