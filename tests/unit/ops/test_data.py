"""The data folder: taken once, ports and token kept, files whole and private."""

import socket
from pathlib import Path

import pytest

from ops.data import Data, InUse, Ready
from ops.files import write_private


def test_a_folder_is_taken_by_one(tmp_path: Path) -> None:
    """A second taker is told who has it; when the first gives it back the second may have it."""
    first, second = Data(tmp_path), Data(tmp_path)
    first.take()
    with pytest.raises(InUse, match=r"process \d+"):
        second.take()
    first.give_back()
    second.take()
    second.give_back()


async def test_ports_are_kept_unless_a_stranger_has_them(tmp_path: Path) -> None:
    """The same names have the same ports; one that is taken is replaced, the others stay."""
    data = Data(tmp_path)
    before = await data.ports(("a", "b"))
    assert await Data(tmp_path).ports(("a", "b")) == before
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", before["a"]))
        stranger.listen()
        after = await data.ports(("a", "b"), patience=0)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_the_token_is_random_and_kept(tmp_path: Path) -> None:
    """Each folder has its own, the same each time, readable for its owner only."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    token = Data(tmp_path / "a").token()
    assert Data(tmp_path / "a").token() == token != Data(tmp_path / "b").token()
    assert len(token) >= 32
    assert (tmp_path / "a" / "token").stat().st_mode & 0o777 == 0o600


def test_a_ready_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """What `up` writes is what commands read; without a file there is none; its secrets are not shown."""
    ready = Ready("h:1", "postgresql://u:pw@h/d", "http://c", "http://b", {"kafka": 7}, "t0ken")
    ready.write(tmp_path / "one.json", tmp_path / "two.json")
    assert Ready.read(tmp_path / "one.json") == Ready.read(tmp_path / "two.json") == ready
    assert Ready.read(tmp_path / "none.json") is None
    assert "pw" not in repr(ready)
    assert "t0ken" not in repr(ready)


def test_a_private_file_replaces_an_open_one(tmp_path: Path) -> None:
    """Whatever mode the file had before, it is private afterwards, and no part of it is left beside."""
    file = tmp_path / "f"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
