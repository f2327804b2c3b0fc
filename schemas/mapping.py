"""Mapping tables: a platform's code → axis and canonical status, one file per source in `schemas/mappings`, YAML or CSV.

    source: douyin
    kind: channel
    provenance: {sdk: "zsmhub/doudian-sdk message constants"}
    fields:
      tag:                              # the field of the payload that holds the code
        axis: fulfilment
        codes:
          "101": {status: PaymentConfirmed, label_zh: 已支付, trust: sdk, from: sdk}
          "113": {status: null, label_zh: 备注, trust: sdk, from: sdk}     # known to state no status

The same in CSV, for big tables; an empty status is null, and without a column `axis` all rows are of the axis `parcel`:

    # source: sf
    # kind: courier
    # provenance.doc: SF open platform, appendix of operation codes
    field,code,status,label_zh,trust,from
    opCode,50,PickedUp,顺丰已收件,documented,doc

A row may have its own `axis`, an `aftersale_kind`, a `trigger`, a `reason` (why, as phrases.yaml calls it) and a `note`.
Every problem is told with file and line. A table is read when it is first asked for.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from schemas import couriers, phrases, tables_csv, tables_yaml
from schemas.tables import Entry, MappingError, Table

__all__ = ["FOLDER", "Entry", "MappingError", "Table", "files", "find", "load", "named", "parse", "problems", "sources"]

FOLDER: Final = Path(__file__).parent / "mappings"
NOT_TABLES: Final = frozenset({"phrases", "couriers"})
FORMS: Final = frozenset({".yaml", ".csv"})


def parse(text: str, name: str) -> Table:
    """A table from YAML, or from CSV where the name ends so. `name` is the file's, for errors. Raises MappingError."""
    return tables_csv.read(text, name) if name.endswith(".csv") else tables_yaml.read(text, name)


@cache
def load(source: str) -> Table:
    """The committed table of a source. Raises MappingError, and LookupError where there is none."""
    path = files().get(source)
    if path is None:
        raise LookupError(f"there is no mapping table {source}.yaml or {source}.csv in schemas/mappings")
    return parse(path.read_text(encoding="utf-8"), f"schemas/mappings/{path.name}")


@cache
def files() -> Mapping[str, Path]:
    """The file of every source that has a table; of two files for one source the YAML, and `problems` tells of it."""
    return {path.stem: path for path in sorted(FOLDER.iterdir()) if path.suffix in FORMS and path.stem not in NOT_TABLES}


@cache
def sources() -> frozenset[str]:
    """Every source that has a table."""
    return frozenset(files())


def find(source: str) -> Table | None:
    """The table of a source, None where there is none."""
    return load(source) if source in sources() else None


@cache
def named(source: str, field: str) -> Mapping[str, str]:
    """The codes of a field by their labels, for platforms that send either; of two codes with one label the first."""
    return {entry.label_zh: code for code, entry in reversed(list(load(source).fields.get(field, {}).items()))}


def problems() -> list[str]:
    """Everything that is wrong in the committed tables, with file and line, for `lockstep check`."""
    found = [
        f"schemas/mappings/{source}.csv:1: there is a {source}.yaml too: one table is enough" for source in sources() if _twice(source)
    ]
    for source, path in sorted(files().items()):
        try:
            table = parse(path.read_text(encoding="utf-8"), f"schemas/mappings/{path.name}")
            if table.source != source:
                found.append(f"schemas/mappings/{path.name}:1: its source is {table.source!r}, its file's name is not")
        except MappingError as error:
            found += error.problems
    for other in (couriers, phrases):
        try:
            other.parse(other.FILE.read_text(encoding="utf-8"), f"schemas/mappings/{other.FILE.name}")
        except ValueError as error:
            found.append(str(error))
    return found


def _twice(source: str) -> bool:
    return all((FOLDER / f"{source}{form}").exists() for form in FORMS)
