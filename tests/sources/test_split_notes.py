"""One scene of GeoTIFFs from folder to probe: what is said of its splits and places on the way."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from featbank.datasets.split_gaps import split_gaps
from featbank.lookup.listing import store_description
from featbank.pages.catalog_table import print_description
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.opening import open_dataset
from featbank.stages.embed.plan import plan_embed
from featbank.stages.embed.run import embed_dataset
from featbank.stages.probe.run import ProbeOptions, probe_store
from featbank.store.reader import Store

CLASSES, SIDE, STEP_M = ("barley", "maize", "wheat"), 8, 640


def write_chip(path, x, y, *, crs="EPSG:32632"):
    pixels = np.random.default_rng(x + y).integers(0, 9000, (4, SIDE, SIDE), dtype=np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    transform = Affine(STEP_M / SIDE, 0, 500_000 + x, 0, -STEP_M / SIDE, 5_300_000 + y)
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=4, dtype="uint16", crs=crs,
        transform=transform,
    ) as file:  # fmt: skip
        file.write(pixels)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Sixty chips of 640 m side by side, wheat in one corner alone."""
    root = tmp_path_factory.mktemp("scene") / "fields"
    for row in range(60):
        x, y = row % 10 * STEP_M, row // 10 * STEP_M
        name = "wheat" if row in (0, 1) else CLASSES[row % 2]
        write_chip(root / name / f"{row:02d}.tif", x, y)
    return root


@pytest.fixture(scope="module")
def store(scene, tmp_path_factory):
    options = EmbedOptions(
        model="imagestats", dataset=str(scene), bank=tmp_path_factory.mktemp("bank"), workers=0
    )
    return Store(embed_dataset(plan_embed(options)).store)


def test_one_scene_is_split_by_smaller_blocks(store):
    for scheme in store.split_schemes:
        split = store.split(scheme)
        assert {"train", "val", "test"} <= set(split.tolist())
    assert store.scheme_name("random-0").startswith("block-")
    assert store.scheme_name("random-0") != "block-0.1deg-0"


def test_why_the_larger_blocks_were_left_stands_in_the_store(store):
    name = store.scheme_name("random-0")
    assert "every draw of block-0.1deg would" in store.attributes["split_notes"][name]
    assert any("every draw of block-0.1deg would" in note for note in store.attributes["notes"])


def test_embed_and_store_name_the_scheme_that_statistics_are_of(store):
    assert store.attributes["fitted_scheme"] == store.scheme_name("random-0")
    assert store.attributes["scheme_aliases"]["random-0"] == store.scheme_name("random-0")


def test_a_class_without_test_samples_is_named_at_embed_in_show_and_by_probe(store, capsys):
    lacking = {
        scheme
        for scheme in store.scheme_aliases.values()
        if not {"train", "test"} <= set(store.split(scheme)[store.labels() == 2].tolist())
    }
    assert lacking
    if store.scheme_name("random-0") in lacking:
        assert any("sample of wheat" in note for note in store.attributes["notes"])
    assert any("sample of wheat" in line for line in store_description(store.path)["split_gaps"])
    print_description(store_description(store.path))
    assert "sample of wheat" in " ".join(capsys.readouterr().out.split())
    scheme = min(lacking)
    options = {"bank": store.path.parents[2], "resamples": 0, "split_scheme": scheme}
    head = probe_store(ProbeOptions(clf="knn", params={"k": 3}, store=store.path, **options))
    assert "sample of wheat" in head.results[0].note
    assert head.results[0].distance_min_m >= STEP_M * 0.99


def test_one_file_without_a_place_does_not_take_those_of_the_others(scene, tmp_path):
    root = tmp_path / "mixed"
    for row in range(8):
        write_chip(root / CLASSES[row % 2] / f"{row}.tif", row * 5000, 0)
    write_chip(root / "maize" / "nowhere.tif", 0, 0, crs=None)
    write_chip(root / "maize" / "outside.tif", 7_000_000, 0)
    dataset = open_dataset(str(root))
    known = np.isfinite(dataset.samples.lonlat).all(axis=1)
    names = dataset.samples.ids[~known].tolist()
    assert names == ["maize/nowhere", "maize/outside"]
    assert dataset.samples.crs[~known].tolist() == ["", ""]
    assert any("outside their CRS, the first is 'maize/outside.tif'" in n for n in dataset.notes)
    assert any("1 of 10 files have no place" in note for note in dataset.notes)


def test_a_class_without_validation_samples_is_named_at_embed_in_show_and_by_probe(tmp_path):
    """Settings would be chosen on the other class alone."""
    root = tmp_path / "fields"
    for row in range(40):
        split = "train" if row < 20 else "test" if row < 30 else "val"
        name = CLASSES[row % 2] if split != "val" else "maize"
        write_chip(root / split / name / f"{row:02d}.tif", row * 5000, 0)
    options = EmbedOptions(model="imagestats", dataset=str(root), bank=tmp_path / "b", workers=0)
    plan = plan_embed(options)
    assert "split official: no val sample of barley" in plan.notes
    store = Store(embed_dataset(plan).store)
    assert store_description(store.path)["split_gaps"] == [
        "split official: no val sample of barley"
    ]
    options = ProbeOptions(
        clf="knn", params={"k": 3}, store=store.path, bank=tmp_path / "b", resamples=0
    )
    assert "no val sample of barley" in probe_store(options).results[0].note


@pytest.mark.parametrize("split", [[0, 0, 2, 2, 0, 2], [0, 0, 2, 2, 1, 1]])
def test_classes_are_not_named_where_validation_is_empty_or_holds_them(split):
    codes = np.array([0, 1, 0, 1, 0, 1])
    assert split_gaps(codes, np.array(split), ("a", "b")).unvalidated == ()


def test_a_class_of_several_labels_without_validation_samples_is_named():
    codes = np.array([[1, 1], [1, 1], [1, 0]])
    gaps = split_gaps(codes, np.array([0, 2, 1]), ("a", "b"))
    assert gaps.sentence() == "no val sample of b"
