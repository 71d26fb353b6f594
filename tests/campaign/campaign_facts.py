"""Every question that was ever written about a fact: right in the first sentence, and grounded."""

from pathlib import Path

from assistant.fit_ranker import QUESTIONS, read
from assistant.grounding import faults
from index.evidence import Fact
from tests.answers import index, text_context
from tools.base import NeedsInput, Text
from tools.explain import explain


def test_all_questions_about_facts(tmp_path: Path) -> None:
    """No figure without evidence; most of these questions were seen by the ranker's fit."""
    context, names = text_context(tmp_path), index().names
    asked, right, back = read(QUESTIONS), 0, 0
    for question in asked:
        try:
            blocks = list(explain(context, question.text))
        except NeedsInput:
            back += 1
            continue
        for block in blocks:
            assert faults(block, names) == (), question.text
        cited: tuple[Fact, ...] = blocks[0].cites if isinstance(blocks[0], Text) else ()
        told = {(getattr(fact, "property", ""), fact.at) for fact in cited}
        right += bool(told & question.facts) or not question.facts
    print(
        f"\n{len(asked):,} questions: {right / len(asked):.1%} right in the first text, "
        f"{back / len(asked):.1%} asked back, none ungrounded"
    )
    assert right / len(asked) >= 0.9
