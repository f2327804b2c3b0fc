"""A public signature vector by its name."""

import json
from pathlib import Path
from typing import Any

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text(encoding="utf-8"))


def vector(name: str) -> tuple[dict[str, Any], str]:
    """Its inputs, and what comes out."""
    (found,) = [one for one in VECTORS if one["name"] == name]
    return found["inputs"], found["expected"]
