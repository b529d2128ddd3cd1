"""The frozen teacher of a distillation: a checkpoint with heads, on the same bands and patches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.bank.checkpoints import encoder_sha256, read_checkpoint, read_encoder, read_heads
from featbank.errors import ContractError, UsageError, WeightsError
from featbank.methods.method import Teacher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from featbank.backbones.backbone import Config
    from featbank.bands import Band
    from featbank.bank.checkpoints import Checkpoint
    from featbank.image import Array
    from featbank.methods.method import MethodSpec


def required_teacher(method: MethodSpec, folder: Path | None) -> Checkpoint | None:
    """What the teacher's checkpoint says; None where the method has none.

    Raises:
        UsageError: A method that needs a teacher has none, or one that has its own is given one.
        MissingPathError: There is no checkpoint at this path.
        WeightsError: Its record is damaged, or it has no heads to learn from.
    """
    if method.needs_teacher and folder is None:
        raise UsageError(
            f"--method {method.name}",
            "no teacher is named",
            "a checkpoint of a larger model to learn from",
            "Pass --teacher path/to/checkpoint.",
        )
    if folder is None:
        return None
    if not method.needs_teacher:
        raise UsageError(
            f"--teacher {folder}",
            f"method '{method.name}' learns from no other network",
            "a method that does, such as distill",
            "Leave it out, or pass it as --weights to start from it.",
        )
    return read_checkpoint(folder)


def require_same_input(teacher: Checkpoint, config: Config, channels: Sequence[Band]) -> None:
    """Refuse a teacher of other bands or patches than its student, before anything is read.

    Raises:
        ContractError: Other bands.
        UsageError: Another patch: its tokens would stand for other ground than the student's.
    """
    known = [str(band["name"]) for band in teacher.bands]
    given = [band.name for band in channels]
    if known != given:
        raise ContractError(
            f"--teacher {teacher.name}",
            f"it takes {len(known)} bands ({', '.join(known)})",
            f"the {len(given)} of the student ({', '.join(given)})",
            "Choose the teacher's with --bands, or another teacher.",
        )
    if teacher.config["patch_px"] != config["patch_px"]:
        raise UsageError(
            f"--teacher {teacher.name}",
            f"its patches are {teacher.config['patch_px']} px wide",
            f"{config['patch_px']} px, as the student's",
            f"Pass --patch {teacher.config['patch_px']}.",
        )


def read_teacher(folder: Path) -> Teacher:
    """The teacher's networks.

    Raises:
        WeightsError: A file is damaged, or there are no heads to learn from.
    """
    record, heads = read_checkpoint(folder), read_heads(folder)
    if not heads:
        method = record.recipe.get("method", "another method")
        raise WeightsError(
            str(folder),
            f"a checkpoint of {method}, keeps no heads",
            "heads that give the student its targets, as dino and dinov2 keep them",
            "Choose a checkpoint of dinov2 as --teacher.",
        )
    return Teacher(
        config=dict(record.config),
        state=_tensors(read_encoder(folder)),
        heads=_tensors(heads),
        hyper=dict(record.recipe.get("hyper", {})),
    )


def teacher_recipe(folder: Path) -> dict[str, Any]:
    """What a recipe says of a teacher: its name and hash, no path."""
    return {"name": read_checkpoint(folder).name, "weights_sha256": encoder_sha256(folder)}


def _tensors(arrays: Mapping[str, Array]) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(values) for name, values in arrays.items()}
