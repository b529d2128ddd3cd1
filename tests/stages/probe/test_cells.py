"""Many probes at once, and baselines beside them."""

import pytest
from fake_chips import write_chips
from layered_store import make_layered_store

import featbank
from featbank.errors import UsageError
from featbank.stages.probe.cells import cells_asked, probe_cells, ranked
from featbank.stages.probe.run import ProbeOptions


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("c")
    chips = write_chips(root / "chips", chips=30)
    for model in ("imagestats", "rcf"):
        featbank.embed(model, chips, bank=root / "bank", workers=0)
    featbank.embed("vit-tiny", chips, bank=root / "bank", **VIT)
    return root / "bank"


VIT = {"weights": "random", "normalise": "half", "image_size": 32, "workers": 0}


def make(bank, *, baselines=True, models=(), datasets=(), **options):
    asked = ProbeOptions(bank=bank, **{"clf": "knn", "resamples": 20, **options})
    return list(
        probe_cells(cells_asked(asked, models=models, datasets=datasets), baselines=baselines)
    )


def test_baselines_stand_beside_a_backbone(bank):
    (cell,) = make(bank, models=("vit-tiny",))
    assert [row.model for row in cell.baselines] == ["imagestats", "rcf"]


def test_baselines_are_probed_in_the_same_way(bank):
    (cell,) = make(bank, models=("vit-tiny",), params={"k": 3})
    assert {row.params for row in cell.baselines} == {cell.headline.params}


def test_a_baseline_has_no_baselines(bank):
    (cell,) = make(bank, models=("rcf",))
    assert (cell.baselines, cell.hint) == ([], "")


def test_missing_baselines_are_told_with_their_commands(tmp_path):
    path = make_layered_store(tmp_path / "b" / "stores" / "made" / "vit-00000000.zarr")
    (cell,) = make(tmp_path / "b", store=path)
    assert cell.hint == (
        "featbank embed --model imagestats --dataset made --limit 80; "
        "featbank embed --model rcf --dataset made --limit 80"
    )


def test_baselines_of_other_samples_do_not_count(bank, tmp_path):
    other = write_chips(tmp_path / "chips", chips=12)
    store = featbank.embed("vit-tiny", other, bank=bank, limit=10, **VIT)
    (cell,) = make(bank, store=store.path, params={"k": 1})
    assert cell.baselines == []


def test_a_protocol_that_a_baseline_cannot_take_is_told(bank):
    chips = bank.parent / "chips"
    asked = {"layers": (8, 9, 10, 11), "features": ("mean_raw",)}
    four = featbank.embed("vit-tiny", chips, bank=bank, **asked, **VIT)
    (cell,) = make(bank, clf=None, protocol="pangaea-knn", params={"k": 3}, store=four.path)
    assert cell.baselines == []
    assert all("expected mean_raw too" in trouble for trouble in cell.troubles)


def test_each_model_on_each_dataset_is_a_cell():
    asked = cells_asked(ProbeOptions(clf="knn"), models=("a", "b"), datasets=("x", "y"))
    assert [(each.model, each.dataset) for each in asked] == [
        ("a", "x"),
        ("b", "x"),
        ("a", "y"),
        ("b", "y"),
    ]


def test_no_store_named_is_the_newest():
    (asked,) = cells_asked(ProbeOptions(clf="knn"))
    assert asked.store is asked.model is asked.dataset is None


def test_joined_stores_with_several_models_are_refused():
    with pytest.raises(UsageError, match="it stands beside 2 stores"):
        cells_asked(ProbeOptions(clf="knn", concat=("a", "b")), models=("c", "d"))


def test_finished_cells_are_skipped(bank):
    make(bank, models=("rcf", "imagestats"), seed=3)
    again = make(bank, models=("rcf", "imagestats"), seed=3)
    assert [cell.report.is_new for cell in again] == [False, False]


def test_the_ranking_holds_each_result_once_best_first(bank):
    found = ranked(make(bank, models=("imagestats", "rcf"), seed=4))
    assert sorted(row.model for row in found) == ["imagestats", "rcf"]
    assert [row.value for row in found] == sorted((row.value for row in found), reverse=True)


def test_a_family_is_one_cell_a_protocol(bank):
    quick = {"seeds": 1, "resamples": 0}
    cells = make(bank, clf=None, protocol="htcv-2024", models=("imagestats",), **quick)
    assert [cell.headline.probe for cell in cells] == ["forest", "linear", "mlp"]
