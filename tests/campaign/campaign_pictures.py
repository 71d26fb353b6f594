"""Thousands of broken pictures: each is taken or refused with a sentence, and nothing dies."""

import re
from collections import Counter
from contextlib import closing
from pathlib import Path

from assistant.settings import Settings
from assistant.uploads import Refused, Uploads
from tests.pictures import broken, chunks, take

COUNT = 5_000


def test_broken_pictures(settings: Settings, home: Path, tmp_path: Path) -> None:
    """Nothing but clean PNG files is left behind."""
    ends: Counter[str] = Counter()
    with closing(Uploads(settings)) as uploads:
        for content in broken(COUNT, seed=11):
            try:
                kept = take(uploads, tmp_path, content).path.read_bytes()
            except Refused as sentence:
                ends[re.sub(r"\d+", "N", str(sentence))] += 1
            else:
                assert chunks(kept) == {b"IHDR", b"IDAT", b"IEND"}
                ends["taken"] += 1
    print()
    for end, count in ends.most_common():
        print(f"{count:6,}  {end}")
    assert sum(ends.values()) == COUNT
    assert all(re.fullmatch(r"taken|picture\.bin [^\n]{20,250}\.", end) for end in ends)
    assert all(path.suffix == ".png" for path in (home / "uploads").rglob("*") if path.is_file())
