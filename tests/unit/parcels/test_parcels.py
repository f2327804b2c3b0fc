"""A parcel, fact by fact: nodes, links, what it says of its order, the watch and its tiers."""

from itertools import permutations
from typing import Any

import pytest

from schemas.records import Alert, Observation, ParcelObservation, ParcelState, Stall
from schemas.status import MOVEMENTS, PARCEL, SAYS_OF_ORDER, WATCH_ENDS
from streams.parcels import watch
from streams.parcels.agent import apply
from streams.parcels.procedures import load, parse
from streams.parcels.state import IDS_KEPT, NODES_KEPT, Parcel
from streams.policy import DAY, HOUR, MINUTE, SECOND, Policy, StallPolicy

TEN = 1_795_312_800_000  # 2026-11-22T02:00:00Z, 10:00 in Shanghai
POLICY = Policy()
ORDER = "web:s1:A1"
TIERS = {1: "stall_sms", 2: "stall_task", 3: "stall_compensation"}


def new() -> Parcel:
    """A parcel of which nothing is known."""
    return Parcel("zto:77", "zto", "77")


def node(status: str, at: int = TEN, n: int | str = 1, **more: Any) -> ParcelObservation:
    """A courier's node, received when it occurred unless told otherwise."""
    more = {"received_at": at} | more
    return ParcelObservation(
        kind="node", event_id=f"n{n}", source="zto", parcel_key="zto:77", courier="zto", tracking_no="77", status=status,
        occurred_at=at, **more,
    )  # fmt: skip


def link(order: str | None = ORDER, at: int = TEN, customer: str | None = "c1") -> ParcelObservation:
    """An order's word that the parcel is its own."""
    return ParcelObservation(
        kind="link", event_id=f"l{order}", source="web", parcel_key="zto:77", courier="zto", tracking_no="77",
        occurred_at=at, received_at=at, order_key=order, customer_id=customer,
    )  # fmt: skip


def feed(parcel: Parcel, *facts: ParcelObservation, policy: Policy = POLICY) -> list[Any]:
    """Everything that the facts lead to, and after each that changed the parcel, its state."""
    found: list[Any] = []
    for fact in facts:
        before = parcel.version
        found += apply(parcel, fact, policy)
        found += [parcel.record()] if parcel.version != before else []
    return found


def judge(parcel: Parcel, at: int, policy: Policy = POLICY, now: int | None = None) -> list[Any]:
    """What is due at a time."""
    return watch.judge(parcel, policy, at, at if now is None else now)


