"""What a role writes, kept in files of bounded size."""

import asyncio
import os
from pathlib import Path

MAX_BYTES = 8 << 20
KEPT = 3  # older files: name.log.1 is the youngest of them
CHUNK = 1 << 16
TAIL = 4000


class RoleLog:
    """Pipes whose reading ends are copied to a rotating file. Belongs to one event loop."""

    def __init__(self, file: Path, max_bytes: int = MAX_BYTES) -> None:
        self.file, self._max_bytes = file, max_bytes
        self._tail = b""
        self._output = file.open("ab", buffering=0)

    def pipe(self) -> int:
        """Open a pipe for one process; the caller closes the writing end that it is given."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        asyncio.get_running_loop().add_reader(reading, self._copy, reading)
        return writing

    def close(self) -> None:
        """Close the file."""
        self._output.close()

    def last_lines(self, count: int) -> str:
        """The last lines written, for a message."""
        return "\n".join(self._tail.decode(errors="replace").strip().splitlines()[-count:])

    def _copy(self, reading: int) -> None:
        try:
            chunk = os.read(reading, CHUNK)
        except BlockingIOError:
            return
        if not chunk:  # every holder of the other end has ended
            asyncio.get_running_loop().remove_reader(reading)
            os.close(reading)
        elif not self._output.closed:
            self._write(chunk)

    def _write(self, chunk: bytes) -> None:
        self._tail = (self._tail + chunk)[-TAIL:]
        if self._output.tell() + len(chunk) > self._max_bytes:
            self._rotate()
        self._output.write(chunk)

    def _rotate(self) -> None:
        self._output.close()
        for number in reversed(range(KEPT)):
            old = self.file.with_name(f"{self.file.name}.{number}") if number else self.file
            if old.exists():
                old.replace(self.file.with_name(f"{self.file.name}.{number + 1}"))
        self._output = self.file.open("ab", buffering=0)
