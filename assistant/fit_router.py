"""Fits the router to questions that people wrote for each tool; run by `index fit`."""

import random
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.numpy import save_file
from torch.nn import functional
from transformers import BertConfig, BertModel

from assistant.router import (
    AGAIN,
    CHOICES,
    FEATURES,
    LABELS,
    NONE,
    ROLES,
    TOOLS,
    Situation,
    choice_ends,
    features,
)
from index.encoder import DIMENSIONS, Vectors, load_encoder
from index.gloss import Gloss
from index.grams import BUCKETS, hashed
from index.reader import WEIGHTS, tokens
from index.topics import BUCKETS as TOPIC_BUCKETS
from index.topics import grams, topics
from tools.base import Report

_RANK, _INNER, _TOPIC_INNER = 16, 128, 256
_EPOCHS, _BATCH, _SEED = 4, 32, 1
_RATE, _HEAD_RATE, _DECAY = 7e-4, 3e-3, 0.01
_DROP, _FORGET = 0.2, 0.08  # of the mean vector and words; of tokens, replaced by [MASK]
_LOST, _STRAY = 0.12, 0.03  # questions whose pictures are taken away, and given one
_MUTE = 0.1  # questions whose words before are taken away
_TALK, _BACK = 0.35, 0.2  # first questions that are put after another's, and after one asked back
IGNORED = -100  # a token whose role is not known
_OFTEN = 0.3  # what the roles of tokens weigh beside the tool
_VAGUE, _SMOOTH = 0.25, 0.05  # what topics known from the tool alone weigh; of the topics
_MASK_TOKEN = 103  # [MASK] in the vocabulary of BERT


@dataclass(frozen=True)
class Lesson:
    """A question as the router sees it, with what it should make of it.

    Attributes:
        gloss: the question.
        situation: what is known beside the words.
        labels: places in LABELS that are right; none if only its words teach something.
        roles: place in ROLES of each token, or -100 where it is not known.
        starts: whether each token begins a later step.
        choices: place of the right value in CHOICES, of the arguments that the tool has.
        topics: places in `topics()` of what it may be after, one of which is right; empty if
            nothing is known.
        vague: whether that is only known from the tool.
    """

    gloss: Gloss
    situation: Situation
    labels: tuple[int, ...]
    roles: tuple[int, ...]
    starts: tuple[bool, ...]
    choices: Mapping[str, int]
    topics: tuple[int, ...] = ()
    vague: bool = True


@dataclass(frozen=True)
class Logits:
    """What the heads make of some texts, before it is turned into probabilities.

    Attributes:
        tools: of the labels, shape (texts, labels).
        choices: of the arguments with few values, shape (texts, values).
        tokens: of the roles and of a step's start, shape (texts, tokens, roles + 1).
        topics: of what they are after, shape (texts, topics).
    """

    tools: torch.Tensor
    choices: torch.Tensor
    tokens: torch.Tensor
    topics: torch.Tensor


class _Network(torch.nn.Module):
    """The router with gradients."""

    def __init__(self) -> None:
        super().__init__()
        base = BertModel(BertConfig(hidden_size=DIMENSIONS, num_hidden_layers=6,
                                    num_attention_heads=12, intermediate_size=4 * DIMENSIONS),
                         add_pooling_layer=False)  # fmt: skip
        base.load_state_dict(_original(base))
        config = LoraConfig(
            r=_RANK, lora_alpha=_RANK, target_modules=["query", "key", "value", "dense"]
        )
        with warnings.catch_warnings():  # peft still asks for an attribute by its old name
            warnings.simplefilter("ignore", FutureWarning)
            self.encoder: PeftModel = get_peft_model(base, config)
        mixed = DIMENSIONS + len(FEATURES)
        self.inner = torch.nn.Linear(mixed, _INNER)
        self.tool = torch.nn.Linear(mixed + _INNER, len(LABELS))
        self.words = torch.nn.EmbeddingBag(BUCKETS, len(LABELS), mode="mean")
        self.choice = torch.nn.Linear(mixed + _INNER, sum(map(len, CHOICES.values())))
        self.token = torch.nn.Linear(DIMENSIONS, len(ROLES) + 1)
        self.topic_inner = torch.nn.Linear(DIMENSIONS, _TOPIC_INNER)
        self.topic = torch.nn.Linear(_TOPIC_INNER + DIMENSIONS, len(topics()))
        self.topic_words = torch.nn.EmbeddingBag(TOPIC_BUCKETS, len(topics()), mode="mean")
        torch.nn.init.zeros_(self.words.weight)
        torch.nn.init.zeros_(self.topic_words.weight)

    def forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        before: torch.Tensor,
        plain: torch.Tensor,
        texts: Sequence[str],
    ) -> Logits:
        """Logits of what each head tells of some texts."""
        hidden = self.encoder(
            input_ids=ids, attention_mask=mask, token_type_ids=before
        ).last_hidden_state
        own = mask * (1 - before)
        mean = (hidden * own[:, :, None]).sum(1) / own.sum(1, keepdim=True)
        mean = functional.dropout(mean, _DROP, self.training)
        mixed = torch.cat([mean, plain], dim=1)
        both = torch.cat([self._bent(self.inner, mixed), mixed], dim=1)
        after = torch.cat([self._bent(self.topic_inner, mean), mean], dim=1)
        return Logits(
            self.tool(both) + self._of_words(self.words, map(hashed, texts)),
            self.choice(both),
            self.token(hidden),
            self.topic(after) + self._of_words(self.topic_words, map(grams, texts)),
        )

    def _bent(self, layer: torch.nn.Linear, inputs: torch.Tensor) -> torch.Tensor:
        return functional.dropout(functional.gelu(layer(inputs)), _DROP, self.training)

    def _of_words(self, bag: torch.nn.Module, buckets: Iterable[Sequence[int]]) -> torch.Tensor:
        found = [torch.tensor(each) for each in buckets]
        offsets = torch.tensor(np.cumsum([0, *map(len, found[:-1])]))
        return functional.dropout(bag(torch.cat(found), offsets), _DROP, self.training)

    def tensors(self) -> dict[str, Vectors]:
        """What `assistant.router` reads: the heads, and the change of each matrix as a product."""
        found: dict[str, Vectors] = {}
        for name, value in self.state_dict().items():
            half = value.detach().to(torch.float16).numpy()
            if "lora_" in name:
                stem = name.removeprefix("encoder.base_model.model.")
                matrix, _, which = stem.partition(".lora_")
                found[f"{matrix}.weight.{'down' if which[0] == 'A' else 'up'}"] = half
            elif not name.startswith("encoder."):
                found[name.removesuffix(".weight") if "words" in name else name] = half
        return found


