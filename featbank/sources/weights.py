"""A backbone's weights: random ones, a file's, a transformers folder's, a hub id's, its own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.backbones import WeightsFile
from featbank.backbones.answers import PART, as_mapping, settled_answers
from featbank.bank.checkpoints import is_checkpoint
from featbank.errors import MissingPathError, UsageError, WeightsError
from featbank.recipes.recipe import UNTRAINED, file_sha256
from featbank.sources.loaded_weights import HUB_PREFIX, Weights
from featbank.sources.local_files import weights_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.backbones import BackboneSpec
    from featbank.backbones.answers import Value
    from featbank.backbones.backbone import Loaded, State
    from featbank.sources.embed_options import EmbedOptions
    from featbank.sources.opening import FetchProgress

RANDOM = "random"
# Files of a transformers folder that people name in its place.
_BESIDE = ("config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json")


def load_weights(
    spec: BackboneSpec, options: EmbedOptions, progress: FetchProgress | None = None
) -> Weights:
    """Weights of a backbone, as asked for; the publisher's own where nothing is.

    Args:
        spec: The backbone.
        options: Its weights, answers about them, and whether they may be fetched.
        progress: Takes the step of a download, its bytes done and in all.

    Raises:
        UsageError: ``--weights`` for a backbone that has none, or missing where it needs them.
        MissingPathError: The publisher's file is not on this machine.
        WeightsError: The file does not fit the backbone.
        DownloadError: A hub id that the hub does not give.
    """
    answers_of(spec, options)
    if not spec.takes_weights:
        if options.weights is not None:
            raise UsageError(
                f"--weights {options.weights}",
                f"model '{spec.name}' has no weights",
                "no --weights for it",
                "Leave --weights out.",
            )
        return Weights(config=spec.config, state={}, origin="none")
    if options.weights == RANDOM and spec.initial is not None:
        origin = f"{UNTRAINED} (seed {options.seed})"
        return Weights(config=spec.config, state={}, origin=origin, is_random=True)
    place = _place(spec, options, progress)
    if is_checkpoint(place):
        from featbank.sources.checkpoint_opening import checkpoint_weights

        return checkpoint_weights(place)
    alone = _lone_file(place)
    if alone is not None:
        return _read(spec, alone, options)
    return _read_folder(spec, place if place.is_dir() else place.parent, options)


def _lone_file(place: Path) -> Path | None:
    """The file that stands for itself; None where a transformers folder is meant.

    timm's folders have a ``config.json`` too, which is no model's of transformers: their one file
    is read like any other of timm.
    """
    if not place.is_dir():
        return None if _is_of_folder(place) else place
    from featbank.backbones.building.transformers_folder import read_settings, weights_files

    if not (place / "config.json").is_file() or "model_type" in read_settings(place):
        return None
    files = weights_files(place)
    return files[0] if len(files) == 1 else None


def _is_of_folder(path: Path) -> bool:
    """Whether a file is a transformers folder's weights: its settings beside it then count."""
    from featbank.backbones.building.transformers_folder import read_settings, weights_files

    if not path.is_file() or not (path.parent / "config.json").is_file():
        return False
    try:
        files = {*weights_files(path.parent), *(path.parent / name for name in _BESIDE)}
        return path in files and "model_type" in read_settings(path.parent)
    except WeightsError:
        # Whatever stands beside it, the file may be read for itself.
        return False


def _place(spec: BackboneSpec, options: EmbedOptions, progress: FetchProgress | None) -> Path:
    named = options.weights
    if named is None:
        return _own(spec, options, progress)
    if Path(named).exists() or not is_hub_id(named):
        return Path(named)
    from featbank.downloads.hub import hub_folder

    # Naming a hub id is asking for it.
    return hub_folder(named, may_download=True)


def is_hub_id(name: str) -> bool:
    """Whether a name looks like ``owner/model`` rather than a file's path.

    Example:
        >>> is_hub_id("facebook/dinov2-base"), is_hub_id("runs/best.pth")
        (True, False)
    """
    parts = name.split("/")
    suffixes = (".pth", ".pt", ".bin", ".safetensors", ".ckpt")
    is_file = name.lower().endswith(suffixes)
    return len(parts) == 2 and all(parts) and parts[0] != "." and not is_file


def _own(spec: BackboneSpec, options: EmbedOptions, progress: FetchProgress | None) -> Path:
    if spec.hub_id:
        from featbank.downloads.hub import hub_folder

        return hub_folder(spec.hub_id, may_download=options.download)
    if spec.remote is None:
        raise UsageError(
            spec.name,
            "no weights were named",
            spec.weights_from,
            "Pass --weights path/to/file.safetensors.",
        )
    path = weights_folder() / spec.remote.name
    if not path.exists() and options.download:
        from featbank.sources.fetching import fetch_weights

        return fetch_weights(spec.remote, weights_folder(), progress)
    if not path.exists():
        raise MissingPathError(
            spec.name,
            f"its weights {spec.remote.name} are not in {weights_folder()}",
            f"the file of {spec.remote.url}",
            f"Run 'featbank models --download {spec.name}', or pass --weights FILE.",
        )
    return path


