"""The jars of Apache Kafka, from Maven coordinates, checked against `kafka.lock.toml`.

The lock names every jar and its sha256: nothing is resolved at run time, and no jar runs that was not locked.
`python -m ops.embedded.jars` writes the lock anew.
"""

import asyncio
import hashlib
import os
import tempfile
import tomllib
from pathlib import Path

from ops.embedded.process import EmbeddedError

KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
LOCK = Path(__file__).with_name("kafka.lock.toml")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockstep" / "jars"
ATTEMPTS = 3


async def classpath(cache: Path = CACHE) -> str:
    """Every locked jar, in the cache and with the locked bytes, as a Java class path."""
    locked = tomllib.loads(LOCK.read_text(encoding="utf-8"))["jars"]
    jars = await asyncio.gather(*(asyncio.to_thread(_jar, cache.absolute(), *item) for item in locked.items()))
    return os.pathsep.join(map(str, jars))


def _digest(jar: Path) -> str:
    return hashlib.sha256(jar.read_bytes()).hexdigest()


def _checked(jar: Path, sha256: str, advice: str) -> Path:
    if (found := _digest(jar)) != sha256:
        raise EmbeddedError(f"{jar.name} refused: {LOCK.name} has sha256 {sha256}, found {found}; {advice}")
    return jar


def _jar(cache: Path, coordinate: str, sha256: str) -> Path:
    """Find the jar in the cache; a download gets there only whole and with the locked bytes."""
    group, name, version = coordinate.split(":")
    jar = cache / f"{name}-{version}.jar"
    if jar.exists():
        return _checked(jar, sha256, f"delete {jar}")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".part-") as part:
        fresh = _download(Path(part), group, name, version)
        return _checked(fresh, sha256, "the download is not what was locked").replace(jar)


def _download(part: Path, group: str, name: str, version: str) -> Path:
    from jgo.maven import MavenContext

    source = MavenContext(repo_cache=part, timeout=30).project(group, name).at_version(version).artifact()
    for left in reversed(range(ATTEMPTS)):
        try:
            return Path(source.resolve())
        except (OSError, RuntimeError) as error:
            if not left:
                raise EmbeddedError(
                    f"cannot download {group}:{name}:{version} ({type(error).__name__}): the first start needs the "
                    f"network, or a copy of a filled {CACHE}"
                ) from error
    raise AssertionError(ATTEMPTS)


def write_lock() -> None:
    """Resolve KAFKA anew; the slf4j binding joins after version mediation, so that it changes no other version."""
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as cache:
        context = MavenContext(repo_cache=Path(cache), timeout=30)
        root, rest = context.resolver.resolve([context.create_dependency(KAFKA)])
        found = [dependency.artifact for dependency in root + rest]
        log4j = next(artifact for artifact in found if artifact.artifactId == "log4j-core")
        found.append(context.project(log4j.groupId, "log4j-slf4j-impl").at_version(log4j.version).artifact())
        lines = sorted(f'"{a.groupId}:{a.artifactId}:{a.version}" = "{_digest(a.resolve())}"\n' for a in found)
    command = "python -m ops.embedded.jars"
    LOCK.write_text(f"# {KAFKA} as coordinate = sha256; written by {command}\n[jars]\n{''.join(lines)}")


if __name__ == "__main__":
    write_lock()