def of(kind: type, effects: list[Any]) -> list[Any]:
    """The effects of a kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def kinds(effects: list[Any]) -> list[str]:
    """The kinds of the alerts."""
    return [alert.kind for alert in of(Alert, effects)]


def tiers(effects: list[Any]) -> list[tuple[int, int]]:
    """(episode, tier) of the stall rows."""
    return [(row.episode, row.tier) for row in of(Stall, effects) if row.kind == "stall"]


# -- what a node does


def test_every_node_leaves_a_state_with_a_higher_version() -> None:
    """Versions rise with each record, also for a duplicate, whose count is in it."""
    parcel = new()
    found = of(ParcelState, feed(parcel, node("PickedUp"), node("InTransit", TEN + 1, 2), node("InTransit", TEN + 1, 2)))
    assert [state.version - found[0].version for state in found] == [0, 1, 2]
    assert [(state.observations, state.duplicates) for state in found] == [(1, 0), (2, 0), (2, 1)]


def test_a_seen_event_id_is_a_duplicate_whatever_its_content() -> None:
    """It is counted and does nothing else, not even as a movement."""
    parcel = new()
    feed(parcel, node("PickedUp"), node("Signed", TEN + HOUR, 1))
    assert (parcel.status, parcel.ended, parcel.duplicates) == ("PickedUp", False, 1)


def test_a_seen_event_id_is_forgotten_after_the_retention() -> None:
    """14 days later the id is news again, and the state holds no older ids."""
    parcel = new()
    feed(parcel, node("PickedUp", TEN, 1), node("InTransit", TEN + 14 * DAY, 2))
    assert set(parcel.seen) == {"n1", "n2"}
    feed(parcel, node("InTransit", TEN + 14 * DAY + 1, 3))
    assert set(parcel.seen) == {"n2", "n3"}


def test_a_raw_event_normalised_twice_is_no_duplicate() -> None:
    """The same id from the same place does nothing at all, also when the duplicate is what comes again."""
    parcel = new()
    first, second = b"raw/0/7", b"raw/0/9"
    counted = []
    for place in (first, first, second, first, second, b"raw/0/11"):
        apply(parcel, node("PickedUp"), POLICY, place)
        counted.append((parcel.observations, parcel.duplicates))
    assert counted == [(1, 0), (1, 0), (1, 1), (1, 1), (1, 1), (1, 2)]
    assert apply(parcel, node("PickedUp"), POLICY, second) == []


def test_a_flood_of_nodes_is_bounded() -> None:
    """Ids and history of a parcel do not grow without end."""
    parcel = new()
    feed(parcel, *(node("InTransit", TEN + n, n) for n in range(IDS_KEPT + 100)))
    assert (len(parcel.seen), len(parcel.history)) == (IDS_KEPT, NODES_KEPT)
    assert parcel.observations == IDS_KEPT + 100


def test_status_is_that_of_the_newest_node_in_any_order_of_reading() -> None:
    """Late nodes change neither status nor last movement, whatever order they are read in."""
    nodes = [
        node("PickedUp", TEN, 1, place="a"), node("ArrivedAtHub", TEN + HOUR, 2, place="b"),
        node("OutForDelivery", TEN + 2 * HOUR, 3, place="c"), node("Exception", TEN + 3 * HOUR, 4, place="d"),
    ]  # fmt: skip
    for order in permutations(nodes):
        parcel = new()
        feed(parcel, *order)
        assert (parcel.status, parcel.status_at, parcel.place) == ("Exception", TEN + 3 * HOUR, "d")
        assert parcel.last_movement_at == TEN + 2 * HOUR
        assert [line.status for line in parcel.history] == ["PickedUp", "ArrivedAtHub", "OutForDelivery", "Exception"]


def test_of_two_nodes_at_one_time_the_one_received_later_counts() -> None:
    """The parcel's axis has no ranks."""
    parcel = new()
    feed(parcel, node("Signed", TEN, 1), node("InTransit", TEN, 2))
    assert parcel.status == "InTransit"


@pytest.mark.parametrize("status", sorted(PARCEL))
def test_only_movements_start_the_watch(status: str) -> None:
    """LabelCreated and all that is no movement start none; after a movement the first tier is due 2 h later."""
    parcel = new()
    feed(parcel, node(status))
    assert watch.tier_due(parcel, POLICY) == (TEN + 2 * HOUR if status in MOVEMENTS else None)


@pytest.mark.parametrize("status", sorted(WATCH_ENDS))
@pytest.mark.parametrize("late", [False, True])
def test_an_end_ends_the_watch(status: str, *, late: bool) -> None:
    """Signed, SignedByProxy, Returned, Lost end it, also read late, and for good."""
    parcel = new()
    end = node(status, TEN + MINUTE, "end")
    move = node("InTransit", TEN + HOUR if late else TEN, "move")
    feed(parcel, move, end)
    feed(parcel, node("InTransit", TEN + 2 * MINUTE, "after"))
    assert judge(parcel, TEN + 30 * DAY) == []
    assert not parcel.record().watching


@pytest.mark.parametrize("status", sorted(PARCEL - MOVEMENTS - WATCH_ENDS))
def test_what_is_no_movement_leaves_the_watch_as_it_is(status: str) -> None:
    """Held, a customs check or an exception stands still too."""
    parcel = new()
    feed(parcel, node("InTransit"), node(status, TEN + HOUR, 2))
    assert watch.tier_due(parcel, POLICY) == TEN + 2 * HOUR


# -- tiers


def test_each_tier_fires_at_its_time_and_once() -> None:
    """2 h, 6 h and 24 h after the last movement: a row and an alert each, and no more after that."""
    parcel = new()
    feed(parcel, link(), node("InTransit"))
    assert judge(parcel, TEN + 2 * HOUR - 1) == []
    for tier, hours in ((1, 2), (2, 6), (3, 24)):
        effects = judge(parcel, TEN + hours * HOUR)
        (row,), (alert,) = of(Stall, effects), of(Alert, effects)
        assert (row.tier, row.episode, row.due_at, row.fired_at) == (tier, 1, TEN + hours * HOUR, TEN + hours * HOUR)
        assert (row.order_key, row.customer_id, row.last_movement_at, row.alerted) == (ORDER, "c1", TEN, True)
        assert (alert.kind, alert.alert_key) == (TIERS[tier], f"{TIERS[tier]}:zto:77:1")
        assert (alert.order_key, alert.customer_id, alert.channel, alert.at) == (ORDER, "c1", "web", row.due_at)
        assert judge(parcel, TEN + hours * HOUR + 1) == []
    assert judge(parcel, TEN + 29 * DAY) == []


