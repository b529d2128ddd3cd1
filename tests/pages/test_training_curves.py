import numpy as np
import pandas as pd
import pytest
from made_checkpoint import write_tiny

from featbank.errors import MissingPathError
from featbank.pages.training_curves import draw_training_curves, write_training_curves


def log(steps=40, **columns):
    step = np.arange(steps)
    every = {
        "step": step,
        "epoch": step / 8,
        "lr": np.linspace(0, 1, steps),
        "loss": np.exp(-step / 9),
        "loss/dino": np.exp(-step / 9) / 2,
        "loss/ibot": np.exp(-step / 9) / 2,
        "gradient_norm": np.full(steps, 2.0),
        "images_per_s": np.full(steps, 321.0),
        "waited_share": np.full(steps, 0.25),
    }
    return pd.DataFrame({**every, **columns})


def checkpoint(folder, frame, **changes):
    path = write_tiny(folder, **changes)
    frame.to_parquet(path / "log.parquet")
    return path


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def test_panels_are_those_that_the_log_has_something_for(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, log()))
    assert titles(figure) == ["Loss", "Norm of the gradients", "Learning rate", "Chips a second"]


def test_a_probe_is_drawn_at_its_steps_alone(tmp_path):
    probed = np.full(40, np.nan)
    probed[[15, 31]] = 0.5, 0.7
    figure = draw_training_curves(checkpoint(tmp_path, log(**{"probe/knn": probed})))
    axes = figure.axes[1]
    assert axes.get_title(loc="left") == "Score on validation chips"
    assert axes.lines[0].get_xydata().tolist() == [[15 / 8, 0.5], [31 / 8, 0.7]]


def test_the_loss_and_its_parts_are_told_apart(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, log()))
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["loss", "dino", "ibot"]


def test_a_long_line_is_drawn_as_means_of_neighbouring_steps(tmp_path):
    frame = log(3000, loss=np.arange(3000) % 2)
    figure = draw_training_curves(checkpoint(tmp_path, frame))
    dark = figure.axes[0].lines[1].get_ydata()
    assert len(dark) == 300
    assert np.allclose(dark, 0.5)


@pytest.mark.parametrize(
    ("is_finished", "title"),
    [(True, "dino-vit-mini-1a2b3c4d"), (False, "dino-vit-mini-1a2b3c4d, unfinished after 7 steps")],
)
def test_the_title_says_whether_the_run_is_finished(tmp_path, is_finished, title):
    figure = draw_training_curves(checkpoint(tmp_path, log(), is_finished=is_finished))
    assert figure.get_suptitle() == title


def test_speed_and_waiting_stand_below(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, log()))
    assert "321 chips a second (median), 25 % of a step" in figure.get_supxlabel().replace(
        "\n", " "
    )


def test_the_picture_lies_in_the_checkpoint(tmp_path):
    path = checkpoint(tmp_path, log())
    assert write_training_curves(path) == path / "curves.png"
    assert (path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_checkpoint_without_a_log_is_told(tmp_path):
    with pytest.raises(MissingPathError, match=r"log\.parquet: is not there"):
        draw_training_curves(write_tiny(tmp_path))


def epochs(count=3):
    """The log of a fine-tuning."""
    epoch = np.arange(1, count + 1)
    columns = ("train_loss", "train_score", "val_loss", "val_score", "lr", "seconds")
    return pd.DataFrame(
        {"epoch": epoch, **dict.fromkeys(columns, epoch / 10), "chips_per_second": 50.0}
    )


def test_a_fine_tuning_shows_loss_and_score_of_both_splits(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, epochs()))
    assert titles(figure)[:2] == ["Loss, by epoch", "Score, by epoch"]
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert labels == ["training", "validation"]


def test_a_fine_tuning_without_validation_shows_training_alone(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, epochs().assign(val_score=np.nan)))
    assert len(figure.axes[1].lines) == 1


def test_every_epoch_of_a_fine_tuning_is_marked(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, epochs()))
    assert figure.axes[0].lines[0].get_marker() == "o"


def test_below_a_fine_tuning_stand_its_epochs_and_speed(tmp_path):
    figure = draw_training_curves(checkpoint(tmp_path, epochs()))
    assert any("3 epochs; 50 chips a second" in text.get_text() for text in figure.texts)
