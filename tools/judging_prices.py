"""Judges what many pictures, or large ones, cost, and sizes of width by height."""

import re
from collections.abc import Sequence

from index.evidence import Fact
from tools.dossiers import value
from tools.judging import Judgement, agrees, believed
from tools.statements import Statement

_MANY = ("images", "number", "")
_PICTURES = re.compile(r"\b(pictures?|images?|photos?|pics?|renders?|drawings?|edits?|calls?)\b")
_TRAINING = re.compile(r"train|lora|fine-?tun|month|subscri|credit")


def priced(facts: Sequence[Fact], statement: Statement) -> Judgement | None:
    """Whether so many pictures, or a picture of so many megapixels, cost what is claimed."""
    money = [number for number in statement.numbers if number.quantity.unit == "USD"]
    name = "price_edit" if re.search(r"\bedit", statement.words) else "price"
    prices = _of(facts, name) or _of(facts, "price")
    if len(money) != 1 or not prices or _TRAINING.search(statement.words):
        return None
    count, area = _count(statement), _megapixels(statement)
    further = _of(facts, "price_next_megapixel") if area > 1 else []
    if count == 1 and not further:
        return None
    told = (prices[0], *further[:1])
    total = count * (value(prices[0]) + (area - 1) * sum(value(fact) for fact in further[:1]))
    return Judgement(agrees(money[0], total) != statement.negated, told)


def _of(facts: Sequence[Fact], name: str) -> list[Fact]:
    return [fact for fact in believed(facts) if fact.property == name]


def _count(statement: Statement) -> float:
    """How many pictures are paid for: "1000 pictures", "per thousand"; 1 if it is not said."""
    for number in statement.numbers:
        many = number.quantity.unit in _MANY and number.quantity.value > 1
        if many and (number.quantity.unit == "images" or _PICTURES.search(number.beside)):
            return number.quantity.value
    return 1.0


def _megapixels(statement: Statement) -> float:
    areas = [n.quantity.value for n in statement.numbers if n.quantity.unit == "megapixels"]
    return areas[0] if len(areas) == 1 else 1.0


def sized(facts: Sequence[Fact], statement: Statement) -> Judgement | None:
    """Whether the default picture is so wide and so high."""
    sizes = [number.quantity for number in statement.numbers if number.quantity.unit == "size"]
    listed = [fact for fact in _of(facts, "output_sizes") if re.search(r"\d+x\d+", str(fact.value))]
    if len(sizes) == len(statement.numbers) == 1 and listed and "train" not in statement.words:
        said, known = f"{sizes[0].value:g}x{sizes[0].height:g}", str(listed[0].value)
        alone = "only" in statement.words and known != said
        return Judgement((said in known and not alone) != statement.negated, (listed[0],))
    width, height = _of(facts, "width"), _of(facts, "height")
    if len(sizes) != 1 or not width or not height or len(statement.numbers) > 1:
        return None
    if re.search(r"\b(train|up to|max|larg|at most)", statement.words):
        return None
    right = (value(width[0]), value(height[0])) == (sizes[0].value, sizes[0].height)
    return Judgement(right != statement.negated, (width[0], height[0]))