@pytest.mark.parametrize(
    ("looks", "rows", "told"),
    [
        ((1,), [], []),
        ((2,), [1], [1]),
        ((6,), [1, 2], [2]),
        ((24,), [1, 2, 3], [3]),
        ((2, 6), [1, 2], [1, 2]),
        ((2, 24), [1, 2, 3], [1, 3]),
        ((6, 24), [1, 2, 3], [2, 3]),
        ((2, 6, 24), [1, 2, 3], [1, 2, 3]),
        ((2, 3, 7, 30), [1, 2, 3], [1, 2, 3]),
    ],
)
def test_after_a_downtime_only_the_highest_tier_alerts(looks: tuple[int, ...], rows: list[int], told: list[int]) -> None:
    """Every tier that came due has its row with its real lateness, whenever it is looked at; lower ones do not alert."""
    parcel, effects = new(), []
    feed(parcel, node("InTransit"))
    for hours in looks:
        found = judge(parcel, TEN + hours * HOUR, Policy(stall=StallPolicy(quiet_hours=None)))
        assert all(row.fired_at == TEN + hours * HOUR for row in of(Stall, found))
        effects += found
    assert [row.tier for row in of(Stall, effects)] == rows
    assert [row.due_at - TEN for row in of(Stall, effects)] == [POLICY.stall.tiers[tier - 1] for tier in rows]
    assert kinds(effects) == [TIERS[tier] for tier in told]
    assert [row.tier for row in of(Stall, effects) if row.alerted] == told


def test_while_catching_up_a_lower_tier_is_silent_if_a_higher_one_is_due_by_now() -> None:
    """The judged time creeps through a long backlog: only the tier that is due by the clock alerts."""
    policy = Policy(stall=StallPolicy(quiet_hours=None))
    parcel = new()
    feed(parcel, node("InTransit"))
    now = TEN + 30 * HOUR
    effects = [effect for hours in (2, 7, 25) for effect in judge(parcel, TEN + hours * HOUR, policy, now)]
    assert tiers(effects) == [(1, 1), (1, 2), (1, 3)]
    assert kinds(effects) == ["stall_compensation"]
    assert {row.fired_at for row in of(Stall, effects)} == {now}


def test_a_movement_ends_the_episode() -> None:
    """Tiers count again from the new movement, in the next episode."""
    parcel = new()
    feed(parcel, node("InTransit"))
    first = judge(parcel, TEN + 2 * HOUR)
    feed(parcel, node("ArrivedAtHub", TEN + 3 * HOUR, 2))
    assert parcel.record().tier == 0
    assert judge(parcel, TEN + 5 * HOUR - 1) == []
    assert tiers(first) + tiers(judge(parcel, TEN + 9 * HOUR)) == [(1, 1), (2, 1), (2, 2)]


def test_episodes_count_stalls_and_not_movements() -> None:
    """A parcel that moved ten times before its first stall is in its first episode."""
    parcel = new()
    feed(parcel, *(node("InTransit", TEN + n * MINUTE, n) for n in range(10)))
    assert tiers(judge(parcel, TEN + 2 * HOUR + 9 * MINUTE)) == [(1, 1)]


def test_a_late_movement_does_not_end_the_episode() -> None:
    """A node that is older than the last movement moves nothing."""
    parcel = new()
    feed(parcel, node("InTransit"))
    judge(parcel, TEN + 2 * HOUR)
    feed(parcel, node("PickedUp", TEN - HOUR, 2, received_at=TEN + 3 * HOUR), node("InTransit", TEN, 3))
    assert tiers(judge(parcel, TEN + 6 * HOUR)) == [(1, 2)]


def test_nodes_of_one_push_stand_for_each_other() -> None:
    """A history that is pushed at once opens no stall before all that was received with it has been read."""
    parcel = new()
    pushed = TEN + 30 * HOUR
    feed(parcel, node("PickedUp", TEN, 1, received_at=pushed))
    assert watch.due_at(parcel, POLICY) == pushed + 1
    assert judge(parcel, pushed) == []
    feed(parcel, node("Signed", TEN + 20 * HOUR, 2, received_at=pushed))
    assert judge(parcel, pushed + DAY) == []


