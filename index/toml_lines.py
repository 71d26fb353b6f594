"""Where a field stands in a TOML text, so that a mistake in it can be found."""

import re


def line_of(text: str, where: tuple[str | int, ...]) -> int:
    """Line number (from 1) at which the field `where` of a TOML text stands.

    `where` is a path such as `("claims", 2, "verdict")`. A field that is missing gets the line
    of the table it is missing from.
    """
    table, number, found, best = "", -1, -1, 1
    wanted = str(where[0]) if len(where) > 1 else ""
    index = next((part for part in where if isinstance(part, int)), 0)
    for count, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+([^\]]+)\]+", line):
            table = header[1].strip()
            number = number + 1 if table == wanted else number
            best = count if table == wanted and number == index else best
        inside = table == wanted and (not wanted or number == index)
        if inside and re.match(rf"\s*{re.escape(str(where[-1]))}\s*=", line):
            found = count
            break
    return found if found > 0 else best
