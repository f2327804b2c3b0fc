"""Whom PostgreSQL runs as and where that user can go."""

import tempfile
from pathlib import Path

import pytest

from ops.embedded.binaries import User


@pytest.mark.parametrize(("mode", "passes"), [(0o700, False), (0o710, False), (0o701, True), (0o755, True)])
def test_a_stranger_passes_only_through_folders_open_to_others(mode: int, passes: bool) -> None:
    """Every folder on the way must have the execute bit for others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (inner := folder / "a" / "b").mkdir(parents=True)
        inner.parent.chmod(mode)
        assert User(4711, 4711).passes(inner) is passes
