"""`python -m ops.sources` writes connectors/SOURCES.md."""

from ops.sources.page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
