"""Models of the Hugging Face hub: their config and weights, kept in the hub library's own cache."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from featbank.errors import DownloadError, MissingPathError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a frozen encoder needs; never pickles, never training states.
_PATTERNS = ["config.json", "preprocessor_config.json", "model*.safetensors*"]


def hub_folder(hub_id: str, *, may_download: bool) -> Path:
    """Folder of a hub model on this machine.

    Args:
        hub_id: Such as ``facebook/dinov2-base``.
        may_download: Whether to fetch what is not in the cache.

    Raises:
        MissingPathError: Not in the cache, and it may not be fetched.
        DownloadError: The hub does not know it, asks for access, or cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        with _bars_on_terminals_only(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            folder = snapshot_download(
                hub_id, allow_patterns=_PATTERNS, local_files_only=not may_download
            )
    except GatedRepoError as error:
        raise DownloadError(
            hub_id,
            "the hub gives it only to those it has granted access",
            f"access, asked for at https://huggingface.co/{hub_id}, and your token",
            "Ask for access, run 'hf auth login', then repeat the command.",
        ) from error
    except RepositoryNotFoundError as error:
        raise DownloadError(
            hub_id,
            "the hub knows no such model, or shows it only to its members",
            "an id such as facebook/dinov2-base",
            "Check the id, or run 'hf auth login'.",
        ) from error
    except LocalEntryNotFoundError as error:
        raise _absent(hub_id, may_download) from error
    except (HfHubHTTPError, OSError) as error:
        raise DownloadError(
            hub_id,
            f"the hub cannot be reached ({_first_line(error)})",
            "a connection to https://huggingface.co",
            "Repeat the command later; what was fetched is kept.",
        ) from error
    return Path(folder)


@contextmanager
def _bars_on_terminals_only() -> Iterator[None]:
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if sys.stderr.isatty() or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def _absent(hub_id: str, may_download: bool) -> MissingPathError | DownloadError:
    if may_download:
        return DownloadError(
            hub_id,
            "the hub cannot be reached and the model is not in its cache",
            "a connection to https://huggingface.co",
            "Repeat the command when there is one.",
        )
    return MissingPathError(
        hub_id,
        "its weights are not on this machine",
        f"the model of https://huggingface.co/{hub_id} in the hub's cache",
        "Repeat the command with --download, or pass --weights FOLDER.",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
