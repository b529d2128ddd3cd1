"""What probes, stores and messages say of split schemes: true names, what they lack, ways out."""

from dataclasses import replace

import numpy as np
import pytest
from placed_store import make_placed_store, placed_samples

from featbank.bank.bank import Bank
from featbank.errors import ProbeError
from featbank.features.transfer_store import TransferStore
from featbank.lookup.listing import store_description
from featbank.lookup.subject_finding import find_subject
from featbank.sources.split_gaps import embed_notes
from featbank.stages.compare.choice import chosen_results
from featbank.stages.compare.options import CompareOptions
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store

CODES = np.arange(90) % 3


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("bank")
    make_placed_store(root / "stores" / "made" / "tiny-1.zarr")
    return root


def run(bank, **options):
    options = {"clf": "logistic", "resamples": 0} | options
    return probe_store(ProbeOptions(store=bank / "stores/made/tiny-1.zarr", bank=bank, **options))


def test_a_result_names_what_its_scheme_keeps_apart(bank):
    head = run(bank, split_scheme="random-1").results[0]
    assert (head.split_scheme, head.split_alias) == ("block-0.1deg-1", "random-1")


def test_both_names_are_one_result(bank):
    ids = {
        run(bank, split_scheme=s).results[0].result for s in (None, "random-0", "block-0.1deg-0")
    }
    assert len(ids) == 1


def test_the_store_knows_both_names(bank):
    store = Store(bank / "stores/made/tiny-1.zarr")
    assert store.scheme_name(None) == store.scheme_name("random-0") == "block-0.1deg-0"
    assert {"random-4", "block-0.1deg-4"} <= set(store.split_schemes)
    np.testing.assert_array_equal(store.split("random-2"), store.split("block-0.1deg-2"))


def test_a_store_of_before_has_no_other_names(bank, tmp_path):
    samples = placed_samples()
    old = replace(samples, splits={"random-0": samples.splits["random-0"]}, aliases={})
    assert make_placed_store(tmp_path / "s.zarr", old).scheme_name(None) == "random-0"


def test_labels_are_of_the_same_version_whether_named_or_not(bank, tmp_path):
    samples = placed_samples()
    old = {name: samples.splits[name] for name in samples.aliases}
    before = make_placed_store(tmp_path / "s.zarr", replace(samples, splits=old, aliases={}))
    now = Store(bank / "stores/made/tiny-1.zarr")
    assert before.attributes["labels_sha256"] == now.attributes["labels_sha256"]


@pytest.mark.parametrize("name", ["random-0", "block-0.1deg-0"])
def test_results_are_found_by_either_name(bank, name):
    run(bank), run(bank, clf="knn")
    found = chosen_results(Bank(bank), CompareOptions(split_scheme=name, bank=bank))
    assert {head.split_alias for head in found} == {"random-0"}
    assert find_subject(
        Bank(bank), store=bank / "stores/made/tiny-1.zarr", split_scheme=name
    ).results


def lacking(scheme_split, tmp_path, codes=CODES):
    """A store whose only schemes are this one and two whole ones."""
    samples = placed_samples(codes)
    whole = samples.splits["random-0"]
    samples = replace(
        samples,
        splits={"odd": scheme_split, "bare": np.zeros(90, np.int8), "whole": whole},
        aliases={},
    )
    make_placed_store(tmp_path / "stores" / "made" / "tiny-1.zarr", samples)
    return tmp_path


def test_a_class_without_train_or_test_samples_is_named_by_probe(tmp_path):
    split = placed_samples().splits["random-0"].copy()
    split[(CODES == 0)] = 2
    split[(CODES == 2) & (split == 2)] = 1
    note = run(lacking(split, tmp_path)).results[0].note
    assert "no train sample of water; no test sample of town" in note


def test_show_names_what_each_scheme_lacks(tmp_path):
    split = placed_samples().splits["random-0"].copy()
    split[(CODES == 0)] = 2
    bank = lacking(split, tmp_path)
    told = store_description(bank / "stores/made/tiny-1.zarr")["split_gaps"]
    assert "split odd: no train sample of water" in told
    assert any(line.startswith("split bare: no val and no test sample") for line in told)


def test_embed_says_what_the_scheme_lacks():
    samples = placed_samples(np.where(np.arange(90) == 7, 2, np.arange(90) % 2))
    notes = embed_notes(samples, samples.true_scheme("random-0"))
    assert any("sample of town" in note for note in notes)


def test_embed_is_silent_where_nothing_lacks():
    samples = placed_samples()
    assert embed_notes(samples, samples.true_scheme("random-0")) == ()


def test_only_schemes_that_can_be_probed_are_advised(tmp_path):
    with pytest.raises(ProbeError, match=r"no usable test sample .*Choose whole with --split-"):
        run(lacking(np.zeros(90, np.int8), tmp_path))


def test_where_no_scheme_can_be_probed_none_is_advised(tmp_path):
    samples = placed_samples()
    nothing = dict.fromkeys(("odd", "bare"), np.zeros(90, np.int8))
    make_placed_store(
        tmp_path / "stores/made/tiny-1.zarr", replace(samples, splits=nothing, aliases={})
    )
    with pytest.raises(ProbeError, match="No other split scheme has them"):
        run(tmp_path)


def test_stores_split_in_other_ways_are_joined_by_the_common_name_and_told(bank, tmp_path):
    train = Store(bank / "stores/made/tiny-1.zarr")
    other = placed_samples(lonlat=None, bbox=None, crs=None)
    other = replace(other, ids=np.array([f"x{i}" for i in range(90)], dtype=object))
    test = make_placed_store(tmp_path / "t.zarr", other, {"dataset": "other"})
    joined = TransferStore(train, test)
    assert joined.scheme_name("random-0") == joined.scheme_name(None) == "block-0.1deg-0"
    assert "other is split by stratified-0, made by block-0.1deg-0" in joined.notes
    assert np.isnan(joined.lonlat[90:]).all()
