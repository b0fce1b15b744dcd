"""The control groups that this process is in: what its container may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the directories of the control groups of the process, and of those above it, that limit something.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    controller : str
        What of: cpu or memory, as version 1 calls it.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            bases = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        elif controller in controllers.split(","):
            bases = [root / "sys/fs/cgroup" / controllers, root / "sys/fs/cgroup" / controller]
        else:
            continue
        # Inside a container the path may be the host's, of which only the mounted part is seen: look there too.
        group = Path(path.lstrip("/"))
        for base in bases:
            for part in (group, *group.parents):
                yield base / part
