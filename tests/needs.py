"""Says loudly which programs the tests need and this machine lacks."""

import os
import shutil
import sys
from pathlib import Path

WANTED = {
    "chromium": "the tests in a real browser",
    "initdb": "the tests against PostgreSQL",
}


def found(program: str) -> str | None:
    """The path of a program, also where Debian hides PostgreSQL's."""
    hidden = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) or (str(hidden[-1]) if hidden else None)


def main() -> int:
    """Prints what will be left out; under REQUIRE_ALL=1 that is a failure."""
    missing = {program: what for program, what in WANTED.items() if found(program) is None}
    for program, what in missing.items():
        sys.stderr.write(f"*** {program} is not installed: {what} are LEFT OUT. ***\n")
    return 1 if missing and os.environ.get("REQUIRE_ALL") == "1" else 0


if __name__ == "__main__":
    raise SystemExit(main())
