"""Records to bytes and back: Avro by fastavro in Confluent's framing (0x00, 4-byte schema id, body).

Ids come from the committed `registry.json`; a record may be read with any id that its registry knows.
"""

import copy
import io
import json
import struct
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import fastavro
import msgspec

from schemas import records

ROOT: Final = Path(__file__).parent
FRAME: Final = struct.Struct(">bI")
T = TypeVar("T", bound=msgspec.Struct)


class NotARecord(ValueError):
    """Bytes that are not Avro in Confluent's framing with an id of the registry."""


@cache
def registry() -> dict[int, str]:
    """Schema id → file below `schemas/avro`, `Name/version.avsc`."""
    ids = json.loads((ROOT / "registry.json").read_text())["ids"]
    return {int(number): path for number, path in ids.items()}


@cache
def current_id(name: str) -> int:
    """The id of the newest version of a record."""
    found = [(int(path.split("/")[1].removesuffix(".avsc")), number) for number, path in registry().items() if path.startswith(f"{name}/")]
    if not found:
        raise LookupError(f"schemas/registry.json has no schema {name}: run `lockstep schemas list`")
    return max(found)[1]


def _plain(schema: Any) -> Any:
    """Without logical types: the bytes are the same, and times stay integers."""
    if isinstance(schema, dict):
        return {key: _plain(value) for key, value in schema.items() if key != "logicalType"}
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema


@lru_cache(maxsize=256)
def parsed(number: int) -> Any:
    """The schema with this id, parsed once."""
    try:
        path = registry()[number]
    except KeyError:
        raise NotARecord(f"schema id {number} is not in the registry") from None
    return fastavro.parse_schema(_plain(json.loads((ROOT / "avro" / path).read_text())), named_schemas={})


_NESTED: Final = frozenset({records.Observation, records.OrderState})  # hold records themselves


def encode(record: msgspec.Struct) -> bytes:
    """A record of `schemas.records` as framed Avro of its newest version."""
    kind = type(record)
    number, schema = _writer(kind)
    out = io.BytesIO()
    out.write(FRAME.pack(0, number))
    if kind is records.OrderState:
        _write_state(out, cast(records.OrderState, record))
    else:
        fastavro.schemaless_writer(out, schema, msgspec.to_builtins(record) if kind in _NESTED else msgspec.structs.asdict(record))
    return out.getvalue()


def _write_state(out: io.BytesIO, state: records.OrderState) -> None:
    """An order's state, with what its sources say taken from a cache: mostly one of several has changed.

    Avro writes a record as its fields one after the other, and an array as blocks: a count, the items, a zero.
    """
    before, _, after = _around_sources()
    value = msgspec.structs.asdict(state)
    sources = value.pop("sources")
    fastavro.schemaless_writer(out, before, value)
    for source in sources:
        out.write(b"\x02")  # a block of one
        out.write(_source_state(source))
    out.write(b"\x00")
    fastavro.schemaless_writer(out, after, value)


@cache
def _around_sources() -> tuple[Any, Any, Any]:
    """Schemas of an OrderState's fields before `sources`, of one of these, and of the fields after it."""
    fields = _writer(records.OrderState)[1]["fields"]
    place = next(number for number, field in enumerate(fields) if field["name"] == "sources")
    before, after = ({"type": "record", "name": "Part", "fields": part} for part in (fields[:place], fields[place + 1 :]))
    one = fields[place]["type"]["items"]
    return tuple(fastavro.parse_schema(copy.deepcopy(part), named_schemas={}) for part in (before, one, after))


@lru_cache(maxsize=32_768)
def _source_state(source: records.SourceState) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, _around_sources()[1], msgspec.structs.asdict(source))
    return out.getvalue()


@cache
def _writer(kind: type) -> tuple[int, Any]:
    number = current_id(kind.__name__)
    return number, parsed(number)


def decode(data: bytes, kind: type[T]) -> T:
    """The record in framed Avro; fields that an older writer did not know have their defaults. Raises NotARecord."""
    if len(data) < FRAME.size or data[0] != 0:
        raise NotARecord(f"not framed Avro: begins with {data[:5]!r}")
    number = FRAME.unpack_from(data)[1]
    expected, schema = _writer(kind)
    writer = schema if number == expected else parsed(number)
    if writer["name"] != schema["name"]:
        raise NotARecord(f"holds a {writer['name']}, expected a {kind.__name__}")
    body = io.BytesIO(data)
    body.seek(FRAME.size)
    try:
        value = fastavro.schemaless_reader(body, writer, None if writer is schema else schema)
    except (EOFError, ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
        raise NotARecord(f"broken Avro of a {kind.__name__}: {error!r}") from error
    return msgspec.convert(value, kind) if kind in _NESTED else kind(**cast(dict[str, Any], value))


def name_of(data: bytes) -> str:
    """The name of the record in framed Avro, without decoding its body. Raises NotARecord."""
    if len(data) < FRAME.size or data[0] != 0:
        raise NotARecord(f"not framed Avro: begins with {data[:5]!r}")
    return cast(str, parsed(FRAME.unpack_from(data)[1])["name"].rpartition(".")[2])
