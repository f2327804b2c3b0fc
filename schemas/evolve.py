"""Avro files from the records, and whether a change of one is compatible. `lockstep schemas check` and CI run it."""

import json
import types
import typing
from typing import Any

import avro.schema
import msgspec
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from schemas import evidence, polls, pulses, records
from schemas.codec import ROOT, registry

NAMESPACE = "lockstep"
WIRED: tuple[type[msgspec.Struct], ...] = (
    records.RawEvent,
    records.Observation,
    records.ProgressMark,
    records.OrderState,
    records.AuditRecord,
    records.Jump,
    records.Conflict,
    records.PoolRecord,
    records.ChannelFinding,
    records.ChannelControl,
    records.ParcelObservation,
    records.ParcelState,
    records.Stall,
    records.Alert,
    records.DeadLetter,
    pulses.SourcePulse,
    evidence.AuditRoot,
    polls.PollCursor,
    polls.PollTokens,
)
_PRIMITIVES = {str: "string", int: "long", bool: "boolean", bytes: "bytes", float: "double"}


def _avro_type(kind: Any, field: str) -> Any:
    if isinstance(kind, types.UnionType):
        (inner,) = (arg for arg in typing.get_args(kind) if arg is not type(None))
        return ["null", _avro_type(inner, field)]
    if typing.get_origin(kind) is list:
        return {"type": "array", "items": _avro_type(typing.get_args(kind)[0], field)}
    if typing.get_origin(kind) is dict:
        return {"type": "map", "values": _avro_type(typing.get_args(kind)[1], field)}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return avro_schema(kind, top=False)
    if kind is int and (field == "at" or field.endswith("_at") or field in {"since", "read_to"}):
        return {"type": "long", "logicalType": "timestamp-millis"}
    return _PRIMITIVES[kind]


def avro_schema(kind: type[msgspec.Struct], *, top: bool = True) -> dict[str, Any]:
    """The Avro schema of a record: its fields in order, with its defaults."""
    hints = typing.get_type_hints(kind)
    fields = []
    for field in msgspec.structs.fields(kind):
        entry: dict[str, Any] = {"name": field.name, "type": _avro_type(hints[field.name], field.name)}
        if field.default is not msgspec.NODEFAULT:
            entry["default"] = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            entry["default"] = field.default_factory()
        fields.append(entry)
    schema: dict[str, Any] = {"type": "record", "name": kind.__name__}
    if top:
        schema["namespace"] = NAMESPACE
    return schema | {"doc": (kind.__doc__ or "").split("\n")[0], "fields": fields}


def versions(name: str) -> list[dict[str, Any]]:
    """All committed versions of a record's schema, oldest first."""
    paths = [path for path in registry().values() if path.startswith(f"{name}/")]
    paths.sort(key=lambda path: int(path.split("/")[1].removesuffix(".avsc")))
    return [json.loads((ROOT / "avro" / path).read_text()) for path in paths]


def incompatible(reader: dict[str, Any], writer: dict[str, Any]) -> list[str]:
    """Why a reader cannot read what a writer wrote; empty when it can."""
    result = ReaderWriterCompatibilityChecker().get_compatibility(
        avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer))
    )
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [f"{message} (at {place})" for message, place in zip(sorted(result.messages), sorted(result.locations), strict=False)]


def problems() -> list[str]:
    """Everything that is wrong between the records, their newest files and the older versions, in both directions."""
    found = []
    for kind in WIRED:
        name, known = kind.__name__, versions(kind.__name__)
        if not known or known[-1] != json.loads(json.dumps(avro_schema(kind))):
            found.append(f"schemas/avro/{name}: the newest version differs from schemas/records.py; write the next version")
            continue
        for number, old in enumerate(known[:-1], 1):
            found += [f"schemas/avro/{name}/{number}.avsc cannot be read any more: {why}" for why in incompatible(known[-1], old)]
            found += [f"readers of schemas/avro/{name}/{number}.avsc cannot read the newest: {why}" for why in incompatible(old, known[-1])]
    return found


def write_next() -> list[str]:
    """Write the next version of each record that changed, with a fresh id; never touches a committed version."""
    ids = registry()
    written = []
    for kind in WIRED:
        name, known = kind.__name__, versions(kind.__name__)
        schema = json.loads(json.dumps(avro_schema(kind)))
        if known and known[-1] == schema:
            continue
        path = f"{name}/{len(known) + 1}.avsc"
        (ROOT / "avro" / name).mkdir(parents=True, exist_ok=True)
        (ROOT / "avro" / path).write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
        ids = {**ids, max(ids, default=0) + 1: path}
        written.append(path)
    (ROOT / "registry.json").write_text(json.dumps({"ids": {str(number): path for number, path in sorted(ids.items())}}, indent=1) + "\n")
    registry.cache_clear()
    return written
