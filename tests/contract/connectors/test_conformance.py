"""What every connector must do, whatever its platform. A connector is tested by being listed in cases.py."""

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import MAX_FACTS, Push, Refused, TooMany
from connectors.intake import Address
from connectors.pull.base import PULLED
from connectors.registry import CONNECTORS, decoders
from schemas import codec, mapping
from schemas.facts import Unusable
from schemas.records import Observation, ParcelObservation, RawEvent
from schemas.status import AXES, PARCEL
from tests.contract.connectors.cases import CASES, NOW, Case, other_secret

PUSHED = [case for case in CASES if not case.connector.pull_only]
ASKED = [case for case in CASES if case.connector.pull_only]
SEVERAL = [case for case in PUSHED if case.many]
NAMES = [f"{case.name}-{case.shop.kind}" for case in CASES]
every = pytest.mark.parametrize("case", CASES, ids=NAMES)
every_pushed = pytest.mark.parametrize("case", PUSHED, ids=[f"{case.name}-{case.shop.kind}" for case in PUSHED])
every_asked = pytest.mark.parametrize("case", ASKED, ids=[f"{case.name}-{case.pulled_feed}" for case in ASKED])


def events(case: Case, *messages: bytes, at: float = NOW) -> list[RawEvent]:
    """The envelopes of a push, read back from Kafka's bytes; of objects of a list, where a source pushes nothing."""
    if case.connector.pull_only:
        return [event for message in messages for event in asked(case, str(case.pulled_feed), message)]
    records = Address(case.shop, case.connector).receive(case.push(*messages, at=at), at)
    return [codec.decode(record.value, RawEvent) for record in records]


def refused(case: Case, push: Push, now: float = NOW) -> Refused:
    """The refusal of a push that must not be taken."""
    with pytest.raises(Refused) as caught:
        case.connector.verify(case.shop, push, now)
    assert caught.value.status == 401
    for secret in (case.shop.secret, case.shop.token, case.shop.aes_key):
        assert not secret or secret not in str(caught.value)
    return caught.value


def kept(case: Case, message: bytes) -> list[RawEvent]:
    """The envelopes of whatever is signed; none where only encryption tells a message from a forgery, and this is no message."""
    if case.mac:
        return events(case, message)
    with contextlib.suppress(Refused):
        return events(case, message)
    return []


def flipped(data: bytes, at: int) -> bytes:
    """The same bytes but one."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_all_are_listed() -> None:
    """Every registered connector takes part, in every kind that it may be configured as."""
    listed = {(case.name, case.shop.kind) for case in CASES}
    assert listed == {(name, kind) for name, connector in CONNECTORS.items() for kind in connector.kinds}
    assert set(decoders()) == set(CONNECTORS)


@every_pushed
def test_reads_what_the_platform_sends(case: Case) -> None:
    """Each message becomes one envelope that decodes to its canonical status, under the key that Kafka has."""
    for message, (key, status) in zip(case.messages, case.says, strict=True):
        (record,) = Address(case.shop, case.connector).receive(case.push(message), NOW)
        event = codec.decode(record.value, RawEvent)
        said = case.connector.decode(event)
        assert record.key.decode() == key
        assert (said.order_key if isinstance(said, Observation) else said.parcel_key) == key
        assert said.status == status
        assert said.status in (AXES[said.axis] if isinstance(said, Observation) else PARCEL)
        assert (said.occurred_at, said.received_at, said.clock) == (
            pytest.approx(1795312800000, abs=1000),
            int(NOW * 1000),
            "ok",
        ) or case.shop.kind == "courier"
        assert said.event_id == event.event_id == dict(record.headers)["ce_id"].decode()
        assert said.source == event.source == dict(record.headers)["ce_source"].decode()
        assert record.topic == case.shop.topic


@every_asked
def test_reads_what_the_list_says(case: Case) -> None:
    """Of a source that pushes nothing, each object of a list states its canonical status under its key."""
    for message, (key, status) in zip(case.messages, case.says, strict=True):
        found = events(case, message)
        read = [case.connector.decode(event) for event in found]
        assert (key, status) in {(said.order_key, said.status) for said in read if isinstance(said, Observation)}
        for said, event in zip(read, found, strict=True):
            assert (said.event_id, said.source, said.received_at) == (event.event_id, event.source, int(NOW * 1000))


@every_asked
def test_a_source_that_is_asked_refuses_every_push(case: Case) -> None:
    """What is pushed in the name of a source that pushes nothing is refused, and the sender is told that it is polled."""
    refusal = refused(case, Push(case.messages[0]))
    assert "poll" in str(refusal)


@every_pushed
def test_takes_a_good_signature(case: Case) -> None:
    """A push signed with the shop's secret is taken."""
    case.connector.verify(case.shop, case.push(), NOW)


