"""Signatures and tokens are compared in constant time, and in one place each: read from the code itself."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("connectors", "schemas", "streams", "sinks", "ops")
TELLS = re.compile(
    r"(secret|token|password|signature|digest|hmac|\bsign\b|_sign\b|\bsigned\b|mac\b|authori[sz]ation|api_?key|aes_?key)", re.IGNORECASE
)
PUBLIC = {  # no secret, for the reason beside it
    ("streams/orders/parcels.py", "SIGNED"),  # a status
    ("sinks/evidence/chain.py", "digest"),  # of the audit chain, which everybody may compute
    ("ops/embedded/jars.py", "_digest"),  # of files that everybody may fetch
    ("connectors/pull/client.py", "token"),  # two of ours: whether it was renewed meanwhile
    ("connectors/pull/cursors.py", "PollTokens"),  # a record's name
    ("connectors/xiaohongshu.py", "QUERY_TOKEN"),  # a choice in the configuration
}
FAKES = "ops/simulator/standins/"  # platforms that stand in on loopback: their secrets are made up, and guard nothing
PLAIN = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict)


def names(node: ast.AST) -> set[str]:
    """Identifiers and short texts of an expression that is compared, without what only wraps or measures it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"len", "type", "isinstance"}:
        return set()
    found: set[str] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and len(each.value) < 40:
            found.add(each.value)
    return found


def compared(tree: ast.AST) -> list[tuple[int, set[str]]]:
    """Comparisons by == or != (and `in` a tuple of values) that may take a secret's time; those with a constant are none."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
            sides = [node.left, *node.comparators]
            if not any(isinstance(side, PLAIN) for side in sides):
                said = {name for side in sides for name in names(side) if TELLS.search(name)}
                if said:
                    found.append((node.lineno, said))
    return found


def offenders() -> list[str]:
    """Every place in the code, with what is compared."""
    found = []
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            place = file.relative_to(ROOT).as_posix()
            if place.startswith(FAKES):
                continue
            for line, said in compared(ast.parse(file.read_text(encoding="utf-8"))):
                found += [f"{place}:{line} {name}" for name in sorted(said) if (place, name) not in PUBLIC]
    return found


def test_no_secret_is_compared_by_equality() -> None:
    """Whatever is called a signature, token, digest or secret is compared by hmac.compare_digest, or is named above."""
    assert offenders() == []


def test_what_is_named_as_public_is_still_there() -> None:
    """The list of exceptions holds nothing that has gone."""
    found = {
        (file.relative_to(ROOT).as_posix(), name)
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        for _, said in compared(ast.parse(file.read_text(encoding="utf-8")))
        for name in said
    }
    assert found >= PUBLIC


def test_the_check_sees_what_it_should() -> None:
    """Comparisons as a careless hand would write them are found; lengths and constants are none."""
    bad = "sign == expected\nif request.headers['Authorization'] != token: pass\nx = params.get('sign') == made\n"
    assert [line for line, _ in compared(ast.parse(bad))] == [1, 2, 3]
    good = "len(sign) == wanted\nmethod == 'sign'\nkind == other\nhmac.compare_digest(token, given)\n"
    assert compared(ast.parse(good)) == []
