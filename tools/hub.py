"""The Hugging Face Hub: what is cached here, what can be fetched, and fetching it.

Only the files of a form of `tools/forms.py` are ever fetched: no pickle, no code. `HF_ENDPOINT`,
`HF_HOME`, `HF_HUB_OFFLINE` and `HF_TOKEN` are respected by the library underneath.
"""

import errno
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools import forms
from tools.base import Report, Stopped, ToolFailed
from tools.forms import Form

_PATIENCE = 3.0  # seconds to wait for a sign of life
_ANSWER = 10.0  # seconds to wait for the answer to a question
_TICK = 0.2  # seconds between two looks at a download
_SPARE = 500_000_000  # bytes of disk that stay free
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Listing:
    """What a repository holds of a form, in one commit.

    Attributes:
        repository: "owner/name".
        form: the form.
        folder: where the files lie, or will, in the Hub's cache; named after the commit.
        sizes: bytes of each file.
    """

    repository: str
    form: Form
    folder: Path
    sizes: Mapping[str, int]

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(self.sizes.values())

    @property
    def left(self) -> int:
        """Bytes of the files that are not here yet."""
        return sum(size for name, size in self.sizes.items() if not (self.folder / name).exists())


def cached(repository: str, form: Form) -> Path | None:
    """The newest folder of a repository in the Hub's cache that is whole; none if none is."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    name = repo_folder_name(repo_id=repository, repo_type="model")
    commits = Path(constants.HF_HUB_CACHE, name, "snapshots").glob("*")
    newest_first = sorted(commits, key=lambda folder: -folder.stat().st_mtime)
    return next((folder for folder in newest_first if not forms.lacks(form, folder)), None)


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


def listing(repository: str, form: Form) -> Listing:
    """What a fetch of a repository would bring; only its small marker is fetched for this.

    Raises:
        ToolFailed: it is gated, gone, holds nothing of the form, or the Hub does not answer.
    """
    from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url

    quiet: Any = _bar(_Count())
    with _worded(repository, form.marker):
        # Asked first, since the library hides a refusal where the marker is here already.
        get_hf_file_metadata(hf_hub_url(repository, form.marker), timeout=_ANSWER)
        folder = Path(hf_hub_download(repository, form.marker, tqdm_class=quiet)).parent
        told = HfApi(endpoint=address()).model_info(
            repository, revision=folder.name, files_metadata=True, timeout=_ANSWER
        )
    sizes = {file.rfilename: file.size or 0 for file in told.siblings or ()}
    wanted = form.wanted(folder, sizes)
    if lacking := form.lacks(folder, wanted):
        raise ToolFailed(_not_of_the_form(repository, lacking))
    return Listing(repository, form, folder, {name: sizes[name] for name in wanted})


def parameters(found: Listing) -> Mapping[str, int]:
    """How many parameters of each type a repository holds, asked without fetching them.

    Raises:
        ToolFailed: it is gated, gone, its weights are damaged, or the Hub does not answer.
    """
    from huggingface_hub import HfApi

    api, commit = HfApi(endpoint=address()), found.folder.name
    counted: Counter[str] = Counter()
    for name in filter(forms.is_weights, found.sizes):
        with _worded(found.repository, name):
            header = api.parse_safetensors_file_metadata(found.repository, name, revision=commit)
        counted.update(header.parameter_count)
    return counted


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


def fetch(found: Listing, report: Report) -> Path:
    """Fetches what is left of a repository into the Hub's cache and returns its folder.

    A connection that breaks is taken up again where it broke; files that are complete stay.

    Args:
        found: what to fetch.
        report: told the progress several times a second; stops the download.

    Raises:
        ToolFailed: it cannot be fetched; worded.
        Stopped: the person asked to stop.
    """
    count = _Count()
    pool = ThreadPoolExecutor(1)
    task = pool.submit(_fetch_files, found, count)
    try:
        # The download has its own thread, so that a stop is heard while the network is silent.
        while not wait([task], _TICK).done:
            done = count.bytes / found.total if found.total else 0.0
            note = f"fetching {found.repository}: {_of(count.bytes, found.total)}"
            report(min(done, 1.0), note)
        with _worded(found.repository, found.form.marker):
            task.result()
    finally:
        count.stopped = True
        pool.shutdown(wait=False)
    if lacking := forms.lacks(found.form, found.folder):
        raise ToolFailed(_not_of_the_form(found.repository, lacking))
    return found.folder


def _of(done: int, total: int) -> str:
    return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"


class _Count:
    """Bytes that have come in, shared by the thread that fetches and the one that reports."""

    def __init__(self) -> None:
        self.bytes = 0
        self.stopped = False


def _fetch_files(found: Listing, count: _Count) -> None:
    """Fetches the small files first, so that what refuses does so before the large ones."""
    from huggingface_hub import hf_hub_download

    bar: Any = _bar(count)
    done = 0
    for name, size in sorted(found.sizes.items(), key=lambda item: item[1]):
        if count.stopped:
            raise Stopped
        # By the commit, in case the repository changes in between.
        hf_hub_download(found.repository, name, revision=found.folder.name, tqdm_class=bar)
        done += size
        count.bytes = done  # also of a file that was here, and of a piece that came twice


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
def _worded(repository: str, file: str) -> Iterator[None]:
    """Turns the library's errors about a file into words for the person."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import EntryNotFoundError, SafetensorsParsingError

    try:
        yield
    except (HTTPError, EntryNotFoundError, SafetensorsParsingError, OSError) as error:
        raise ToolFailed(_words(repository, file, error)) from error


def _words(repository: str, file: str, error: Exception) -> str:
    from httpx2 import ConnectError, TimeoutException
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            return gate(repository)
        case errors.RepositoryNotFoundError():
            return f"{repository} is not on the Hub any more, or is private. Choose another model."
        case errors.RemoteEntryNotFoundError():
            return _not_of_the_form(repository, file)
        case errors.SafetensorsParsingError():
            return f"{file} of {repository} is damaged on the Hub. Choose another model."
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


def _not_of_the_form(repository: str, file: str) -> str:
    return (
        f"{repository} has no {file}, and no other form of weights is loaded here, since it could "
        "run code. Choose another model."
    )


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
