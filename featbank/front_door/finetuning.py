"""Fine-tuning a backbone with labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featbank.trouble import told

if TYPE_CHECKING:
    from featbank.bank.result_frame import ResultFrame


@told
def finetune(model: str, dataset: str | Path, **options: Any) -> ResultFrame:  # noqa: ANN401
    """Train a backbone and a linear head with labels, and score it on the test split.

    Args:
        model: A vision transformer of ``list_models``, or a checkpoint's folder.
        dataset: Labelled dataset, a name of ``list_datasets``, or a folder of images.
        **options: Fields of ``featbank.stages.finetune.options.FinetuneOptions``, the same as
            the options of ``featbank finetune``: ``epochs``, ``shots``, ``train``, ….

    Returns:
        Its results, the headline first; ``.attrs["checkpoint"]`` is the checkpoint's path.

    Raises:
        FeatbankError: Whatever the options, the dataset and the backbone do not agree on.
    """
    from featbank.bank.result_frame import ResultFrame
    from featbank.bank.results import to_frame
    from featbank.pages.training_curves import write_training_curves
    from featbank.stages.finetune.options import FinetuneOptions
    from featbank.stages.finetune.plan import plan_finetune
    from featbank.stages.finetune.run import finetune_model

    named = ("bank", "data_root", "splits")
    paths = {name: Path(options[name]) for name in named if options.get(name)}
    asked = FinetuneOptions(model=str(model), dataset=str(dataset), **{**options, **paths})
    report = finetune_model(plan_finetune(asked))
    if report.epochs:
        write_training_curves(report.checkpoint)
    frame = ResultFrame(to_frame(report.probe.results))
    frame.attrs["checkpoint"] = str(report.checkpoint)
    return frame
