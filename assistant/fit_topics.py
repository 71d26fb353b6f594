"""Fits what a message is after; run by `index fit`."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from index.encoder import DIMENSIONS, load_encoder
from index.topics import BUCKETS, Topics, grams, scaled, topics
from tools.base import Report

_EPOCHS, _BATCH, _SEED = 30, 64, 1
_RATE, _DECAY = 2e-3, 0.02
_DROP, _SMOOTH = 0.3, 0.05
_FOLD = 8  # one question in so many is held out to tell how good it is

Labelled = tuple[str, frozenset[str]]  # a message with the topics of which any is right


def fit_topics(rows: Sequence[Labelled], report: Report) -> dict[str, float | int]:
    """Fits the head and keeps it; returns how often it is right on questions left out of a fit."""
    held = rows[::_FOLD]
    right = _right(_fitted([row for row in rows if row not in set(held)], report), held)
    _fitted(rows, report).save()
    return {"questions": len(rows), "held_out": len(held), "right": right}


def _right(head: Topics, rows: Sequence[Labelled]) -> float:
    """Share of questions for which the likeliest topic is a right one."""
    vectors = load_encoder().encode([text for text, _ in rows])
    found = [head.read(text, v).name in told for (text, told), v in zip(rows, vectors, strict=True)]
    return round(sum(found) / len(found), 4)


def _fitted(rows: Sequence[Labelled], report: Report) -> Topics:
    torch.manual_seed(_SEED)
    names = topics()
    vectors = torch.from_numpy(scaled(load_encoder().encode([text for text, _ in rows])))
    words = [torch.tensor(grams(text)) for text, _ in rows]
    wrong = torch.tensor([[name not in told for name in names] for _, told in rows])
    head = torch.nn.Linear(DIMENSIONS, len(names))
    bag = torch.nn.EmbeddingBag(BUCKETS, len(names), mode="mean")
    torch.nn.init.zeros_(bag.weight)
    optimizer = torch.optim.AdamW(
        [*head.parameters(), *bag.parameters()], lr=_RATE, weight_decay=_DECAY
    )
    steps = _EPOCHS * (len(rows) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    for step in range(steps):
        if step % (len(rows) // _BATCH) == 0:
            batches = torch.split(torch.randperm(len(rows)), _BATCH)
        batch = batches[step % (len(rows) // _BATCH)]
        own = [words[place] for place in batch]
        offsets = torch.tensor(np.cumsum([0, *map(len, own[:-1])]))
        logits = head(functional.dropout(vectors[batch], _DROP))
        logits = logits + functional.dropout(bag(torch.cat(own), offsets), _DROP)
        shares = functional.log_softmax(logits, 1)
        right = torch.logsumexp(shares.masked_fill(wrong[batch], -torch.inf), 1)
        loss = -(1 - _SMOOTH) * right.mean() - _SMOOTH * shares.mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        report(step / steps, f"fitting the topics: loss {loss.item():.3f}")
    found = (part.detach().numpy() for part in (head.weight, head.bias, bag.weight))
    return Topics(*found)
