"""One file of a bank is damaged: whoever needs it says so by name, everything else goes on."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from whole_bank import STATE, make_whole_bank

import featbank
from featbank.bank.attention_maps import attention_layers, read_attention, write_attention
from featbank.bank.bank import Bank
from featbank.bank.bank_html import bank_html
from featbank.bank.checkpoints import read_encoder, read_heads, read_seen
from featbank.bank.fitted_states import read_state
from featbank.bank.lock import locked
from featbank.bank.map_html import map_html
from featbank.bank.maps import maps_of, read_map
from featbank.bank.results import read_predictions, read_result
from featbank.bank.runlog import append, changed_environment
from featbank.bank.saved_probes import read_probe
from featbank.errors import FeatbankWarning
from featbank.lookup.costs import cost_rows
from featbank.lookup.listing import store_description, store_rows
from featbank.lookup.subject_finding import results_of
from featbank.pages.training_curves import draw_training_curves
from featbank.store.feature_tiles import FeatureTiles
from featbank.store.reader import Store
from tests.fuzz.mutating import damaged_bytes, damaged_json, damaged_parquet
from tests.fuzz.running import refused


@cache
def _whole():
    """The whole bank, and its files by the kind of what they hold, read once."""
    root = Path(tempfile.mkdtemp(prefix="fuzz-whole-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    bank = make_whole_bank(root)
    files = sorted(p.relative_to(bank) for p in bank.rglob("*") if p.is_file())
    kinds = {}
    for path in files:
        kinds.setdefault(path.parts[0], []).append(path)
    return bank, kinds


def trial(rng, folder):
    whole, kinds = _whole()
    bank = Path(shutil.copytree(whole, folder / "bank"))
    kind = list(kinds)[rng.integers(len(kinds))]
    path = bank / kinds[kind][rng.integers(len(kinds[kind]))]
    path.write_bytes(_damaged(path, rng))
    names = _names(path, bank)
    for work in _uses(bank, path):
        refused(work, names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FeatbankWarning)
        # One damaged file does not hide the others.
        assert len(featbank.read_results(bank)) > 0


def _damaged(path, rng):
    if path.suffix == ".json":
        return damaged_json(path.read_bytes(), rng)
    if path.suffix == ".parquet":
        return damaged_parquet(path, rng)
    return damaged_bytes(path.read_bytes(), rng)


def _names(path, bank):
    """What a refusal may call the file: itself; of a store, the array or the store too."""
    inside = path.relative_to(bank)
    if inside.parts[0] == "stores":
        return [part for part in inside.parts if part.endswith(".zarr")] or [path.name]
    # Of a result, its id names it; where its dataset became another, the bank lacks one of this.
    return [path.name, path.stem, str(bank)] if inside.parts[0] == "results" else [path.name]


def _uses(bank, path):
    """Everything that may come to read the file, as calls without arguments."""
    home, kind = Bank(bank), path.relative_to(bank).parts[0]
    (store,) = bank.glob("stores/*/*.zarr")
    uses = {
        "stores": lambda: _of_store(home, store),
        "results": lambda: _of_results(home, path),
        "predictions": lambda: [lambda: read_predictions(path),
                                lambda: featbank.compare(dataset="chips", bank=bank)],
        "maps": lambda: [lambda: read_map(path), lambda: map_html(read_map(path))],
        "probes": lambda: [lambda: read_probe(path.parent)],
        "checkpoints": lambda: _of_checkpoint(bank, path.parent),
        "attention": lambda: _of_attention(home),
        "states": lambda: [lambda: read_state(home, STATE)],
    }  # fmt: skip
    every = [lambda: bank_html(home), lambda: store_rows(bank), lambda: results_of(home)]
    found = uses.get(kind, lambda: _of_notes(home, store))()
    return [*found, *every, lambda: maps_of(home, "none")]


def _of_notes(bank, store):
    source, note = (lambda: bank.source(store)), (lambda: bank.remember_source(store, {}))
    return [bank.newest, source, note, source, lambda: bank.remember_newest(store), bank.newest]


def _of_results(bank, path):
    return [lambda: read_result(path), lambda: featbank.compare(dataset="chips", bank=bank.root),
            lambda: featbank.draw("headlines", dataset="chips", bank=bank.root)]  # fmt: skip


def _of_checkpoint(bank, path):
    return [
        lambda: featbank.list_checkpoints(bank),
        lambda: featbank.open_checkpoint(path),
        lambda: read_encoder(path),
        lambda: read_heads(path),
        lambda: read_seen(path),
        lambda: draw_training_curves(path),
    ]


def _of_attention(bank):
    one = {"x": np.ones((1, 1, 2, 2), np.float32)}
    recipe = featbank.open_store(bank.newest()).attributes["recipe_id"]
    return [lambda: attention_layers(bank, recipe), lambda: read_attention(bank, recipe, 0),
            lambda: write_attention(bank, recipe, 0, one)]  # fmt: skip


def _of_store(bank, store):
    def opened(use):
        return lambda: use(Store(store))

    def lock():
        with locked(store, tell=lambda _: None):
            pass

    return [
        lambda: store_description(store),
        lambda: cost_rows([store]),
        lambda: changed_environment(store, {}),
        lambda: append(store, {"rows": 1, "seconds": 1.0}),
        lock,
        opened(lambda s: s.features()),
        opened(lambda s: s.xy("train")),
        opened(lambda s: s.to_pandas()),
        opened(lambda s: s.column_names),
        opened(lambda s: list(FeatureTiles(s).tiles(16))),
        opened(lambda s: s._repr_html_()),
        lambda: featbank.draw("class-distribution", store=store, bank=bank.root),
        lambda: bank.source(store),
    ]