def test_a_history_pushed_node_by_node_is_no_stall() -> None:
    """A merchant's first day: old nodes come in within a moment, each by its own push, and none of them stood still."""
    parcel = new()
    pushed = TEN + 30 * HOUR
    effects = feed(
        parcel,
        link(),
        *(node("InTransit", TEN + 5 * n * HOUR, n, received_at=pushed + 400 * n) for n in range(5)),
        node("OutForDelivery", TEN + 21 * HOUR, 8, received_at=pushed + 2400),
        node("Signed", TEN + 28 * HOUR, 9, received_at=pushed + 2800),
    )
    assert of(Stall, effects) == []


def test_seconds_as_tiers_work_alike() -> None:
    """A test writes seconds; nothing in the watch is made for hours."""
    policy = Policy(stall=StallPolicy(tiers=(2 * SECOND, 4 * SECOND, 6 * SECOND), quiet_hours=None))
    parcel = new()
    feed(parcel, node("InTransit"), policy=policy)
    found = [tiers(judge(parcel, TEN + n * SECOND, policy)) for n in range(8)]
    assert found == [[], [], [(1, 1)], [], [(1, 2)], [], [(1, 3)], []]


# -- quiet hours


def night(hour: int) -> int:
    """Hours after Shanghai's midnight of the first day."""
    return TEN + (hour - 10) * HOUR


def test_a_message_to_the_customer_waits_for_the_morning() -> None:
    """Due at 23:00: its row is written then, its message at 08:00, as the parcel still stands."""
    parcel = new()
    feed(parcel, node("InTransit", night(21)))
    effects = judge(parcel, night(23))
    assert (tiers(effects), kinds(effects)) == ([(1, 1)], [])
    assert watch.due_at(parcel, POLICY) == night(27)
    effects = judge(parcel, night(27))
    assert (tiers(effects), kinds(effects)) == ([(1, 2)], ["stall_task"])
    assert judge(parcel, night(32) - 1) == []
    (alert,) = judge(parcel, night(32))
    assert (alert.kind, alert.alert_key) == ("stall_sms", "stall_sms:zto:77:1")
    assert judge(parcel, night(33)) == []


@pytest.mark.parametrize("status", ["InTransit", "Signed"])
def test_a_message_that_is_no_longer_true_is_not_sent(status: str) -> None:
    """The parcel moved in the night, or was signed."""
    parcel = new()
    feed(parcel, node("InTransit", night(21)))
    judge(parcel, night(23))
    feed(parcel, node(status, night(31), 2))
    assert judge(parcel, night(32)) == []


def test_a_message_is_not_sent_after_a_downtime_into_the_next_night() -> None:
    """It waits for the end of the quiet hours that it is now."""
    policy = Policy(stall=StallPolicy(tiers=(HOUR, 100 * HOUR, 200 * HOUR)))
    parcel = new()
    feed(parcel, node("InTransit", night(22)), policy=policy)
    judge(parcel, night(23), policy)
    assert judge(parcel, night(24 + 23), policy) == []
    assert kinds(judge(parcel, night(48 + 8), policy)) == ["stall_sms"]


def test_a_waiting_message_falls_away_when_a_downtime_ends_with_a_higher_tier() -> None:
    """Both came due while nobody looked: only the highest speaks."""
    parcel = new()
    feed(parcel, node("InTransit", night(21)))
    judge(parcel, night(23))
    effects = judge(parcel, night(21 + 25))
    assert (tiers(effects), kinds(effects)) == ([(1, 2), (1, 3)], ["stall_compensation"])
    assert judge(parcel, night(24 + 33)) == []


def test_tasks_for_teams_keep_no_quiet_hours() -> None:
    """Only messages to customers wait."""
    parcel = new()
    feed(parcel, node("InTransit", night(18)))
    judge(parcel, night(20))
    assert kinds(judge(parcel, night(24))) == ["stall_task"]


# -- out for delivery


def test_out_for_delivery_is_watched_for_a_signature() -> None:
    """4 h later, unsigned: a row of kind unsigned and an alert, once."""
    parcel = new()
    feed(parcel, link(), node("OutForDelivery"))
    effects = judge(parcel, TEN + 4 * HOUR)
    row = next(row for row in of(Stall, effects) if row.kind == "unsigned")
    assert (row.tier, row.episode, row.due_at, row.last_movement_at) == (0, 1, TEN + 4 * HOUR, TEN)
    assert "unsigned_watch" in kinds(effects)
    assert judge(parcel, TEN + 5 * HOUR) == []


