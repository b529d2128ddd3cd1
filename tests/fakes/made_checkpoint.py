"""A tiny checkpoint made by hand: a random vision transformer of 32 features and two blocks."""

from dataclasses import replace

from featbank.backbones.building.vit_build import initial_vit
from featbank.bank.checkpoints import Checkpoint, write_checkpoint

RGB = tuple(
    {"name": name, "wavelength_um": wave, "unit": "uint8"}
    for name, wave in (("red", 0.665), ("green", 0.56), ("blue", 0.49))
)


def tiny_config(**changes):
    config = {
        "dim": 32,
        "depth": 2,
        "heads": 2,
        "patch_px": 8,
        "channels": 3,
        "grid": 3,
        "mlp_dim": 64,
        "registers": 2,
    }
    return config | changes


def tiny_record(**changes):
    whole = Checkpoint(
        name="dino-vit-mini-1a2b3c4d",
        config=tiny_config(),
        bands=RGB,
        image_px=24,
        statistics={
            "method": "dataset",
            "mean": [120.0, 110.0, 100.0],
            "std": [40.0, 41.0, 42.0],
            "source": "fitted on 9 train chips of scheme random-0",
        },
        default_feature="cls",
        recipe={"method": {"name": "dino"}, "seed": 0},
        recipe_id="1a2b3c4d" * 8,
        saw=(),
        steps=7,
        is_finished=True,
        origin="random (seed 0)",
    )
    return replace(whole, **changes)


def write_tiny(folder, *, seed=0, seen=None, heads=None, **changes):
    """Write a tiny checkpoint into a folder of its name; give the folder."""
    record = tiny_record(**changes)
    path = folder / record.name
    write_checkpoint(path, record, initial_vit(record.config, seed), heads or {}, seen=seen)
    return path