@every_pushed
def test_refuses_a_tampered_body(case: Case) -> None:
    """One flipped bit anywhere in the signed body refuses the push, or changes nothing of what is read (a form's spelling)."""
    good = case.push()
    if not case.signs_body:
        case.connector.verify(case.shop, Push(good.body + b" ", good.headers, good.query), NOW)  # documented: it is not covered
        return
    facts = case.connector.split(case.shop, good)
    for at in range(0, len(good.body), max(1, len(good.body) // 40)):
        push = Push(flipped(good.body, at), good.headers, good.query)
        with contextlib.suppress(Refused):
            case.connector.verify(case.shop, push, NOW)
            assert case.connector.split(case.shop, push) == facts


@every_pushed
def test_refuses_another_secret(case: Case) -> None:
    """A push signed with another secret is refused."""
    refused(case, case.seal(other_secret(case), case.messages[:1], NOW))


@every
@pytest.mark.parametrize("body", [b"", b"{}", b"a=1&sign=", b"\xff\xfe\x00", b"[" * 10_000])
def test_refuses_the_unsigned(case: Case, body: bytes) -> None:
    """Nothing that is not signed is taken, and looking at it never fails."""
    refused(case, Push(body))


@every_pushed
def test_refuses_a_stale_push(case: Case) -> None:
    """Where the platform signs a time, a push from an hour ago or ahead is refused as stale."""
    if not case.signs_time:
        case.connector.verify(case.shop, case.push(at=NOW - 3600), NOW)  # documented: no time to check
        return
    for at in (NOW - 3600, NOW + 3600):
        assert refused(case, case.push(at=at)).result == "stale"


@every_pushed
def test_acknowledges_in_the_platforms_words(case: Case) -> None:
    """The answer is what the platform asks for, so that it does not push again."""
    assert case.connector.acknowledge(case.shop, 1).body == case.reply
    assert case.connector.acknowledge(case.shop, 1).status == 200


@every
def test_same_fact_same_id(case: Case) -> None:
    """The same message pushed twice, at another time and beside others, has one id; other messages have others."""
    first = [event.event_id for message in case.messages for event in events(case, message)]
    again = [event.event_id for message in case.messages for event in events(case, message, at=NOW + 60)]
    assert first == again
    assert len(set(first)) == len(first)
    if case.many:
        together = [event.event_id for event in events(case, *case.messages)]
        assert together == first


@pytest.mark.parametrize("case", SEVERAL, ids=[f"{case.name}-{case.shop.kind}" for case in SEVERAL])
def test_batches_are_cut_byte_for_byte(case: Case) -> None:
    """Each envelope of a batch holds its own message's bytes, in the order of the push."""
    assert [event.payload for event in events(case, *case.messages)] == list(case.messages)


@every_pushed
def test_a_single_message_keeps_its_bytes(case: Case) -> None:
    """The payload is what was sent, down to spaces and the order of fields."""
    for message in case.messages:
        assert [event.payload for event in events(case, message)] == [message]


@pytest.mark.parametrize("case", SEVERAL, ids=[f"{case.name}-{case.shop.kind}" for case in SEVERAL])
def test_too_many_facts(case: Case) -> None:
    """500 facts in a push are taken, 501 are refused with 413."""
    message = case.messages[0]
    assert len(case.connector.split(case.shop, case.push(*[message] * MAX_FACTS))) == MAX_FACTS
    with pytest.raises(TooMany) as caught:
        case.connector.split(case.shop, case.push(*[message] * (MAX_FACTS + 1)))
    assert caught.value.status == 413


@every
def test_an_unknown_code_is_never_guessed(case: Case) -> None:
    """A code that no table has is one envelope, and a dead letter that names the code."""
    (event,) = events(case, case.unknown)
    with pytest.raises(Unusable) as caught:
        case.connector.decode(event)
    assert (caught.value.reason, caught.value.code) == ("unmapped_status", case.code)


@every
def test_what_states_nothing_is_no_fact(case: Case) -> None:
    """Probes, heartbeats, memos and the like are acknowledged and leave no envelope."""
    for message in case.silent:
        assert events(case, message) == []


@every
def test_a_shop_speaks_of_its_own_orders(case: Case) -> None:
    """A channel's shop that speaks of another shop's order is not believed."""
    if case.foreign is None:
        return
    (event,) = events(case, case.foreign)
    with pytest.raises(Unusable) as caught:
        case.connector.decode(event)
    assert caught.value.reason == "foreign_order"


def asked(case: Case, feed: str, item: bytes) -> list[RawEvent]:
    """The envelopes of one object of a list."""
    shop, now = case.shop, int(NOW * 1000)
    facts = case.connector.pulled(shop, feed, item)
    assert all(fact.headers[PULLED] == feed and fact.payload == item for fact in facts)
    return [
        RawEvent(
            event_id=fact.event_id,
            source=fact.source,
            connector=case.name,
            kind=shop.kind,
            shop=shop.shop,
            received_at=now,
            verified=True,
            headers=dict(fact.headers),
            payload=item,
        )
        for fact in facts
    ]


def statement(case: Case, event: RawEvent) -> tuple[object, ...]:
    """What an envelope says that decides: whose it is, its status and, of a refund, which case and of what kind."""
    said = case.connector.decode(event)
    if isinstance(said, ParcelObservation):
        return said.parcel_key, said.status
    return said.order_key, said.axis, said.status, said.case_id, said.aftersale_kind, said.partial_refund


@pytest.mark.parametrize("case", [case for case in CASES if case.pulled], ids=[n for n, c in zip(NAMES, CASES, strict=True) if c.pulled])
def test_pushed_or_pulled_one_id(case: Case) -> None:
    """What is pushed and listed too is one fact: the same statement and the same event id, wherever the platform lets us know it."""
    listed, same = case.listed(), True
    assert listed
    for message, item, feed in listed:
        (pushed,) = events(case, message)
        said = statement(case, pushed)
        found = asked(case, feed, item)
        alike = [event for event in found if statement(case, event) == said]
        assert alike, f"the list says {[statement(case, event) for event in found]}, the push {said}"
        same &= pushed.event_id in {event.event_id for event in alike}
    assert same == (not case.pull_differs), case.pull_differs or "push and pull of one fact have two ids"


@pytest.mark.parametrize("case", [case for case in CASES if case.pulled], ids=[n for n, c in zip(NAMES, CASES, strict=True) if c.pulled])
def test_a_listed_object_that_cannot_be_read_is_kept(case: Case) -> None:
    """A broken object of a list is one envelope and one dead letter; each field in turn wrong never breaks the reading."""
    for _, item, feed in case.listed():
        for broken in (b"{}", b"[]", b"garbage", item[:-1]):
            (event,) = asked(case, feed, broken)
            with pytest.raises(Unusable):
                case.connector.decode(event)
        fields = msgspec.json.decode(item)
        for name, wrong in itertools.product(fields, WRONG):
            for event in asked(case, feed, msgspec.json.encode({**fields, name: wrong})):
                _read(case, event)


def _mutilated(message: bytes) -> Sequence[bytes]:
    unnamed = message.replace(b":", b"") if message.startswith(b"{") else message[1:-1]  # a row of values has no names
    return (message[: len(message) // 2], message[:-1], unnamed, message[1:], message + (b"<" if message.startswith(b"<") else b"}"))


@every
def test_signed_garbage_is_kept_with_a_reason(case: Case) -> None:
    """A broken message is one envelope and one dead letter that a person can read; the rest of the batch is untouched."""
    for broken in (b"garbage", b"{", b"", *_mutilated(case.messages[0])):
        found = kept(case, broken)
        assert len(found) <= 1 or case.many
        for event in found:
            with pytest.raises(Unusable) as caught:
                case.connector.decode(event)
            assert caught.value.reason in {"undecodable", "invalid", "unmapped_status"}
            assert len(caught.value.detail) < 600
            assert "pydantic" not in caught.value.detail


def _read(case: Case, event: RawEvent) -> Observation | ParcelObservation | None:
    """What an envelope says, which must fit Kafka and Postgres; None for a dead letter with one of the known reasons."""
    try:
        said = case.connector.decode(event)
    except Unusable as unusable:
        if unusable.reason not in {"undecodable", "invalid", "bad_timestamp", "unmapped_status", "foreign_order"}:
            raise
        return None
    assert isinstance(said, Observation | ParcelObservation)
    assert "\\x00" not in repr(said)
    codec.encode(said)
    return said


NAMES_SEEN = (
    *("tag", "data", "topic", "content", "message", "id", "type", "Event", "order_info", "order_id", "status", "so_id", "o_id"),
    *("event_id", "tracking_no", "occurred_at", "billCode", "context", "events", "orders", "io_id", "commandType", "courier"),
)
SCALARS = st.none() | st.integers() | st.text(max_size=8) | st.booleans() | st.floats()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES_SEEN), inner, max_size=5), max_leaves=8
)


@every
@settings(max_examples=60, deadline=None)
@given(message=st.binary(max_size=60) | JSON.map(msgspec.json.encode))
def test_no_message_breaks_it(case: Case, message: bytes) -> None:
    """Whatever is signed, splitting never fails, ids and keys can be written, and decoding fails in one way only."""
    for event in kept(case, message):
        _read(case, event)


WRONG: tuple[object, ...] = (None, [], {}, True, -1, 2**63, 1.5, "", "\x00", "x" * 5000, "2026")


@every
def test_every_field_may_be_wrong(case: Case) -> None:
    """Each field in turn null, of another type or far too long: a dead letter or an observation, never a crash."""
    for message in case.messages:
        for spoiled in _spoiled(events(case, message)[0].payload):
            for found in kept(case, spoiled):
                _read(case, found)


def _spoiled(message: bytes) -> Iterator[bytes]:
    """The same message with each of its fields wrong in turn; a field of XML is a text."""
    if message.startswith(b"<"):
        for place in re.finditer(rb'(?<==")[^"]*(?=")|(?<=>)[^<]+(?=<)', message):
            yield from (message[: place.start()] + wrong + message[place.end() :] for wrong in (b"", b"x" * 5000, b"2026", b"\x01"))
        return
    fields = msgspec.json.decode(message)
    for name, wrong in itertools.product(fields if isinstance(fields, dict) else range(len(fields)), WRONG):
        yield msgspec.json.encode(_with(fields, name, wrong))


def _with(fields: object, name: object, value: object) -> object:
    """The same object, or row of values, but one."""
    if isinstance(fields, list):
        return [value if place == name else one for place, one in enumerate(fields)]
    assert isinstance(fields, dict)
    return {**fields, name: value}


@every
def test_its_table_is_sound(case: Case) -> None:
    """A connector with a table has no problem in it and its kind is the shop's."""
    if case.name == "generic":
        assert mapping.find("generic") is None
        return
    assert mapping.load(case.name).kind == case.shop.kind
    assert not [problem for problem in mapping.problems() if case.name in problem]
