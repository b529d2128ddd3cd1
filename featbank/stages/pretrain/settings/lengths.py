"""How long a run is: epochs or steps, and the batch, from options, method and chips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featbank.errors import UsageError
from featbank.methods.method import Length
from featbank.ranges import at_least, require, seed_check, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featbank.stages.pretrain.options import PretrainOptions

# Losses that compare chips need two.
_SMALLEST_BATCH = 2


def require_numbers(options: PretrainOptions) -> None:
    """Refuse numbers that no run could use, before anything is read.

    Raises:
        UsageError: Both epochs and steps, or a number out of range.
    """
    if options.epochs is not None and options.steps is not None:
        raise UsageError(
            f"--epochs {options.epochs} and --steps {options.steps}",
            "both say how long the run is",
            "one of the two",
            "Leave one out.",
        )
    require(
        (
            at_least("--epochs", options.epochs, 0),
            at_least("--steps", options.steps, 0),
            at_least("--batch-size", options.batch_size, _SMALLEST_BATCH),
            at_least("--micro-batch", options.micro_batch, 1),
            at_least("--limit", options.limit, 1),
            at_least("--chips", options.chips, 1),
            at_least("--workers", options.workers, 0),
            at_least("--cache-gb", options.cache_gb, 0),
            at_least("--probe-every", options.probe_every, 0),
            at_least("--save-every", options.save_every, 1),
            at_least("--keep", options.keep, 0),
            seed_check(options.seed),
            share("--max-invalid", options.max_invalid),
        )
    )


def settled_length(
    options: PretrainOptions, hyper: Mapping[str, Any], *, chips: int, dataset: str
) -> Length:
    """Steps and batch of a run.

    Args:
        options: ``epochs`` or ``steps``, ``batch_size``.
        hyper: The method's own ``epochs`` and ``batch_size``.
        chips: Chips that are trained on.
        dataset: Its name, for messages.

    Raises:
        UsageError: A batch of more chips than there are.
    """
    if chips < _SMALLEST_BATCH:
        raise UsageError(
            dataset,
            f"{chips} chip to train on" if chips else "no chip to train on",
            f"{_SMALLEST_BATCH} or more: a method compares chips",
            "Take more splits with --splits-seen, a larger --limit, or another dataset.",
        )
    batch = options.batch_size or _usual_batch(int(hyper["batch_size"]), chips)
    if batch > chips:
        raise UsageError(
            f"--batch-size {batch}",
            f"{dataset} has {chips} chips to train on",
            f"{_SMALLEST_BATCH} to {chips}",
            "Lower --batch-size, or take more chips.",
        )
    an_epoch = chips // batch
    epochs = int(hyper["epochs"]) if options.epochs is None else options.epochs
    steps = epochs * an_epoch if options.steps is None else options.steps
    return Length(steps=steps, steps_per_epoch=an_epoch, batch_size=batch)


def length_notes(length: Length, hyper: Mapping[str, Any]) -> list[str]:
    """What a user must know of the length, a sentence each."""
    notes, epochs = [], length.steps / length.steps_per_epoch
    if length.batch_size < hyper["batch_size"]:
        notes.append(
            f"the batch is {length.batch_size}, not the method's {hyper['batch_size']}; the "
            "learning rate follows it"
        )
    if 0 < epochs <= hyper["warmup_epochs"]:
        notes.append(
            f"the warm-up of {hyper['warmup_epochs']:g} epochs is as long as the run or longer, so "
            "the learning rate never reaches its peak; --set warmup_epochs=N shortens it"
        )
    if not length.steps:
        notes.append("no step is made: the checkpoint holds the weights that it starts from")
    return notes


def _usual_batch(published: int, chips: int) -> int:
    """The method's batch; the largest power of two of chips where there are fewer."""
    return published if published <= chips else 1 << (chips.bit_length() - 1)
