"""Ninety strangers ask ten things each: every message is answered, none invented."""

from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path

from assistant.ask import ask
from assistant.conversation import Question
from assistant.fit import QUESTIONS
from assistant.grounding import faults
from assistant.lessons import read_rows
from assistant.settings import Settings
from assistant.wiring import open_assistant


def test_the_talks_of_strangers(tmp_path: Path) -> None:
    """Prints what was done with each message, to be read by a person."""
    outcomes: Counter[str] = Counter()
    talks: defaultdict[int, str] = defaultdict(str)  # conversation of each talk
    with closing(open_assistant(Settings(home=tmp_path, offline=True))) as assistant:
        for row in read_rows(QUESTIONS / "strangers.jsonl"):
            question = Question(row["text"], conversation=talks[row["talk"]])
            answer = list(ask(assistant, question))[-1]
            talks[row["talk"]] = answer.conversation
            outcomes[answer.outcome] += 1
            tools = ", ".join(step.tool for step in answer.steps)
            print(f"{row['who']}: {row['text']}\n    {answer.outcome} {tools} {answer.ask}")
            assert answer.finished
            assert "error of its own" not in answer.ask, row["text"]
            for block in answer.blocks:
                assert faults(block, assistant.names) == (), row["text"]
    print(f"\n{outcomes.total()} messages: {dict(outcomes)}")
