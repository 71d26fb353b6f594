"""The Hugging Face Hub: what is cached here, what can be fetched, and fetching it.

Only `config.json` and `model.safetensors` are ever fetched: no pickle, no code. `HF_ENDPOINT`,
`HF_HOME`, `HF_HUB_OFFLINE` and `HF_TOKEN` are respected by the library underneath.
"""

import errno
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.base import Report, Stopped, ToolFailed

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_PATIENCE = 3.0  # seconds to wait for a sign of life
_ANSWER = 10.0  # seconds to wait for the answer to a question
_TICK = 0.2  # seconds between two looks at a download
_SPARE = 500_000_000  # bytes of disk that stay free
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def cached(repository: str) -> Path | None:
    """The folder of a repository in the Hub's cache; none if it is not there whole."""
    from huggingface_hub import try_to_load_from_cache

    weights = try_to_load_from_cache(repository, WEIGHTS)
    if not isinstance(weights, str) or not Path(weights).with_name(CONFIG).is_file():
        return None
    return Path(weights).parent


def offline() -> bool:
    """Whether the environment forbids to reach for the Hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def has_token() -> bool:
    """Whether a token is set with which gated repositories can be read."""
    from huggingface_hub import get_token

    return get_token() is not None


def address() -> str:
    """The address of the Hub."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def reachable() -> bool:
    """Whether the Hub answers at all within a few seconds."""
    from huggingface_hub import get_session

    def knock() -> bool:
        get_session().head(address(), timeout=_PATIENCE)
        return True

    # A name server that is silent is not covered by the timeout of the request.
    pool = ThreadPoolExecutor(1)
    task = pool.submit(knock)
    pool.shutdown(wait=False)
    return bool(wait([task], _PATIENCE).done) and task.exception() is None


def size(repository: str) -> int:
    """Bytes of the weights of a repository, asked from the Hub without fetching them.

    Raises:
        ToolFailed: it is gated, gone, holds no safetensors, or the Hub does not answer.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    with _worded(repository):
        return get_hf_file_metadata(hf_hub_url(repository, WEIGHTS), timeout=_ANSWER).size or 0


def check_room(needed: int) -> None:
    """Checks that the disk of the cache has room for a download of `needed` bytes.

    Raises:
        ToolFailed: it has not.
    """
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    there = next(path for path in (cache, *cache.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed + _SPARE:
        raise ToolFailed(
            f"The weights take {needed / 1e6:,.0f} MB, but the disk of {there} has only "
            f"{free / 1e6:,.0f} MB free. Make room, or set HF_HOME to a folder on another disk."
        )


def fetch(repository: str, expected: int, report: Report) -> Path:
    """Fetches a repository into the Hub's cache and returns its folder.

    A connection that breaks is taken up again where it broke; files that are complete stay.

    Args:
        repository: "owner/name".
        expected: bytes of the weights, to tell progress by.
        report: told the progress several times a second; stops the download.

    Raises:
        ToolFailed: it cannot be fetched; worded.
        Stopped: the person asked to stop.
    """
    count = _Count()
    pool = ThreadPoolExecutor(1)
    task = pool.submit(_fetch_files, repository, count)
    try:
        # The download has its own thread, so that a stop is heard while the network is silent.
        while not wait([task], _TICK).done:
            done = count.bytes / expected if expected else 0.0
            note = f"fetching {repository}: {count.bytes / 1e6:.0f} of {expected / 1e6:.0f} MB"
            report(min(done, 1.0), note)
        with _worded(repository):
            return task.result()
    finally:
        count.stopped = True
        pool.shutdown(wait=False)


class _Count:
    """Bytes that have come in, shared by the thread that fetches and the one that reports."""

    def __init__(self) -> None:
        self.bytes = 0
        self.stopped = False


def _fetch_files(repository: str, count: _Count) -> Path:
    from huggingface_hub import hf_hub_download

    bar: Any = _bar(count)
    weights = Path(hf_hub_download(repository, WEIGHTS, tqdm_class=bar))
    # The commit of the weights, in case the repository changes between the two.
    hf_hub_download(repository, CONFIG, revision=weights.parent.name, tqdm_class=bar)
    return weights.parent


def _bar(count: _Count) -> type:
    """A progress bar in the form that the library calls, which counts and draws nothing."""

    class Bar:
        def __init__(self, *args: object, **settings: object) -> None:
            self.total, self.n = settings.get("total"), 0

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            trace: TracebackType | None,
        ) -> None:
            return None

        def update(self, step: float | None = 1) -> None:
            if count.stopped:
                raise Stopped
            count.bytes += int(step or 0)

        def silent(self, *args: object, **settings: object) -> None:
            return None

        close = refresh = update_transfer = silent
        set_description = set_postfix_str = set_transfer_postfix_str = silent

    return Bar


@contextmanager
def _worded(repository: str) -> Iterator[None]:
    """Turns the library's errors into words for the person."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import EntryNotFoundError

    try:
        yield
    except (HTTPError, EntryNotFoundError, OSError) as error:
        raise ToolFailed(_words(repository, error)) from error


def _words(repository: str, error: Exception) -> str:
    from httpx2 import ConnectError, TimeoutException
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            return gate(repository)
        case errors.RepositoryNotFoundError():
            return f"{repository} is not on the Hub any more, or is private. Choose another model."
        case errors.RemoteEntryNotFoundError():
            return (
                f"{repository} has no {WEIGHTS}, and no other form of weights is loaded here, "
                "since it could run code. Choose another model."
            )
        case (
            errors.LocalEntryNotFoundError()
            | errors.OfflineModeIsEnabled()
            | ConnectError()
            | TimeoutException()
        ):
            return (
                f"{repository} is not downloaded and {address()} does not answer. "
                "Connect to the network, or name a local folder."
            )
        case errors.HfHubHTTPError():
            status = error.response.status_code
            return f"The Hub answered {status} for {repository}. Ask again in some minutes."
        case OSError() if error.errno is not None:
            return _disk_words(repository, error)
    return f"The download of {repository} was cut off. Check the network and ask again."


def _disk_words(repository: str, error: OSError) -> str:
    from huggingface_hub import constants

    what = "the disk is full" if error.errno in _NO_ROOM else error.strerror
    return (
        f"{repository} could not be written to {constants.HF_HUB_CACHE}: {what}. "
        "Make room, or set HF_HOME to another folder."
    )


def gate(repository: str) -> str:
    """What to do about a repository that is gated."""
    return (
        f"{repository} is gated. Open {address()}/{repository}, accept its terms, then set "
        "HF_TOKEN to a token of that account and ask again."
    )
