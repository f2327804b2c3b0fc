"""Source × check: runs the conformance suite's checks on every case and writes what held to connectors/CONFORMANCE.md.

`python -m tests.contract.connectors.matrix` prints the table and writes the page; test_matrix.py keeps it true.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from schemas import known
from tests.contract.connectors import test_conformance as suite
from tests.contract.connectors import test_encodings as encodings
from tests.contract.connectors.cases import CASES, Case
from tests.unit.connectors import test_hostile as hostile
from tests.unit.connectors import test_vectors as vectors

PAGE: Final = Path(__file__).parents[3] / "connectors" / "CONFORMANCE.md"
HELD: Final = "✓"
FAILED: Final = "✗"
NO: Final = "·"  # does not apply
ENCODINGS: Final = (encodings.test_chinese_is_kept_and_read, encodings.test_another_encoding_is_never_misread)
UNSIGNED: Final = (b"", b"{}", b"a=1&sign=", b"\xff\xfe\x00", b"[" * 10_000)
VECTORS_OF: Final = {"wechat": "wechat_shop", "17track": "track17"}  # the vectors' names begin otherwise
HEAD: Final = """# Conformance of the connectors

Written by `python -m tests.contract.connectors.matrix` from what the checks gave: do not edit. A row is a connector in one of its
kinds (or, where a source is only asked, one of its lists), a column is a check of the suite. `✓` held, with a number: so many vectors,
or codes; `·` does not apply; a number in brackets: see below. No cell is empty, and none is filled by hand.

