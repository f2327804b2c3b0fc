"""Merkle trees as RFC 6962 §2.1 has them, in SHA-256: leaves and nodes are hashed apart. Pure."""

from collections.abc import Iterable
from hashlib import sha256


def leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a node."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows from the left. Keeps one hash for each bit of its size: 20 of them for a million leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._whole: list[bytes] = []  # roots of full trees, the largest first

    def add(self, data: bytes) -> None:
        """Append a leaf."""
        found, size = leaf(data), self.size
        while size & 1:
            found, size = node(self._whole.pop(), found), size >> 1
        self._whole.append(found)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root over all leaves so far; of none, the hash of nothing."""
        if not self._whole:
            return sha256(b"").digest()
        found = self._whole[-1]
        for left in reversed(self._whole[:-1]):
            found = node(left, found)
        return found


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaves."""
    tree = Tree()
    for data in leaves:
        tree.add(data)
    return tree.root
