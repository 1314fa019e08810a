"""Sets of weights in a repository of a Hugging Face hub; ``HF_ENDPOINT`` chooses another hub, ``HF_TOKEN`` opens gated ones."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from workbench.errors import EngineError
from workbench.weights.base import Weights
from workbench.weights.remote import RemoteFile, wanted, without_secrets
from workbench.weights.stream import Download

PREFIX = "hf:"


def listing(found: Weights, commit: str | None) -> tuple[str, list[RemoteFile]]:
    """The commit behind the set's revision (or ``commit`` itself where it is pinned already) and the files it names there.

    Raises:
        EngineError: hub, repository or revision cannot be reached.
    """
    from huggingface_hub import HfApi

    try:
        hub = HfApi(endpoint=_endpoint(), token=_token())
        info = hub.model_info(_repository(found), revision=commit or found.revision, files_metadata=True)
    except Exception as error:
        raise _failure(found, error) from None
    files = [
        RemoteFile(one.rfilename, one.size, sha256=one.lfs.sha256 if one.lfs else None, git_oid=None if one.lfs else one.blob_id)
        for one in info.siblings or ()
    ]
    if not info.sha:
        raise EngineError(f"weights {found.name!r}: the hub did not say which commit {found.revision!r} is", where=found.source)
    return info.sha, wanted(found, files)


def download(found: Weights, commit: str, files: list[RemoteFile], folder: Path, *, say: Callable[[str], None]) -> dict[str, str]:
    """The files at that commit into ``folder``; what is there already stays. Gives the SHA-256 of the large ones that came, by path.

    Raises:
        EngineError: the download broke off; calling again continues it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    streamed = _large(found, commit, files, folder, say=say)

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        snapshot_download(
            _repository(found),
            revision=commit,
            local_dir=folder,
            cache_dir=folder / ".cache" / "hub",
            allow_patterns=[glob.escape(file.path) for file in files],
            max_workers=4,
            token=_token(),
            endpoint=_endpoint(),
        )
    except Exception as error:
        raise _failure(found, error) from None
    return streamed


def _large(found: Weights, commit: str, files: list[RemoteFile], folder: Path, *, say: Callable[[str], None]) -> dict[str, str]:
    # The library starts a file anew after a break, which for gigabytes is no way: what it keeps as large files is streamed here.
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    authorization = build_hf_headers(token=_token()).get("authorization")
    lacking = [file for file in files if file.sha256 and file.git_oid is None and not (folder / file.path).is_file()]
    streamed = {}
    for file in lacking:
        url = hf_hub_url(_repository(found), file.path, revision=commit, endpoint=_endpoint())
        streamed[file.path] = Download(
            url,
            folder / file.path,
            weights=found.name,
            sha256=file.sha256,
            authorization=authorization,
            mend_refused=_mend_refused(found),
            say=say,
        ).run()
    return streamed


def git_oid(path: Path) -> str:
    """Git's name of a file's content, which the hub gives for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _repository(found: Weights) -> str:
    return found.source.removeprefix(PREFIX)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _token() -> str | None:
    # None lets the library look for its own log-in.
    return os.environ.get("HF_TOKEN") or None


def _mend_refused(found: Weights) -> str:
    return f"accept the licence on the hub's page of {_repository(found)} and put your token into the environment as HF_TOKEN"


def _failure(found: Weights, error: Exception) -> EngineError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403) or type(error).__name__ == "GatedRepoError":
        mend = _mend_refused(found)
    elif isinstance(error, OSError) and error.errno is not None:
        mend = "make room on the disk, then fetch again: what has come stays"
    else:
        mend = "fetch again: what has come stays; without a network copy the files from elsewhere"
    text = " ".join(without_secrets(str(error)).split())
    return EngineError(f"weights {found.name!r} could not be fetched: {type(error).__name__}: {text}", where=found.source, mend=mend)