def answers_of(spec: BackboneSpec, options: EmbedOptions) -> dict[str, Value]:
    """What the user said of the weights, as the backbone's family declares it.

    ``--dofa-reshape`` and ``--positions`` say the same as their answers.

    Raises:
        UsageError: An answer that these weights do not leave open, of another kind, or said twice
            and otherwise.
    """
    named = {"reshape": options.dofa_reshape, "positions": options.positions}
    given = as_mapping(options.answers)
    for name, value in named.items():
        if value is not None and given.setdefault(name, value) != value:
            raise UsageError(
                f"--answer {name}={given[name]}",
                f"another option says {name} {value}",
                "one of the two",
                "Leave one out.",
            )
    # Random weights leave nothing open.
    declared = () if options.weights == RANDOM else spec.answers
    return settled_answers(declared, given, subject=f"model '{spec.name}'")


def answer_words(answers: Mapping[str, Any]) -> list[str]:
    """Answers as words of a command."""
    return [word for n, value in answers.items() for word in ("--answer", f"{n}={value}")]


def _read(spec: BackboneSpec, path: Path, options: EmbedOptions) -> Weights:
    from featbank.backbones.building.weights import read_part

    answers = answers_of(spec, options)
    asked = answers.get(PART.name)
    part, notes = read_part(path, None if asked is None else str(asked))
    file = WeightsFile(name=str(path), sha256=file_sha256(path), answers=answers)
    weights = _weights(spec, part.state, file, origin=path.name)
    is_declared = any(answer.name == PART.name for answer in spec.answers)
    recorded = {PART.name: part.name} if is_declared else {}
    return replace(
        weights,
        config={**weights.config, **recorded},
        notes=tuple(dict.fromkeys((*notes, *weights.notes))),
    )


def _read_folder(spec: BackboneSpec, folder: Path, options: EmbedOptions) -> Weights:
    from featbank.backbones.building.weights import read_folder

    answers = answers_of(spec, options)
    require_no_part(answers, folder)
    origin = _origin(spec, folder, options)
    # In messages a folder of this machine is named in full.
    name = origin if is_hub_id(origin) else str(folder)
    file = folder_file(folder, name=name, answers=answers)
    state = read_folder(folder)
    weights = _weights(spec, state, replace(file, sha256=folder_sha256(folder)), origin=origin)
    told, side = file.processor.get("image_px"), options.image_size or spec.image_size
    if not told or told == side:
        return weights
    note = f"the folder's processor makes images of {told} px, this run {side} (--image-size)"
    return replace(weights, notes=(*weights.notes, note))


def require_no_part(answers: Mapping[str, Any], folder: Path) -> None:
    """Raise where a part is asked for of a folder, which holds one network.

    Raises:
        UsageError: It is.
    """
    if PART.name in answers:
        raise UsageError(
            f"--answer {PART.name}={answers[PART.name]}",
            f"{folder.name} is a folder of one network",
            "a weights file of several",
            "Leave the answer out.",
        )


def _origin(spec: BackboneSpec, folder: Path, options: EmbedOptions) -> str:
    """Hub id or folder name: never a path, nor the snapshot that a hub's cache names by commit."""
    if options.model.startswith(HUB_PREFIX):
        return spec.name.removeprefix(HUB_PREFIX)
    named = options.weights or spec.hub_id
    return folder.resolve().name if Path(named).exists() else named


def folder_file(
    folder: Path, *, name: str, answers: Mapping[str, Value] | None = None
) -> WeightsFile:
    """A transformers folder with its settings, before any tensor is read.

    Raises:
        MissingPathError: It holds no ``config.json``.
        WeightsError: Its settings are damaged, or its processor does what no normalising is.
    """
    from featbank.backbones.building.transformers_folder import read_processor, read_settings

    return WeightsFile(
        name=name,
        folder=str(folder),
        config=read_settings(folder),
        processor=read_processor(folder),
        answers=answers or {},
    )


def folder_sha256(folder: Path) -> str:
    """The one digest of a transformers folder's weights.

    Of one file its SHA-256; of shards that of their digests in order, end to end.
    """
    from featbank.backbones.building.transformers_folder import weights_files

    digests = [file_sha256(path) for path in weights_files(folder)]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _weights(spec: BackboneSpec, state: State, file: WeightsFile, *, origin: str) -> Weights:
    if spec.read is None:
        return Weights(
            config=spec.config, state=state, origin=origin, sha256=file.sha256, is_read=True
        )
    loaded: Loaded = spec.read(spec.config, state, file)
    return Weights(
        config=loaded.config,
        state=loaded.state,
        origin=origin,
        sha256=file.sha256,
        notes=loaded.notes,
        is_read=True,
        processor=file.processor,
    )
