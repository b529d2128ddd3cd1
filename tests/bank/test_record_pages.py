"""Banks and maps as a notebook shows them."""

import numpy as np
from fake_map import make_map
from made_results import make_result
from small_store import make_small_store

from featbank.bank.bank import Bank
from featbank.bank.maps import write_map
from featbank.bank.results import write_results


def store_in(bank, recipe="0123456789"):
    path = bank.store_path(dataset="<i>aid", model="vit-tiny", recipe=recipe)
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = [f"chip-{i}" for i in range(6)]
    return make_small_store(path, ids, np.eye(6))


def test_a_bank_names_its_stores_results_and_maps(tmp_path):
    bank = Bank(tmp_path)
    store = store_in(bank)
    bank.remember_newest(store.path)
    write_results(bank, [make_result(selected=True, low=0.7, high=0.9)])
    write_map(bank, make_map(store))
    html = bank._repr_html_()
    assert "vit-tiny-01234567.zarr" in html
    assert "newest" in html
    assert "0.700 to 0.900" in html
    assert html.count(">1<") == 3


def test_a_folder_named_like_a_tag_stays_text(tmp_path):
    bank = Bank(tmp_path)
    store_in(bank)
    assert "<i>" not in bank._repr_html_()
    assert "&lt;i&gt;aid" in bank._repr_html_()


def test_a_bank_that_is_not_there_is_empty(tmp_path):
    assert Bank(tmp_path / "none")._repr_html_().count(">0<") == 3


def test_a_map_draws_its_points_upwards_and_tells_its_quality(tmp_path):
    found = make_map(store_in(Bank(tmp_path)), xy=np.float32([[0, 0], [0, 5], [9, 0]] * 2))
    html = found._repr_html_()
    assert "2-D trustworthiness" in html
    assert "0.912" in html
    path = html.split('d="M')[1].split('"')[0]
    (x0, y0), (_, y1), (x2, _) = [tuple(map(float, p.split("h")[0].split())) for p in
                                  path.split("M")[:3]]  # fmt: skip
    assert y1 < y0
    assert x2 > x0


def test_a_map_of_many_points_stays_light(tmp_path):
    xy = np.random.default_rng(0).normal(size=(50_000, 2)).astype(np.float32)
    store = store_in(Bank(tmp_path))
    found = make_map(store, xy=xy, ids=np.arange(50_000).astype(str), is_fitted=np.ones(50_000))
    assert len(found._repr_html_()) < 60_000


def test_a_map_of_one_point_or_of_none_is_no_trouble(tmp_path):
    store = store_in(Bank(tmp_path))
    assert "Map: pca of 1 samples" in make_map(store, rows=[0])._repr_html_()
    lost = make_map(store, rows=[0, 1], xy=np.full((2, 2), np.nan, np.float32))
    assert "<svg" not in lost._repr_html_()


def test_what_was_only_placed_is_told(tmp_path):
    store = store_in(Bank(tmp_path))
    found = make_map(store, is_fitted=np.arange(6) < 4)
    assert "6 (4 fitted, the others placed)" in found._repr_html_()
