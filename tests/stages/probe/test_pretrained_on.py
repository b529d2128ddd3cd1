"""A probe says how many of its test chips the checkpoint was pretrained on."""

import numpy as np
import pytest
from fake_chips import write_chips
from made_checkpoint import write_tiny

from featbank.sources.embed_options import EmbedOptions
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.predict.run import PredictOptions, plan_prediction, predict
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


def embedded(imagery, bank, checkpoint):
    asked = EmbedOptions(
        model=str(checkpoint), dataset=str(imagery), bank=bank, workers=0, dtype="float32"
    )
    return embed_dataset(plan_embed(asked)).store


def seen_ids(imagery, tmp_path, scheme, split):
    store = Store(embedded(imagery, tmp_path / "look", write_tiny(tmp_path / "look")))
    return store.ids[store.split(scheme) == split].tolist()


def note_of(imagery, tmp_path, seen, scheme):
    checkpoint = write_tiny(tmp_path, seen={"chips": seen})
    store = embedded(imagery, tmp_path / "bank", checkpoint)
    asked = ProbeOptions(clf="knn", store=store, bank=tmp_path / "bank", split_scheme=scheme)
    return probe_store(asked).results[0].note


def test_pretrained_on_the_train_split_of_the_same_scheme_says_nothing(imagery, tmp_path):
    seen = seen_ids(imagery, tmp_path, "random-0", "train")
    assert "pretrained" not in note_of(imagery, tmp_path, seen, "random-0")


def test_another_split_scheme_counts_the_overlap(imagery, tmp_path):
    seen = seen_ids(imagery, tmp_path, "random-0", "train")
    tested = seen_ids(imagery, tmp_path, "random-1", "test")
    both = len(set(seen) & set(tested))
    note = note_of(imagery, tmp_path, seen, "random-1")
    assert 0 < both < len(tested)
    assert f"without labels, on {both} of the {len(tested)} test chips" in note


def test_chips_of_another_dataset_count_for_nothing(imagery, tmp_path):
    seen = seen_ids(imagery, tmp_path, "random-0", "test")
    checkpoint = write_tiny(tmp_path, seen={"elsewhere": seen})
    store = Store(embedded(imagery, tmp_path / "bank", checkpoint))
    assert "seen_in_pretraining" not in store.column_names


def test_a_saved_probe_predicts_new_images_with_the_checkpoint_it_knows_by_path(imagery, tmp_path):
    checkpoint = write_tiny(tmp_path)
    store = embedded(imagery, tmp_path / "bank", checkpoint)
    asked = ProbeOptions(clf="knn", store=store, bank=tmp_path / "bank", save=True)
    result = probe_store(asked).results[0].result
    source = PredictOptions(
        probe=result, source=str(imagery), bank=tmp_path / "bank", weights=str(checkpoint)
    )
    table = predict(plan_prediction(source)).table.to_pandas()
    assert len(table) == 60
    assert np.isfinite(table.filter(like="p_").to_numpy(dtype=float)).all()
