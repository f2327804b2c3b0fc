"""`python -m ops.grafana`: write every dashboard's JSON beside this file."""

from pathlib import Path

from ops.grafana import PAGES

FOLDER = Path(__file__).parent / "dashboards"

if __name__ == "__main__":
    for page in PAGES:
        file = FOLDER / f"{page.uid}.json"
        file.write_text(page.text(), encoding="utf-8")
        print(file)