@pytest.mark.parametrize("status", ["Signed", "SignedByProxy", "Returned", "Lost", "Rejected", "Returning"])
def test_an_end_of_the_delivery_ends_the_unsigned_watch(status: str) -> None:
    """Nobody will sign any more, or somebody has."""
    parcel = new()
    feed(parcel, node("OutForDelivery"), node(status, TEN + HOUR, 2))
    assert "unsigned_watch" not in kinds(judge(parcel, TEN + 5 * HOUR))


def test_each_delivery_round_is_watched_anew() -> None:
    """A second OutForDelivery starts the watch from its own time, and is counted as the second."""
    parcel = new()
    feed(parcel, node("OutForDelivery"))
    judge(parcel, TEN + 4 * HOUR)
    feed(parcel, node("DeliveryAttemptFailed", TEN + 5 * HOUR, 2), node("OutForDelivery", TEN + DAY, 3))
    assert "unsigned_watch" not in kinds(judge(parcel, TEN + DAY + 4 * HOUR - 1))
    rows = [row for row in of(Stall, judge(parcel, TEN + DAY + 4 * HOUR)) if row.kind == "unsigned"]
    assert [row.episode for row in rows] == [2]


# -- held, risk


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("因台风天气，快件暂存网点", "天气或自然灾害"),
        ("快件超区，无法派送", "超出派送范围"),
        ("快件滞留在网点", "网点滞留"),
        ("", "原因不明"),
    ],
)
def test_a_held_parcel_gets_the_procedure_of_its_reason(text: str, label: str) -> None:
    """The reason is taken from the courier's words and matched with a procedure."""
    (alert, _) = feed(new(), node("Held", text=text))
    assert (alert.kind, alert.params["reason"]) == ("held_parcel", label)
    assert alert.params["procedure"]


def test_a_held_parcel_is_told_once_as_long_as_nothing_changes() -> None:
    """The same reason again is no news; another reason, or being held again later, is."""
    parcel = new()
    told = [
        kinds(feed(parcel, fact))
        for fact in (
            node("Held", TEN, 1, text="快件超区"),
            node("Held", TEN + 1, 2, text="超区件"),
            node("Held", TEN + 2, 3, text="台风"),
            node("InTransit", TEN + 3, 4),
            node("Held", TEN + 4, 5, text="台风"),
            node("Held", TEN - HOUR, 6, text="爆仓"),
        )
    ]
    assert told == [["held_parcel"], [], ["held_parcel"], [], ["held_parcel"], []]


def test_returned_for_its_address_asks_for_a_review_once() -> None:
    """With the customer and for how many orders the refund-only right is frozen; when it is known whose it is."""
    parcel = new()
    facts = (node("DeliveryAttemptFailed", text="收件地址不详"), node("Returning", TEN + 1, 2), node("Returned", TEN + 2, 3))
    assert kinds(feed(parcel, *facts)) == []
    alerts = of(Alert, feed(parcel, link(), link("web:s1:A2")))
    assert [(alert.kind, alert.customer_id, alert.order_key, alert.params["freeze_orders"]) for alert in alerts] == [
        ("risk_review", "c1", ORDER, "3")
    ]


def test_returned_for_another_reason_is_no_risk() -> None:
    """A refused parcel is not held against anybody."""
    assert kinds(feed(new(), link(), node("Rejected", text="客户拒收"), node("Returned", TEN + 1, 2))) == []


def test_procedures_are_checked_when_they_are_read() -> None:
    """A file without a fallback, with an unknown blank, or that is no file at all, is refused with its reason."""
    load()
    for text, why in (
        ("held: {}", "script"),
        ("held: {}\nscript: {}\naddress_fault: x", "other"),
        ("held: {other: {label: a, procedure: b}}\nscript: {}\naddress_fault: x", "script needs exactly"),
        (
            "held: {other: {label: a, procedure: b}}\nscript: {sms: '{nobody}', task: a, compensation: b}\naddress_fault: x",
            "nobody",
        ),
    ):
        with pytest.raises(ValueError, match=why):
            parse(text)


