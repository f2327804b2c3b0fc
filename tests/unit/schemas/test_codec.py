"""Framing and codec of the records."""

import io
import json
import struct
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec, evolve, records, runs

TEXTS = st.text(max_size=20)
LONGS = st.integers(min_value=-(2**63), max_value=2**63 - 1)


def build(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Records of a kind with arbitrary field values."""
    return st.builds(kind, **{field.name: values(field.type) for field in msgspec.structs.fields(kind)})


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of one field's type."""
    simple: dict[Any, st.SearchStrategy[Any]] = {str: TEXTS, int: LONGS, bool: st.booleans(), bytes: st.binary(max_size=30)}
    if hint in simple:
        return simple[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return build(hint)
    inner = [arg for arg in hint.__args__ if arg is not type(None)]
    if getattr(hint, "__origin__", None) is list:
        return st.lists(values(inner[0]), max_size=3)
    if getattr(hint, "__origin__", None) is dict:
        return st.dictionaries(TEXTS, values(hint.__args__[1]), max_size=3)
    return st.none() | values(inner[0])


@pytest.mark.parametrize("kind", evolve.WIRED, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_is_encoded_is_decoded(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    """Every record survives the wire unchanged."""
    record = data.draw(build(kind))
    assert codec.decode(codec.encode(record), kind) == record


@given(st.binary(max_size=200))
def test_garbage_is_refused_with_one_error(garbage: bytes) -> None:
    """Whatever bytes arrive, decoding returns a record or raises NotARecord, nothing else."""
    for body in (garbage, struct.pack(">bI", 0, 2) + garbage):
        try:
            codec.decode(body, records.Observation)
        except codec.NotARecord:
            continue


def test_the_frame_is_confluents() -> None:
    """A stock Avro reader that knows the frame and the committed file reads our bytes, times as timestamps."""
    stall = records.Stall(parcel_key="zto:1", episode=1, tier=2, due_at=0, fired_at=1000, last_movement_at=0)
    data = codec.encode(stall)
    magic, number = struct.unpack(">bI", data[:5])
    assert magic == 0
    schema = json.loads((codec.ROOT / "avro" / codec.registry()[number]).read_text())
    value = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema, None)
    assert isinstance(value, dict)
    assert value["fired_at"].isoformat() == "1970-01-01T00:00:01+00:00"
    assert value["tier"] == 2


def test_a_record_of_another_kind_is_refused_by_name() -> None:
    """Reading a mark as an observation says which record it is."""
    mark = codec.encode(records.ProgressMark(feed="f", read_to=1))
    assert codec.name_of(mark) == "ProgressMark"
    with pytest.raises(codec.NotARecord, match=r"holds a .*ProgressMark"):
        codec.decode(mark, records.Observation)


def test_committed_schemas_are_those_of_the_records() -> None:
    """The newest Avro files match schemas/records.py and are compatible with all older ones."""
    assert evolve.problems() == []


def test_a_removed_field_without_default_is_incompatible() -> None:
    """The check names the field that a reader needs and the writer lacks."""
    reader = evolve.avro_schema(records.Stall)
    writer = {**reader, "fields": [field for field in reader["fields"] if field["name"] != "tier"]}
    assert any("tier" in why for why in evolve.incompatible(reader, writer))
    assert evolve.incompatible(writer, reader) == []


def test_ids_are_never_reused() -> None:
    """Each id of the registry names a file of its own."""
    paths = list(codec.registry().values())
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("kind", evolve.WIRED, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_is_written_in_runs_is_what_the_library_writes_whole(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    """Whatever is copied from the records before, a reader of the whole schema finds this record, and not another's values."""
    schema = codec.parsed(codec.current_id(kind.__name__))
    for record in data.draw(st.lists(build(kind), min_size=1, max_size=4)):
        whole = io.BytesIO()
        fastavro.schemaless_writer(whole, schema, msgspec.to_builtins(record, builtin_types=(bytes,)))
        ours = codec.encode(record)[codec.FRAME.size :]
        if kind is not records.OrderState:  # its sources are blocks of one, which Avro allows
            assert ours == whole.getvalue()
        read = fastavro.schemaless_reader(io.BytesIO(ours), schema, None)
        assert read == fastavro.schemaless_reader(io.BytesIO(whole.getvalue()), schema, None)


def test_more_values_than_are_kept_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of fields are remembered up to a limit, then from the beginning."""
    monkeypatch.setattr(runs, "MOST", 3)
    for number in [*range(9), *range(9)]:
        told = records.AuditRecord(
            order_key="k", seq=number, occurred_at=0, recorded_at=0, raw_event_id="e", prev_hash="p", hash="h", source=f"s{number}",
            axis="stock", to_status="Restored", disposition="change",
        )  # fmt: skip
        assert codec.decode(codec.encode(told), records.AuditRecord) == told
