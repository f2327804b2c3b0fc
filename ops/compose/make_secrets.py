"""`python3 ops/compose/make_secrets.py`: the secrets of docker-compose.yml as files in ./secrets, each made once, at random.

Needs Python alone. The folder is closed to others; the files are not, for a container's user reads them by another number.
"""

import secrets
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "secrets"
# Passwords and tokens of our own, then one shared secret for each source of ops/compose/lockstep.yaml
NAMES: Final = ("postgres", "grafana_reader", "grafana_admin", "board_token", "web_s1", "erp_main", "wms_w1", "zto_p1")
DSN: Final = "postgres_dsn"


def make(folder: Path = FOLDER) -> list[str]:
    """Write what is missing; the names of what was made now."""
    folder.mkdir(mode=0o700, exist_ok=True)
    made = [name for name in NAMES if not (folder / name).exists()]
    for name in made:
        (folder / name).write_text(secrets.token_urlsafe(24) + "\n", encoding="utf-8")
    if not (folder / DSN).exists():
        password = (folder / "postgres").read_text(encoding="utf-8").strip()
        (folder / DSN).write_text(f"postgresql://lockstep:{password}@postgres:5432/lockstep\n", encoding="utf-8")
        made.append(DSN)
    for name in made:
        (folder / name).chmod(0o644)
    return made


if __name__ == "__main__":
    print("\n".join(f"made secrets/{name}" for name in make()) or "every secret exists")
