"""Our names of couriers, whatever a platform calls them, by `mappings/couriers.yaml`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).parent / "mappings" / "couriers.yaml"


def parse(text: str, name: str) -> Mapping[str, str]:
    """Any known name, in lower case → ours. Raises ValueError, as for a name that stands for two couriers."""
    found: dict[str, str] = {}
    try:
        rows = [(str(courier), [str(alias) for alias in names]) for courier, names in yaml.safe_load(text).items()]
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from None
    except RecursionError:
        raise ValueError(f"{name}: nested too deeply") from None
    for courier, names in rows:
        for alias in (courier, *names):
            if found.setdefault(alias.lower(), courier) != courier:
                raise ValueError(f"{name}: {alias!r} stands for {found[alias.lower()]} and for {courier}")
    return found


@cache
def load() -> Mapping[str, str]:
    """The committed names."""
    return parse(FILE.read_text(encoding="utf-8"), "schemas/mappings/couriers.yaml")


def ours(name: str) -> str:
    """Our name of a courier; an unknown one keeps its own, in lower case and fit to begin a key."""
    asked = name.strip().lower()
    return load().get(asked) or asked.replace(":", "_")[:64]


def known(name: str) -> bool:
    """Whether a name is in the table."""
    return name.strip().lower() in load()