def _original(model: BertModel) -> dict[str, torch.Tensor]:
    """The encoder's own weights, dense matrices turned back."""
    found = {}
    for name, wanted in model.state_dict().items():
        value = torch.from_numpy(load_encoder().weights[name])
        turned = value.ndim == 2 and "embeddings" not in name
        found[name] = (value.T.contiguous() if turned else value).reshape(wanted.shape)
    return found


def fit(lessons: Sequence[Lesson], report: Report, epochs: int = _EPOCHS) -> dict[str, Vectors]:
    """Fits a network to lessons, and returns its tensors."""
    torch.manual_seed(_SEED)
    chance = random.Random(_SEED)  # noqa: S311 - no secret
    network = _Network()
    adapter = [v for n, v in network.named_parameters() if "lora_" in n]
    heads = [v for n, v in network.named_parameters() if not n.startswith("encoder.")]
    groups = [{"params": adapter, "lr": _RATE}, {"params": heads, "lr": _HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=_DECAY)
    steps = epochs * (len(lessons) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [_RATE, _HEAD_RATE], total_steps=steps, pct_start=0.1
    )
    openings = [lesson for lesson in lessons if _opens(lesson)]
    for step in range(steps):
        at = step % (len(lessons) // _BATCH)
        if at == 0:
            talk = [_in_talk(lesson, chance.choice(openings), chance) for lesson in lessons]
            batches = _batches(talk, chance)
        loss = _loss(network, batches[at], chance)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            report(step / steps, f"fitting the router: loss {loss.item():.3f}")
    return network.tensors()


def _opens(lesson: Lesson) -> bool:
    """Whether a question can begin a conversation, and it is known which tool it is for."""
    situation, told = lesson.situation, {LABELS.index(name) for name in (*TOOLS, NONE)}
    first = not situation.last and not situation.said and not situation.later
    return first and bool(lesson.labels) and lesson.labels[0] in told


def _in_talk(lesson: Lesson, before: Lesson, chance: random.Random) -> Lesson:
    """The lesson, sometimes in the middle of a conversation.

    What is whole in itself is for the same tool after any other question: people swerve.
    """
    if not _opens(lesson) or chance.random() >= _TALK:
        return lesson
    situation = replace(
        lesson.situation,
        last=LABELS[before.labels[0]],
        said=before.gloss.text,
        before=before.situation.images,
        asked=chance.random() < _BACK,
    )
    return replace(lesson, situation=situation)


def _batches(lessons: Sequence[Lesson], chance: random.Random) -> list[list[Lesson]]:
    """Lessons at random, those of like length together, which saves padding."""
    encoder = load_encoder()
    lengths = [
        len(tokens(encoder, each.gloss.text, each.situation.before_it).ids) for each in lessons
    ]
    keys = [length + chance.uniform(0, 6) for length in lengths]
    order = sorted(range(len(lessons)), key=keys.__getitem__)
    starts = range(0, len(order) - _BATCH + 1, _BATCH)
    batches = [[lessons[place] for place in order[start : start + _BATCH]] for start in starts]
    chance.shuffle(batches)
    return batches


def _loss(network: _Network, batch: Sequence[Lesson], chance: random.Random) -> torch.Tensor:
    encoder = load_encoder()
    encoded = [tokens(encoder, lesson.gloss.text, lesson.situation.before_it) for lesson in batch]
    longest = max(len(found.ids) for found in encoded)
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    mask = torch.zeros((len(batch), longest))
    before = torch.zeros((len(batch), longest), dtype=torch.long)
    roles = torch.full((len(batch), longest), IGNORED)
    starts = torch.zeros((len(batch), longest))
    for row, (lesson, found) in enumerate(zip(batch, encoded, strict=True)):
        kept = [_MASK_TOKEN if chance.random() < _FORGET else token for token in found.ids]
        count = len(kept)
        ids[row, :count] = torch.tensor(kept)
        before[row, :count] = torch.tensor(found.before)
        mask[row, :count] = 1 - before[row, :count] * (chance.random() < _MUTE)
        own = len(lesson.roles)  # what was said before has no roles
        roles[row, :own] = torch.tensor(lesson.roles)
        starts[row, :own] = torch.tensor(lesson.starts, dtype=torch.float)
    situations = [_shaken(lesson, chance) for lesson in batch]
    plain = torch.from_numpy(
        np.stack([features(b.gloss, s) for b, s in zip(batch, situations, strict=True)])
    )
    found = network(ids, mask, before, plain, [lesson.gloss.text for lesson in batch])
    labelled = functional.cross_entropy(
        found.tokens[:, :, :-1].reshape(-1, len(ROLES)), roles.reshape(-1), ignore_index=IGNORED
    )
    begun = functional.binary_cross_entropy_with_logits(
        found.tokens[:, :, -1],
        starts,
        mask * (1 - before),
        reduction="sum",
        pos_weight=torch.tensor(3.0),
    )
    words = 4 * labelled + 3 * begun / len(batch)
    told = _tool_loss(found.tools, batch) + _topic_loss(found.topics, batch)
    return told + _choice_loss(found.choices, batch) + _OFTEN * words


def _tool_loss(logits: torch.Tensor, batch: Sequence[Lesson]) -> torch.Tensor:
    """Minus the log-probability of all right labels together."""
    again = LABELS.index(AGAIN)
    fresh = torch.tensor([not lesson.situation.last for lesson in batch])
    logits = logits.masked_fill(fresh[:, None] & (torch.arange(len(LABELS)) == again), -1e9)
    logs = functional.log_softmax(logits, dim=1)
    losses = [
        -torch.logsumexp(logs[row, list(lesson.labels)], 0)
        for row, lesson in enumerate(batch)
        if lesson.labels
    ]
    return torch.stack(losses).mean()


def _topic_loss(logits: torch.Tensor, batch: Sequence[Lesson]) -> torch.Tensor:
    """Minus the log-probability of all topics that may be right together, smoothed."""
    logs = functional.log_softmax(logits, dim=1)
    known = [(row, lesson) for row, lesson in enumerate(batch) if lesson.topics]
    weights = torch.tensor([_VAGUE if lesson.vague else 1.0 for _, lesson in known])
    right = torch.stack([torch.logsumexp(logs[row, list(one.topics)], 0) for row, one in known])
    each = (1 - _SMOOTH) * right + _SMOOTH * logs[[row for row, _ in known]].mean(1)
    return -(weights * each).sum() / weights.sum()


def _choice_loss(logits: torch.Tensor, batch: Sequence[Lesson]) -> torch.Tensor:
    """Mean over the batch of the cross entropies of the arguments with few values."""
    total = torch.zeros(())
    for name, part in zip(CHOICES, logits.tensor_split(choice_ends(), dim=1), strict=True):
        right = [lesson.choices.get(name, IGNORED) for lesson in batch]
        total = total + functional.cross_entropy(
            part, torch.tensor(right), ignore_index=IGNORED, reduction="sum"
        )
    return total / len(batch)


def _shaken(lesson: Lesson, chance: random.Random) -> Situation:
    """The situation, sometimes without its pictures: they may be missing."""
    situation = lesson.situation
    if situation.images or situation.archives:
        if chance.random() < _LOST:
            return replace(situation, images=0, archives=0, masks=0)
    elif chance.random() < _STRAY:
        return replace(situation, images=1)
    return situation


def loaded(tensors: Mapping[str, Vectors]) -> torch.nn.Module:
    """The network with fitted tensors, ready to read."""
    network = _Network()
    state = network.state_dict()
    for name, value in tensors.items():
        state[_stored(name)] = torch.from_numpy(np.asarray(value, np.float32))
    network.load_state_dict(state)
    return network.eval()


def _stored(name: str) -> str:
    """The name in the network of a tensor that `tensors` names."""
    matrix, _, which = name.rpartition(".")
    if which in ("down", "up"):
        half = "A" if which == "down" else "B"
        return (
            f"encoder.base_model.model.{matrix.removesuffix('.weight')}.lora_{half}.default.weight"
        )
    return f"{name}.weight" if name.endswith("words") else name


def keep(tensors: Mapping[str, Vectors]) -> None:
    """Writes the fitted tensors where `load_reader` finds them."""
    save_file(dict(tensors), WEIGHTS)
