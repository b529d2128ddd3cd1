"""Fine-tuning from options to results, on chips whose class shows in their colour."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fake_chips import write_chips
from made_checkpoint import write_tiny

from featbank.bank.checkpoints import read_checkpoint, read_encoder, read_heads, read_seen
from featbank.bank.results import read_predictions
from featbank.errors import ContractError, ProbeError, TrainingError, UnknownNameError, UsageError
from featbank.stages.finetune.options import FinetuneOptions
from featbank.stages.finetune.plan import plan_finetune
from featbank.stages.finetune.run import finetune_model
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("c"))


@pytest.fixture
def options(imagery, start, tmp_path):
    return {
        "model": str(start),
        "dataset": str(imagery),
        "bank": tmp_path / "bank",
        "workers": 0,
        "dtype": "float32",
        "device": "cpu",
        "lr": 3e-3,
        "batch_size": 8,
        "epochs": 3,
        "resamples": 20,
    }


def run(options, **more):
    return finetune_model(plan_finetune(FinetuneOptions(**{**options, **more})))


@pytest.fixture(scope="module")
def done(imagery, start, tmp_path_factory):
    """One run that several tests look at."""
    asked = FinetuneOptions(
        model=str(start),
        dataset=str(imagery),
        bank=tmp_path_factory.mktemp("b"),
        workers=0,
        dtype="float32",
        lr=3e-3,
        batch_size=8,
        epochs=4,
        resamples=20,
    )
    return asked, finetune_model(plan_finetune(asked))


def test_it_learns_what_the_chips_show(done):
    assert done[1].probe.results[0].value >= 0.9


def test_the_loss_falls(done):
    epochs = done[1].epochs
    assert epochs[-1].train_loss < 0.7 * epochs[0].train_loss


def test_every_epoch_tells_accuracy_and_loss(done):
    log = pd.read_parquet(done[1].checkpoint / "log.parquet")
    assert log["epoch"].tolist() == [1, 2, 3, 4]
    assert log[["train_loss", "train_score", "val_loss", "val_score"]].notna().all().all()


def test_the_store_s_validation_score_is_that_of_training(done):
    """The head on stored features gives what the network gave: one chain, not two."""
    kept = done[1].epochs[done[1].kept - 1]
    on_validation = next(row for row in done[1].probe.results if row.split == "val")
    assert on_validation.value == pytest.approx(kept.val_score)


def test_the_best_epoch_on_validation_is_kept(done):
    scores = [epoch.val_score for epoch in done[1].epochs]
    assert done[1].kept == scores.index(max(scores)) + 1


def test_results_stand_on_a_store_of_the_checkpoint(done):
    row = done[1].probe.results[0]
    store = Store(Path(row.store))
    assert store.attributes["model"] == done[1].checkpoint.name
    assert (row.feature, row.protocol, row.n) == ("cls+mean", "featbank-finetune", 12)


def test_predictions_are_the_head_on_the_store(done):
    report = done[1]
    heads, found = read_heads(report.checkpoint), read_predictions(report.probe.predictions_path)
    store = Store(Path(report.probe.results[0].store))
    features = store.features("cls+mean")[store.split("random-0") == "test"].astype(np.float64)
    logits = features @ heads["head.weight"].T + heads["head.bias"]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_the_head_predicts_other_images(done, imagery):
    from featbank.front_door.probes import predict

    table = predict(done[1].probe.saved_path.name, imagery / "class2", bank=done[0].bank)
    assert (table["predicted"] == "class2").mean() >= 0.9


def test_the_checkpoint_tells_what_it_saw(done, imagery):
    seen = read_seen(done[1].checkpoint)["chips"]
    assert len(seen) == 36
    assert read_checkpoint(done[1].checkpoint).saw[0]["split_scheme"] == "stratified-0"


def test_a_finished_run_is_found_not_repeated(done):
    again = finetune_model(plan_finetune(done[0]))
    assert again.epochs == ()
    assert again.probe.results[0].value == done[1].probe.results[0].value


def test_the_same_run_gives_the_same_weights(options, tmp_path):
    first = run(options, epochs=1)
    second = run(options, epochs=1, bank=tmp_path / "other")
    pairs = zip(
        read_encoder(first.checkpoint).items(),
        read_encoder(second.checkpoint).items(),
        strict=True,
    )
    assert all(a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in pairs)


def test_a_frozen_encoder_stays_bit_for_bit(options, start):
    report = run(options, train="frozen")
    before, after = read_encoder(start), read_encoder(report.checkpoint)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert report.trained == 64 * 3 + 3


def test_the_last_block_alone_moves(options, start):
    report = run(options, train="last-1", epochs=1)
    before, after = read_encoder(start), read_encoder(report.checkpoint)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved
    assert all(name.startswith(("blocks.1.", "norm.")) for name in moved)


def test_adapters_end_as_plain_weights(options, start):
    report = run(options, lora=2, epochs=1)
    before, after = read_encoder(start), read_encoder(report.checkpoint)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert set(after) == set(before)
    assert moved
    assert all(name.endswith(("qkv.weight", "proj.weight")) for name in moved)


def test_shots_are_that_many_of_each_class(options):
    report = run(options, shots=5, epochs=1)
    assert report.probe.results[0].n_train == 15
    assert len(read_seen(report.checkpoint)["chips"]) == 15


def test_several_labels_are_trained_and_scored(options):
    report = run(options, dataset="synthetic-rgb", chips=40, labels="cover", epochs=1)
    assert (report.probe.results[0].metric, report.probe.results[0].average) == ("map", "macro")


def test_a_rate_that_runs_off_is_told(options):
    with pytest.raises(TrainingError, match="not a finite number"):
        run(options, lr=1e12)


def test_nothing_is_left_of_a_run_that_failed(options):
    with pytest.raises(TrainingError):
        run(options, lr=1e12)
    assert not list(options["bank"].glob("checkpoints/*/*/checkpoint.json"))


@pytest.mark.parametrize(
    ("more", "error", "match"),
    [
        ({"train": "last-9"}, UsageError, "last-1 to last-2"),
        ({"train": "some"}, UsageError, "names no part"),
        ({"model": "imagestats"}, UsageError, "no blocks"),
        ({"shots": 99}, ProbeError, "'class0' has 12 training samples"),
        ({"labels": "clas"}, UnknownNameError, "Did you mean 'class'"),
        ({"epochs": 0}, UsageError, "1 or more"),
        ({"lr": 0.0}, UsageError, "above 0"),
        ({"model": "resnet50", "weights": "random", "normalise": "imagenet"}, UsageError, "blocks"),
        ({"dataset": "synthetic-s1", "chips": 20}, ContractError, "VV, VH"),
    ],
)
def test_what_no_run_could_use_is_one_line(options, more, error, match):
    with pytest.raises(error, match=match):
        run(options, **more)


def test_one_class_is_refused(options, tmp_path):
    alone = write_chips(tmp_path / "alone", classes=1)
    with pytest.raises(ProbeError, match="two classes or more"):
        run(options, dataset=str(alone))


def test_augmentation_repeats_and_differs_by_epoch(options):
    from featbank.stages.finetune.chips import LabelledChips

    chips = LabelledChips(plan_finetune(FinetuneOptions(**options)), torch.device("cpu"))
    first, again, other = (next(iter(chips.train(epoch))) for epoch in (0, 0, 1))
    chips.close()
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])


def test_labels_go_with_their_chips_where_sizes_differ(options, tmp_path):
    """Chips of one size are read together, so a batch comes in another order than its rows."""
    from featbank.stages.finetune.chips import LabelledChips

    for side, name in ((24, "a"), (40, "b")):
        for path in write_chips(tmp_path / str(side), chips=6, side_px=side).rglob("*.png"):
            target = tmp_path / "mixed" / path.parent.name / f"{path.stem}{name}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    mixed = FinetuneOptions(**{**options, "dataset": str(tmp_path / "mixed")})
    chips = LabelledChips(plan_finetune(mixed), torch.device("cpu"))
    batches = list(chips.plain("train"))
    chips.close()
    brightest = torch.cat([x.mean(dim=(2, 3)).argmax(dim=1) for x, _ in batches])
    assert torch.equal(brightest, torch.cat([y for _, y in batches]))


def test_without_validation_it_is_said_what_the_temperature_was_fitted_on(options, tmp_path):
    for split in ("train", "test"):
        write_chips(tmp_path / "split" / split, chips=12)
    rows = run(options, dataset=str(tmp_path / "split"), epochs=1).probe.results
    assert "on samples that the network was trained on" in rows[0].note
