"""Pretraining: from unlabelled imagery to a checkpoint that ``embed`` takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.trouble import told

if TYPE_CHECKING:
    import pandas as pd

    from featbank.bank.checkpoints import Checkpoint


@told
def pretrain(method: str, model: str, dataset: str | Path, **options: Any) -> Path:  # noqa: ANN401
    """Train an encoder on imagery without labels, or go on with a run that was cut.

    Args:
        method: A name of ``list_methods``.
        model: Network to train, such as ``vit-small``.
        dataset: A name of ``list_datasets``, or a folder of images.
        **options: Fields of ``featbank.stages.pretrain.options.PretrainOptions``, the same as the
            options of ``featbank pretrain``: ``epochs``, ``batch_size``, ``hyper``, ``weights``, ….

    Returns:
        The checkpoint's folder, which ``embed`` takes as its model.

    Raises:
        FeatbankError: Whatever the options, the dataset, the model and the method do not agree on,
            and a run that collapses or cannot be saved.
    """
    from featbank.pages.training_curves import write_training_curves
    from featbank.stages.pretrain.options import PretrainOptions
    from featbank.stages.pretrain.planning import plan_pretrain
    from featbank.stages.pretrain.run import pretrain as pretrain_plan
    from featbank.stages.pretrain.scale.parallel import is_first_process
    from featbank.stages.pretrain.watching.online_probe import online_probe

    named = ("bank", "data_root", "splits", "teacher")
    paths = {name: Path(options[name]) for name in named if options.get(name)}
    asked = PretrainOptions(
        method=method, model=model, dataset=str(dataset), **{**options, **paths}
    )
    plan = plan_pretrain(asked)
    report = pretrain_plan(plan, probe=online_probe(plan))
    if report.done and is_first_process():
        write_training_curves(report.checkpoint)
    return report.checkpoint


@told
def list_methods() -> pd.DataFrame:
    """The pretraining methods, one row each."""
    import pandas as pd

    from featbank.stages.pretrain.checkpoints.listing import method_rows

    return pd.DataFrame(method_rows())


@told
def list_checkpoints(bank: str | Path = "bank") -> pd.DataFrame:
    """The checkpoints of a bank, one row each."""
    import pandas as pd

    from featbank.stages.pretrain.checkpoints.listing import checkpoint_rows

    return pd.DataFrame(checkpoint_rows(Path(bank)))


@told
def open_checkpoint(path: str | Path) -> Checkpoint:
    """What a checkpoint says of itself: ``.config``, ``.bands``, ``.recipe``, ``.saw``, ….

    Raises:
        MissingPathError: There is none at this path.
        WeightsError: Its record is damaged.
    """
    from featbank.bank.checkpoints import read_checkpoint

    return read_checkpoint(Path(path))


@told
def export(checkpoint: str | Path, out: str | Path, *, to: str) -> Path:
    """Write the encoder of a checkpoint for another library.

    Args:
        checkpoint: Its folder.
        out: Folder to write, new or empty.
        to: ``transformers`` or ``timm``.

    Raises:
        FeatbankError: A damaged checkpoint, a network that the library does not have, or a folder
            that holds files.
    """
    from featbank.stages.pretrain.checkpoints.exporting import export_checkpoint

    return export_checkpoint(Path(checkpoint), to=to, out=Path(out)).folder
