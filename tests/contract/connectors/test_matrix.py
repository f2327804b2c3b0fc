"""The page of conformance says what the checks give, and nothing on it has failed."""

from tests.contract.connectors import matrix


def test_the_page_is_what_the_suite_says() -> None:
    """CONFORMANCE.md has what the checks give now; `python -m tests.contract.connectors.matrix` writes it."""
    found = matrix.matrix()
    assert [f"{name} {column}: {cell.note}" for name, row in found for column, cell in row.items() if cell.shown == matrix.FAILED] == []
    assert matrix.PAGE.read_text(encoding="utf-8") == matrix.page(found)


def test_a_check_that_fails_is_seen() -> None:
    """A cell is what a check gave: one that raises is marked, with what it said."""

    def fails() -> None:
        assert not "an odd push", "an odd push"

    cell = matrix.ran([fails])
    assert (cell.shown, "AssertionError" in cell.note) == (matrix.FAILED, True)
    assert matrix.ran([]).shown == matrix.HELD
