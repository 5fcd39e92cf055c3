"""Which packages an installation brings along: ``python -m benchmarks.sides.packages NAME [EXTRA …]`` prints JSON."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import PackageNotFoundError, requires

REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?[^;]*(?:;(.*))?$")


def closure(name: str, extras: frozenset[str], found: set[str]) -> set[str]:
    """All that ``name`` needs, itself included."""
    found.add(canonical(name))
    for line in requires(name) or []:
        parsed = REQUIREMENT.match(line)
        assert parsed, line
        needed, needed_extras, marker = parsed[1], parsed[2] or "", parsed[3] or ""
        wanted_by = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if wanted_by and canonical(wanted_by[1]) not in extras:
            continue
        if canonical(needed) not in found and is_installed(needed):
            closure(needed, frozenset(canonical(extra) for extra in needed_extras.split(",") if extra), found)
    return found


def is_installed(name: str) -> bool:
    """What a marker rules out here is not installed either."""
    try:
        requires(name)
    except PackageNotFoundError:
        return False
    return True


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


if __name__ == "__main__":
    print(json.dumps(sorted(closure(sys.argv[1], frozenset(map(canonical, sys.argv[2:])), set()))))