"""
COLUMNS: Final = {
    "vectors": "public signature vectors of the source: our code computes each value; (1) where none is published",
    "signed": "a push signed with the shop's secret is taken",
    "tampered": "a flipped bit, another secret, no signature: refused; (2) where the documented signature leaves the body out",
    "replay": "the same push again, bytes and signature: the same ids under the same keys",
    "clock": "an hour early or late is refused as stale; (3) where the platform signs no time",
    "encoding": "Chinese in UTF-8 and escaped reads alike; GBK, GB18030 and UTF-16, which no platform of ours is known to push, do no harm",
    "decrypted": "a push that another key encrypted is not read",
    "ack": "acknowledged in the platform's own words",
    "id": "the same fact has one id, whenever and beside whatever it is pushed",
    "push = pull": "pushed or listed, a fact has one id; (4) where the platform does not let us know it",
    "key": "each message states its canonical status under its key",
    "unknown": "a code that no table has is a dead letter that names it",
    "batch": "a batch is cut byte for byte, 501 facts are too many",
    "mapping": "all publicly known codes of the source are in its table; `·` where none is known",
}


@dataclass(frozen=True)
class Cell:
    """What one check gave for one case."""

    shown: str
    note: str = ""  # the number of a remark, or the remark of this case


def ran(checks: Iterable[Callable[[], object]], held: str = HELD) -> Cell:
    """Whether all of them held."""
    for check in checks:
        try:
            check()
        except Exception as error:  # noqa: BLE001 -- whatever a check raises is what it found
            return Cell(FAILED, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:120])
    return Cell(held)


def _vectors(case: Case) -> Cell:
    mine = [vector for vector in vectors.VECTORS if VECTORS_OF.get(_owner(vector["name"]), _owner(vector["name"])) == case.name]
    return (
        ran([partial(vectors.test_vector, vector) for vector in mine], f"{HELD} {len(mine)}")
        if mine
        else Cell(NO if case.name == "generic" else "(1)")
    )


def _owner(name: str) -> str:
    return name.replace(".", "-").partition("-")[0]


def _tampered(case: Case) -> Cell:
    if case.connector.pull_only:
        return ran([partial(suite.test_a_source_that_is_asked_refuses_every_push, case)])
    checks: list[Callable[[], object]] = [partial(suite.test_refuses_the_unsigned, case, body) for body in UNSIGNED]
    checks += [partial(suite.test_refuses_a_tampered_body, case), partial(suite.test_refuses_another_secret, case)]
    return ran(checks, HELD if case.signs_body else f"{HELD} (2)")


def _clock(case: Case) -> Cell:
    return ran([partial(suite.test_refuses_a_stale_push, case)], HELD if case.signs_time else "(3)")


def _pulled(case: Case) -> Cell:
    if not case.pulled or case.connector.pull_only:
        return Cell(NO)
    found = ran([partial(suite.test_pushed_or_pulled_one_id, case), partial(suite.test_a_listed_object_that_cannot_be_read_is_kept, case)])
    return Cell("(4)", case.pull_differs) if found.shown == HELD and case.pull_differs else found


def _key(case: Case) -> Cell:
    reads = suite.test_reads_what_the_list_says if case.connector.pull_only else suite.test_reads_what_the_platform_sends
    return ran([partial(reads, case), partial(suite.test_a_shop_speaks_of_its_own_orders, case)])


def _batch(case: Case) -> Cell:
    if not case.many:
        return Cell(NO)
    return ran([partial(suite.test_batches_are_cut_byte_for_byte, case), partial(suite.test_too_many_facts, case)])


def _mapping(case: Case) -> Cell:
    codes = [code for code in known.load() if code.source == case.name]
    lacking = [code for code in known.missing() if code.source == case.name]
    if lacking:
        return Cell(FAILED, f"lacks {len(lacking)} of {len(codes)} known codes")
    return ran([partial(suite.test_its_table_is_sound, case)], f"{HELD} {len(codes)}") if codes else Cell(NO)


def cells(case: Case) -> dict[str, Cell]:
    """The whole row of a case."""
    pushed = not case.connector.pull_only

    def of_push(*checks: Callable[[Case], object]) -> Cell:
        return ran([partial(check, case) for check in checks]) if pushed else Cell(NO)

    return {
        "vectors": _vectors(case),
        "signed": of_push(suite.test_takes_a_good_signature),
        "tampered": _tampered(case),
        "replay": of_push(hostile.test_a_replayed_push_is_harmless),
        "clock": _clock(case) if pushed else Cell(NO),
        "encoding": ran([partial(check, case) for check in ENCODINGS]),
        "decrypted": of_push(encodings.test_what_another_key_encrypted_is_not_read) if case in encodings.ENCRYPTED else Cell(NO),
        "ack": of_push(suite.test_acknowledges_in_the_platforms_words),
        "id": ran([partial(suite.test_same_fact_same_id, case)]),
        "push = pull": _pulled(case),
        "key": _key(case),
        "unknown": ran([partial(suite.test_an_unknown_code_is_never_guessed, case)]),
        "batch": _batch(case) if pushed else Cell(NO),
        "mapping": _mapping(case),
    }


def matrix() -> list[tuple[str, dict[str, Cell]]]:
    """A row for each case, in the order of names."""
    names = [_name(case) for case in CASES]
    numbered = [f"{name} {names[: at + 1].count(name)}" if names.count(name) > 1 else name for at, name in enumerate(names)]
    return sorted(((name, cells(case)) for name, case in zip(numbered, CASES, strict=True)), key=lambda row: row[0])


def _name(case: Case) -> str:
    kinds = {other.shop.kind for other in CASES if other.name == case.name}
    if case.connector.pull_only:
        return f"{case.name} ({case.pulled_feed})"
    return f"{case.name} ({case.shop.kind})" if len(kinds) > 1 else case.name


def page(rows: Sequence[tuple[str, dict[str, Cell]]]) -> str:
    """The page, by what the checks gave."""
    lines = [f"| source | {' | '.join(COLUMNS)} |", f"| --- |{' :---: |' * len(COLUMNS)}"]
    lines += [f"| {name} | {' | '.join(row[column].shown for column in COLUMNS)} |" for name, row in rows]
    said = [f"- **{name}**: {what}" for name, what in COLUMNS.items()]
    notes = [f"- {name}, {column}: {cell.note}" for name, row in rows for column, cell in row.items() if cell.note]
    marks = [
        "- (1) not publicly documented: no vector is published, nor asserted in public code.",
        "- (2) the documented signature leaves the body out: whoever saw a push can send another body. Keep the address secret.",
        "- (3) no time is signed, or none is publicly documented: a replay is taken, and is a duplicate by its event id.",
        "- (4) push and pull of one fact have two ids, for the reason said below: both state the same, the second is a repeat.",
    ]
    parts = ["\n".join(lines), "## Checks\n\n" + "\n".join(said), "## Remarks\n\n" + "\n".join([*marks, *notes])]
    return HEAD + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    found = matrix()
    PAGE.write_text(page(found), encoding="utf-8")
    sys.stdout.write(page(found))
    sys.exit(any(cell.shown == FAILED for _, row in found for cell in row.values()))