def test_a_task_holds_history_and_script() -> None:
    """Customer service reads where the parcel was, and what to say."""
    parcel = new()
    feed(parcel, node("PickedUp", text="已揽收", place="杭州"), node("InTransit", TEN + MINUTE, 2, text="离开【杭州】", place="杭州"))
    alert = of(Alert, judge(parcel, TEN + 7 * HOUR))[0]
    assert alert.params["history"].splitlines() == ["11-22 10:00 已揽收 已揽收", "11-22 10:01 运输中 离开【杭州】"]
    assert "77" in alert.params["script"]
    assert "{" not in alert.params["script"]
    assert alert.params["hours"] == "6"


# -- the order


@pytest.mark.parametrize("status", sorted(PARCEL))
def test_a_node_says_of_its_order_what_the_table_says(status: str) -> None:
    """Each status once, as a derived observation by the courier; the others say nothing."""
    parcel = new()
    feed(parcel, link())
    said = of(Observation, feed(parcel, node(status), node(status, TEN + 1, 2)))
    assert [fact.status for fact in said] == [SAYS_OF_ORDER[known] for known in [status] if known in SAYS_OF_ORDER]
    for fact in said:
        assert (fact.order_key, fact.channel, fact.shop_id, fact.order_id) == (ORDER, "web", "s1", "A1")
        assert (fact.source, fact.source_kind, fact.axis, fact.derived) == ("zto", "courier", "fulfilment", True)
        assert (fact.parcel_key, fact.occurred_at, fact.received_at, fact.raw_code) == ("zto:77", TEN, TEN, status)


def test_nodes_read_before_the_link_speak_when_it_comes() -> None:
    """In the order of their times, each status once by its earliest node, received when the order was known."""
    parcel = new()
    feed(
        parcel,
        node("OutForDelivery", TEN + 3, 1),
        node("ArrivedAtHub", TEN + 2, 2),
        node("InTransit", TEN + 1, 3),
        node("PickedUp", TEN, 4),
    )
    said = of(Observation, feed(parcel, link(at=TEN + HOUR)))
    assert [(fact.status, fact.occurred_at, fact.received_at) for fact in said] == [
        ("PickedUp", TEN, TEN + HOUR),
        ("InTransit", TEN + 1, TEN + HOUR),
        ("OutForDelivery", TEN + 3, TEN + HOUR),
    ]
    assert of(Observation, feed(parcel, link(at=TEN + 2 * HOUR), node("InTransit", TEN, 9))) == []


def test_a_statement_has_the_same_id_whenever_it_is_made() -> None:
    """Ids are of the parcel, the status and the order, so that a repeat is a duplicate."""
    early, late = new(), new()
    first = of(Observation, feed(early, link(), node("Signed")))
    second = of(Observation, feed(late, node("Signed"), link()))
    assert [fact.event_id for fact in first] == [fact.event_id for fact in second] == ["zto:77/Signed@web:s1:A1"]


def test_a_parcels_order_never_changes_silently() -> None:
    """A second order of another or an unknown customer is refused: the first stays, and nothing is said of the other."""
    for customer in ("c2", None):
        parcel = new()
        feed(parcel, node("Signed"), link())
        assert feed(parcel, link("web:s1:A2", customer=customer)) == []
        assert parcel.orders == [ORDER]


def test_orders_of_one_shipment_share_a_parcel() -> None:
    """The same customer's orders packed together: the parcel speaks to each, and belongs to the first."""
    parcel = new()
    feed(parcel, link(), node("PickedUp"))
    joined = feed(parcel, link("web:s1:A2"))
    assert [fact.order_key for fact in of(Observation, joined)] == ["web:s1:A2"]
    said = of(Observation, feed(parcel, node("Signed", TEN + 1, 2)))
    assert [fact.order_key for fact in said] == [ORDER, "web:s1:A2"]
    assert parcel.order_key == ORDER


def test_a_customer_may_be_named_later() -> None:
    """The same order's link fills in who the customer is; a repeated link writes nothing."""
    parcel = new()
    feed(parcel, link(customer=None))
    (state,) = feed(parcel, link(customer="c1"))
    assert state.customer_id == "c1"
    assert feed(parcel, link(customer="c2")) == []
    assert parcel.customer_id == "c1"


def test_a_fact_that_is_neither_node_nor_link_is_an_error() -> None:
    """So is a link to nothing; the parcel says which."""
    with pytest.raises(ValueError, match="zto:77"):
        feed(new(), link(order=None))
    odd = ParcelObservation(
        kind="rumour", event_id="r", source="zto", parcel_key="zto:77", courier="zto", tracking_no="77", occurred_at=TEN, received_at=TEN
    )
    with pytest.raises(ValueError, match="rumour"):
        feed(new(), odd)
