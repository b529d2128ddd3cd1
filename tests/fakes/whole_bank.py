"""A small bank that holds one of everything a bank can hold, made once and copied for each test."""

from __future__ import annotations

import numpy as np
import pandas as pd
from made_checkpoint import write_tiny
from report_bank import make_chip_bank, make_map

import featbank
from featbank.bank.attention_maps import write_attention
from featbank.bank.bank import Bank
from featbank.bank.fitted_states import write_state
from featbank.bank.maps import write_map
from featbank.stages.probe.run import ProbeOptions, probe_store

STATE = "ab" * 32
CHECKPOINT = "dino-vit-mini-1a2b3c4d"


def make_whole_bank(root):
    """``root/chips`` and ``root/bank``; give the bank's folder."""
    folder = make_chip_bank(root)
    bank, store = Bank(folder), featbank.open_store(Bank(folder).newest())
    probe_store(ProbeOptions(clf="knn", store=store.path, bank=folder, resamples=20, save=True))
    write_map(bank, make_map(store))
    recipe = store.attributes["recipe_id"]
    write_attention(bank, recipe, 0, {store.ids[0]: np.ones((2, 1, 3, 3), np.float32)})
    write_state(bank, STATE, {"weight": np.arange(6, dtype=np.float32).reshape(2, 3)})
    seen = {"chips": sorted(store.ids.tolist())}
    saw = ({"dataset": "chips", "samples": len(store)},)
    heads = {"head.weight": np.ones((2, 3), np.float32)}
    path = write_tiny(folder / "checkpoints" / "chips", seen=seen, heads=heads, saw=saw)
    steps = np.arange(5)
    log = pd.DataFrame(
        {"step": steps, "epoch": steps / 5, "loss": 1.0 / (1 + steps), "images_per_s": 9.0 + steps}
    )
    log.to_parquet(path / "log.parquet", index=False)
    return folder
