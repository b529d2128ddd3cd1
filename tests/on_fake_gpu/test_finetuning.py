"""Fine-tuning on the device: what a step copies and waits for, and what an epoch gives."""

import pytest
import torch
from fake_chips import write_chips
from fake_gpu.tracing import traced
from made_checkpoint import write_tiny

from featbank.stages.finetune.chips import LabelledChips
from featbank.stages.finetune.options import FinetuneOptions
from featbank.stages.finetune.plan import plan_finetune
from featbank.stages.finetune.run import _network
from featbank.stages.finetune.training import FineTuning

WAYS = pytest.mark.parametrize("lora", [0, 2], ids=["whole", "lora"])


@pytest.fixture(scope="module")
def plan_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finetuning")
    imagery, start = write_chips(folder / "chips", chips=12), write_tiny(folder)

    def make(device, lora):
        return plan_finetune(
            FinetuneOptions(
                model=str(start), dataset=str(imagery), bank=folder / "bank", device=device,
                lora=lora, workers=0, dtype="float32", lr=3e-3, batch_size=4, epochs=2,
                quarter_turns=True, colour=0.2, resamples=20,
            )
        )  # fmt: skip

    return make


def trained(plan, device):
    """Each epoch as it ends, and what each had the device do."""
    network = _network(plan)
    chips = LabelledChips(plan, torch.device(device))
    epochs = FineTuning(plan, network, chips, lambda _done, _n: None).epochs()
    try:
        for _ in range(plan.options.epochs):
            with traced() as trace:
                epoch = next(epochs)
            yield epoch, trace
    finally:
        chips.close()


@WAYS
def test_an_epoch_gives_what_it_gives_on_the_cpu(plan_of, lora):
    found = []
    for device in ("cpu", "cuda"):
        epochs = [epoch for epoch, _ in trained(plan_of(device, lora), device)]
        found.append([(each.train_loss, each.val_loss, each.train_score) for each in epochs])
    torch.testing.assert_close(*map(torch.tensor, found), rtol=1e-3, atol=1e-4)


@WAYS
def test_a_step_copies_once_and_waits_for_nothing(plan_of, lora):
    plan = plan_of("cuda", lora)
    trace = [trace for _, trace in trained(plan, "cuda")][1]
    size = plan.options.batch_size
    steps = -(-len(plan.rows["train"]) // size)
    validated = -(-len(plan.rows["val"]) // size)
    # Pixels, labels and all that is drawn together.
    assert len(trace.copies_in) == steps + validated
    assert [copy for copy in trace.copies_in if copy.blocks] == []
    # Once an epoch: each loss, and the loss on validation.
    assert len(trace.waits) <= steps + 1
