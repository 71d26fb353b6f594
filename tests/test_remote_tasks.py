"""The store of paid tasks: one caller may send each, and what is known later counts."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from assistant.store import Store
from tests.threads import at_once


def begin(store: Store, request: str, owner: str = "me") -> bool:
    arguments = {"prompt": f"{request} \0 \ud800 🧀"}
    task = store.remote.begin(owner, request, provider="BFL", arguments=arguments, job=4)
    assert task.arguments == arguments
    return task.ours


def test_a_task_from_its_beginning_to_its_end(store: Store) -> None:
    assert store.remote.find("me", "a") is None
    assert begin(store, "a")
    begun = store.remote.find("me", "a")
    assert begun
    assert (begun.provider, begun.job, begun.state, begun.ours) == ("BFL", 4, "submitting", False)
    taken = store.remote.submitted("me", "a", "id-1", "https://eu.example/1", 0.1 + 0.2)
    assert (taken.state, taken.task, taken.polling_url, taken.usd) == (
        "submitted", "id-1", "https://eu.example/1", 0.3,
    )  # fmt: skip
    done = store.remote.finished("me", "a", {"picture": "käse.png"})
    assert done == replace(
        taken, state="done", result={"picture": "käse.png"}, changed=done.changed
    )
    for again in (
        store.remote.finished("me", "a", {}),
        store.remote.failed("me", "a", "no"),
        store.remote.unknown("me", "a", "no"),
        store.remote.submitted("me", "a", "id-2", ""),
    ):
        assert again == done
    assert not begin(store, "a")


def test_owners_see_nothing_of_each_other(store: Store) -> None:
    assert begin(store, "a")
    store.remote.submitted("me", "a", "id-1", "https://eu.example/1")
    assert store.remote.find("you", "a") is None
    assert store.remote.unfinished("you") == ()
    changes: list[Callable[[], object]] = [
        lambda: store.remote.submitted("you", "a", "id-2", ""),
        lambda: store.remote.finished("you", "a", {}),
        lambda: store.remote.failed("you", "a", ""),
        lambda: store.remote.unknown("you", "a", ""),
    ]
    for change in changes:
        with pytest.raises(LookupError, match="no task was begun for the request 'a'"):
            change()
    assert begin(store, "a", owner="you")
    mine = store.remote.find("me", "a")
    assert mine
    assert (mine.state, mine.task) == ("submitted", "id-1")


def test_what_is_unfinished(store: Store) -> None:
    for request in ("begun", "taken", "done", "failed", "unknown"):
        begin(store, request)
    begin(store, "theirs", owner="you")
    for request in ("taken", "done", "failed"):
        store.remote.submitted("me", request, f"id-{request}", "https://eu.example")
    store.remote.finished("me", "done", {})
    store.remote.failed("me", "failed", "moderated")
    store.remote.unknown("me", "unknown", "cut off")
    assert [task.request for task in store.remote.unfinished("me")] == ["begun", "taken"]
    assert [task.request for task in store.remote.unfinished(None)] == ["begun", "taken", "theirs"]


def test_what_is_known_later_counts(store: Store) -> None:
    """A second run thinks the outcome unknown while the first one still waits for the answer."""
    for request in ("taken", "refused"):
        assert begin(store, request)
        assert store.remote.unknown("me", request, "cut off").state == "unknown"
        assert not begin(store, request)
    assert store.remote.submitted("me", "taken", "id-1", "https://eu.example").state == "submitted"
    assert store.remote.failed("me", "refused", "no credits").state == "failed"
    assert begin(store, "refused")


def test_a_thousand_tasks_at_once_each_twice(store: Store) -> None:
    """Eight threads begin 250 tasks each; one of two may send each of them."""
    ours: list[str] = []

    def work(place: int) -> None:
        requests = [f"{number + 250 * (place // 2)}" for number in range(250)]
        ours.extend(request for request in requests if begin(store, request))

    at_once(work, 8)
    assert len(ours) == len(set(ours)) == 1_000
    assert len(store.remote.unfinished("me")) == 1_000
