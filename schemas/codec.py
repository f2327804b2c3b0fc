"""Records to bytes and back: Avro by fastavro in Confluent's framing (0x00, 4-byte schema id, body).

Ids come from the committed `registry.json`; a record may be read with any id that its registry knows.
"""

import io
import json
import struct
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import fastavro
import msgspec

from schemas.runs import Reader, Run
from schemas.runs import runs as runs_of

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


def encode(record: msgspec.Struct) -> bytes:
    """A record of `schemas.records` as framed Avro of its newest version."""
    head, runs = _writing(type(record))
    out = io.BytesIO(head)
    out.seek(FRAME.size)
    for run in runs:
        run.write(out, record)
    return out.getvalue()


@cache
def _writing(kind: type) -> tuple[bytes, tuple[Run, ...]]:
    number, schema = _writer(kind)
    return FRAME.pack(0, number), tuple(runs_of(kind, schema["fields"]))


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
    try:
        if number == expected:
            return cast(T, _reading(kind).read(data, FRAME.size))
        value = _resolved(data, writer, schema)
    except (EOFError, ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
        raise NotARecord(f"broken Avro of a {kind.__name__}: {error!r}") from error
    return msgspec.convert(value, kind)


@cache
def _reading(kind: type) -> Reader:
    return Reader(kind, _writer(kind)[1]["fields"])


def _resolved(data: bytes, writer: Any, reader: Any) -> Any:
    """What an older or a newer version says, in the words of ours."""
    body = io.BytesIO(data)
    body.seek(FRAME.size)
    return fastavro.schemaless_reader(body, writer, reader)


def name_of(data: bytes) -> str:
    """The name of the record in framed Avro, without decoding its body. Raises NotARecord."""
    if len(data) < FRAME.size or data[0] != 0:
        raise NotARecord(f"not framed Avro: begins with {data[:5]!r}")
    return cast(str, parsed(FRAME.unpack_from(data)[1])["name"].rpartition(".")[2])
