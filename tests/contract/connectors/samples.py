"""Writes the bench's samples from the suite's cases: `python -m tests.contract.connectors.samples`."""

import json
from dataclasses import asdict
from typing import Any, Final

from connectors.base import Push
from ops.bench.connectors.samples import FILE
from tests.contract.connectors.cases import CASES, NOW, Case

FIELDS: Final = ("kind", "connector", "name", "shop", "secret", "systems", "app_key", "token", "aes_key", "app_id", "options")


def text() -> str:
    """The file: a sample of each connector and kind, a push for each message, or each object of what is only asked."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for case in CASES:
        row = merged.setdefault((case.name, case.shop.kind), _row(case))
        if row["shop"] != _shop(case):
            continue
        if case.connector.pull_only:
            row["items"] += [[str(case.pulled_feed), message.decode()] for message in case.messages]
        else:
            row["pushes"] += [_push(case.push(message)) for message in case.messages]
    return json.dumps(list(merged.values()), ensure_ascii=False, indent=1) + "\n"


def _row(case: Case) -> dict[str, Any]:
    return {"name": case.name, "at": NOW, "shop": _shop(case), "pushes": [], "items": []}


def _shop(case: Case) -> dict[str, Any]:
    found = asdict(case.shop)
    return {name: list(found[name]) if name == "systems" else found[name] for name in FIELDS}


def _push(push: Push) -> dict[str, Any]:
    return {"body": push.body.decode(), "headers": dict(push.headers), "query": dict(push.query)}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
