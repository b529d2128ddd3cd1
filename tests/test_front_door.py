"""The front door: every public function, called twice, with every submodule imported."""

import importlib
import pkgutil

import numpy as np
import pandas as pd
import pytest
from fake_chips import write_chips

import featbank
from featbank.errors import MissingPathError


@pytest.fixture(scope="module")
def everything_imported():
    for info in pkgutil.walk_packages(featbank.__path__, "featbank."):
        if info.name != "featbank.__main__":
            importlib.import_module(info.name)


@pytest.fixture(scope="module")
def made(tmp_path_factory, everything_imported):
    root = tmp_path_factory.mktemp("f")
    imagery = write_chips(root / "chips", chips=30)
    store = featbank.embed("imagestats", imagery, bank=root / "bank", workers=0)
    return root / "bank", imagery, store


def test_no_room_bears_the_name_of_a_function():
    rooms = {info.name for info in pkgutil.iter_modules(featbank.__path__)}
    assert not rooms & set(featbank.__all__)


@pytest.mark.parametrize("turn", [1, 2])
def test_catalogs_are_tables(everything_imported, turn):
    assert {"vit-tiny", "rcf", "imagestats"} <= set(featbank.list_models()["name"])
    assert "synthetic-s2" in set(featbank.list_datasets()["name"])


@pytest.mark.parametrize("turn", [1, 2])
def test_embed_gives_a_store(made, turn):
    bank, imagery, store = made
    again = featbank.embed("imagestats", imagery, bank=bank, workers=0)
    assert again.path == store.path


@pytest.mark.parametrize("turn", [1, 2])
def test_rehearse_writes_nothing(made, turn, tmp_path):
    rehearsal = featbank.rehearse("imagestats", made[1], bank=tmp_path / "b", workers=0)
    assert (rehearsal["state"], (tmp_path / "b").exists()) == ("new", False)


def test_diff_tells_stores_apart_every_time(made, tmp_path):
    other = featbank.embed("imagestats", made[1], bank=tmp_path, workers=0, store_dtype="float16")
    verdicts = {featbank.diff(made[2], other).verdict for _ in range(2)}
    assert len(verdicts) == 1
    assert "differ only in storage dtype" in verdicts.pop()


@pytest.mark.parametrize("turn", [1, 2])
def test_probe_gives_a_table(made, turn):
    frame = featbank.probe("knn", made[2], bank=made[0], resamples=20)
    assert isinstance(frame, pd.DataFrame)
    assert frame.loc[0, "selected"]


@pytest.mark.parametrize("turn", [1, 2])
def test_probe_takes_the_newest_store(made, turn):
    assert featbank.probe("knn", bank=made[0], resamples=20).loc[0, "model"] == "imagestats"


@pytest.mark.parametrize("turn", [1, 2])
def test_predict_gives_a_table(made, turn):
    bank, _, store = made
    result = featbank.probe("knn", store, bank=bank, resamples=20, save=True).loc[0, "result"]
    frame = featbank.predict(result, store, bank=bank)
    assert frame["sample_id"].tolist() == store.ids.tolist()
    assert frame["predicted"].isin(["class0", "class1", "class2"]).all()


def test_predict_writes_where_it_is_told(made, tmp_path):
    bank, _, store = made
    result = featbank.probe("knn", store, bank=bank, resamples=20, save=True).loc[0, "result"]
    frame = featbank.predict(result, store, bank=bank, out=tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "p.parquet"), frame)


@pytest.mark.parametrize("turn", [1, 2])
def test_open_store_gives_training_data(made, turn):
    X, y = featbank.open_store(made[2].path).xy("train")
    assert (X.shape, y.shape) == ((54, 12), (54,))


@pytest.mark.parametrize("turn", [1, 2])
def test_open_bank_knows_its_stores(made, turn):
    bank = featbank.open_bank(made[0])
    assert bank.stores() == [made[2].path]
    assert made[2].path.name in bank._repr_html_()


def test_a_bank_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(MissingPathError, match="there is no such folder; expected a bank"):
        featbank.open_bank(tmp_path / "bnak")


@pytest.mark.parametrize("turn", [1, 2])
def test_results_show_their_headline(made, turn):
    frame = featbank.probe("knn", made[2], bank=made[0], resamples=20)
    assert "featbank-knn" in frame._repr_html_()
    assert featbank.read_results(made[0]).headlines["selected"].all()


@pytest.mark.parametrize("turn", [1, 2])
def test_show_draws_the_chips_named(made, turn):
    picture = made[2].show(made[2].ids[:3])
    assert picture.size == (3 * 162 + 6, 192 + 6)
    assert np.asarray(picture).std() > 10


@pytest.mark.parametrize("turn", [1, 2])
def test_map_store_gives_a_place_to_each_sample(made, turn):
    found = featbank.map_store(made[2], projection="pca", bank=made[0])
    assert found.ids.tolist() == made[2].ids.tolist()
    assert found.xy.shape == (90, 2)


@pytest.mark.parametrize("turn", [1, 2])
def test_draw_gives_a_figure(made, turn):
    result = featbank.probe("knn", made[2], bank=made[0], resamples=20).loc[0, "result"]
    figure = featbank.draw("confusion-matrix", result, bank=made[0])
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("turn", [1, 2])
def test_report_gives_tables(made, turn, tmp_path):
    featbank.probe("knn", made[2], bank=made[0], resamples=20)
    page = featbank.report(bank=made[0], format="md", out=tmp_path / "tables.md")
    assert "imagestats" in page.read_text()


@pytest.mark.parametrize("turn", [1, 2])
def test_scatter_selects_samples(made, turn):
    found = featbank.map_store(made[2], projection="pca", bank=made[0])
    widget = featbank.scatter(found, made[2])
    widget.selection = list(made[2].ids[:2])
    assert list(widget.selection) == made[2].ids[:2].tolist()


@pytest.mark.parametrize("turn", [1, 2])
def test_open_dataset_gives_samples(made, turn):
    assert len(featbank.open_dataset(made[1]).samples) == 90


@pytest.mark.parametrize("turn", [1, 2])
def test_results_and_stores_are_tables(made, turn):
    featbank.probe("knn", bank=made[0], resamples=20)
    assert len(featbank.read_results(made[0])) > 0
    assert featbank.list_stores(made[0])["state"].tolist() == ["finished"]


def test_a_removed_store_is_gone(made, tmp_path):
    store = featbank.embed("imagestats", made[1], bank=tmp_path, workers=0)
    assert featbank.remove_store(store.path) > 0
    assert list(tmp_path.glob("stores/chips/*")) == []


def test_an_unknown_option_is_a_type_error(made):
    with pytest.raises(TypeError, match="colour"):
        featbank.embed("imagestats", made[1], colour="red")
