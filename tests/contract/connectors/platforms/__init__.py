"""One module per platform: CASES for the conformance suite, VECTORS: how each public signature vector of it is computed."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from tests.contract.connectors.kit import Case

_MODULES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
CASES: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
VECTORS: dict[str, Callable[[dict[str, Any]], object]] = {
    name: how for module in _MODULES for name, how in getattr(module, "VECTORS", {}).items()
}
