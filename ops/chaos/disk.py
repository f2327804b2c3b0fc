"""A small disk, and whether this machine lets us have one."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


class NoSmallDisk(RuntimeError):
    """This machine does not let us mount one; says why."""


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A tmpfs of its own that everybody may write to, gone at the end. Raises NoSmallDisk."""
    if os.geteuid() != 0:
        raise NoSmallDisk("mounting a tmpfs needs root")
    folder = Path(tempfile.mkdtemp(prefix="lockstep-disk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(  # noqa: S603 - by absolute path, on a folder that we have just made
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "lockstep", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        if mounted.returncode:
            raise NoSmallDisk(f"tmpfs cannot be mounted here: {mounted.stderr.strip()}")
        yield folder
    finally:
        if not mounted.returncode:
            subprocess.run(["/bin/umount", "-l", str(folder)], check=False)  # noqa: S603 - the same
        folder.rmdir()


@contextlib.contextmanager
def filled(folder: Path, leave: int = 0) -> Iterator[Path]:
    """Fill the disk of a folder up to some bytes; the ballast goes at the end."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        if leave:
            file.truncate(max(0, file.tell() - leave))
    try:
        yield ballast
    finally:
        ballast.unlink(missing_ok=True)
