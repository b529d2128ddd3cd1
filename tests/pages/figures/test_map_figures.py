"""Figures of maps, by what is drawn."""

import numpy as np
import pytest
from small_store import make_small_store

from featbank.bank.bank import Bank
from featbank.bank.maps import FeatureMap, write_map
from featbank.bank.results import Predictions
from featbank.errors import StoreError, UnknownNameError, UsageError
from featbank.lookup.subject import Subject
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.drawing.style import class_mark
from featbank.pages.figures.feature_map import feature_map
from featbank.pages.figures.map_panels import _columns, map_panels
from featbank.samples import LabelSet
from featbank.stages.map.purity import purity

N = 90
KINDS = ("water", "wood", "a class of a long name that needs more than one line", "absent")
XY = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
CODES = np.where(np.arange(N) < 5, -1, np.arange(N) % 7 % 3).astype(np.int32)
BEARS = (np.random.default_rng(1).uniform(size=(N, 4)) < (0.7, 0.4, 0.2, 0)).astype(np.int8)
QUALITY = {
    "k": 15,
    "dim": 4,
    "trustworthiness": 0.95,
    "overlap": 0.4,
    "overlap_by_chance": 0.1,
}


def make_store(tmp_path, **columns):
    labels = {
        "kind": LabelSet(classes=KINDS, codes=CODES),
        "kinds": LabelSet(classes=KINDS, codes=BEARS),
    }
    meta = {"country": np.array(["", "PT", "FI"], dtype=object)[np.arange(N) % 3]}
    features = np.random.default_rng(2).gamma(1, size=(N, 4))
    path = tmp_path / "bank" / "stores" / "made" / "tiny-1.zarr"
    return make_small_store(
        path, [f"c{i}" for i in range(N)], features, **{"labels": labels, "meta": meta, **columns}
    )


def make_map(store, rows=slice(None)):
    return FeatureMap(
        id="m" * 16,
        ids=store.ids[rows],
        xy=XY[rows],
        is_fitted=np.ones(N, bool)[rows],
        recipe={
            "store": store.attributes["recipe_id"],
            "feature": "mean",
            "layer": 0,
            "projection": "umap",
            "params": {},
        },
        quality=QUALITY,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("figures"))


def drawn(figure, panel=0):
    """Points of each collection of a panel by its label without the count."""
    return {
        part.get_label().replace("\n", " ").rpartition(" (")[0]: np.asarray(part.get_offsets())
        for part in figure.axes[panel].collections
    }


def entries(figure):
    return [text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()]


def test_every_class_is_drawn_where_its_samples_lie(store):
    found = drawn(feature_map(make_map(store), store))
    assert set(found) == {*KINDS[:3], "unlabelled"}
    for code, name in enumerate(KINDS[:3]):
        np.testing.assert_array_equal(found[name], XY[code == CODES])
    np.testing.assert_array_equal(found["unlabelled"], XY[:5])


def test_the_legend_names_classes_in_order_with_counts_and_leaves_absent_ones_out(store):
    counts = np.bincount(CODES[CODES >= 0])
    expected = [f"{name} ({count})" for name, count in zip(KINDS, counts, strict=False)]
    assert entries(feature_map(make_map(store), store)) == [*expected, "unlabelled (5)"]


def test_a_class_has_the_colour_of_its_position(store):
    figure = feature_map(make_map(store), store)
    colours = {
        part.get_label().split(" (")[0]: part.get_facecolor()[0]
        for part in figure.axes[0].collections
    }
    from matplotlib.colors import to_rgb

    assert tuple(colours["wood"][:3]) == pytest.approx(to_rgb(class_mark(1)[0]))


def test_a_map_of_some_samples_draws_those(store):
    found = drawn(feature_map(make_map(store, slice(50, 70)), store))
    assert sum(map(len, found.values())) == 20
    np.testing.assert_array_equal(found["water"], XY[50:70][CODES[50:70] == 0])


def test_a_split_colours_the_map(store):
    found = drawn(feature_map(make_map(store), store, by="split"))
    np.testing.assert_array_equal(found["val"], XY[store.split() == "val"])


def test_a_column_colours_the_map(store):
    found = drawn(feature_map(make_map(store), store, by="country"))
    assert set(found) == {"PT", "FI", "unknown"}
    np.testing.assert_array_equal(found["FI"], XY[2::3])


def test_several_labels_are_counted(store):
    figure = feature_map(make_map(store), store, label_set="kinds")
    np.testing.assert_array_equal(drawn(figure)["2 labels"], XY[BEARS.sum(axis=1) == 2])
    assert entries(figure)[1].startswith("1 label (")


def test_one_class_stands_out_of_all_others(store):
    found = drawn(feature_map(make_map(store), store, label_set="kinds", by="wood"))
    np.testing.assert_array_equal(found["wood"], XY[BEARS[:, 1] == 1])
    np.testing.assert_array_equal(found["all others"], XY[BEARS[:, 1] == 0])


def make_predictions(multilabel=False):
    """Of samples 40 to 59, of which every fourth is wrong."""
    is_wrong = np.arange(20) % 4 == 0
    if multilabel:
        truth = BEARS[40:60]
        scores = truth * 0.8 + 0.1
        scores[is_wrong, 0] = 1 - scores[is_wrong, 0]
    else:
        truth = CODES[40:60]
        scores = np.eye(4)[np.where(is_wrong, (truth + 1) % 3, truth)]
    ids = np.array([f"c{i}" for i in range(40, 60)], dtype=object)
    return Predictions(ids=ids, split="test", truth=truth, scores=scores, classes=KINDS), is_wrong


@pytest.mark.parametrize(("multilabel", "name"), [(False, "wrong"), (True, "not all")])
def test_errors_colour_the_map(store, multilabel, name):
    predictions, is_wrong = make_predictions(multilabel)
    found = drawn(feature_map(make_map(store), store, by="error", predictions=predictions))
    np.testing.assert_array_equal(found[name], XY[40:60][is_wrong])
    assert len(found["not scored"]) == N - 20


def test_many_values_leave_the_rare_ones_to_others(tmp_path):
    group = np.array([f"g{i:02d}" for i in range(60)] + ["g59"] * 30, dtype=object)
    store = make_store(tmp_path, group=group)
    found = drawn(feature_map(make_map(store), store, by="group"))
    assert (len(found), len(found["g59"]), len(found["others"])) == (50, 31, 11)


def test_long_names_are_wrapped_and_the_figure_grows(tmp_path):
    names = tuple(
        f"class {i} whose name is much longer than a line of the legend" for i in range(43)
    )
    labels = LabelSet(classes=names, codes=(np.arange(N) % 43).astype(np.int32))
    store = make_store(tmp_path, labels={"many": labels})
    figure = feature_map(make_map(store), store)
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    box = figure.bbox
    assert legend.x1 <= box.x1 + 1
    assert legend.y0 >= box.y0 - 1
    assert legend.x0 >= figure.axes[0].get_window_extent().x1


def test_errors_need_predictions(store):
    with pytest.raises(UsageError, match="no predictions are given"):
        feature_map(make_map(store), store, by="error")


def test_several_labels_are_no_class(store):
    with pytest.raises(UsageError, match="may bear several labels"):
        feature_map(make_map(store), store, label_set="kinds", by="class")


def test_an_unknown_colour_suggests_a_near_one(store):
    with pytest.raises(UnknownNameError, match="Did you mean 'water'"):
        feature_map(make_map(store), store, by="watr")


@pytest.mark.parametrize("label_set", ["kind", "kinds"])
def test_each_class_that_is_borne_has_a_panel(store, label_set):
    figure = map_panels(make_map(store), store, label_set=label_set)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 3
    bears = BEARS[:, :3] == 1 if label_set == "kinds" else CODES[:, None] == np.arange(3)
    for position, axes in enumerate(panels):
        rest, own = axes.collections
        np.testing.assert_array_equal(own.get_offsets(), XY[bears[:, position]])
        np.testing.assert_array_equal(rest.get_offsets(), XY[~bears[:, position]])


@pytest.mark.parametrize(("panels", "columns"), [(1, 2), (2, 2), (10, 5), (19, 5), (43, 7)])
def test_panels_leave_few_places_empty(panels, columns):
    assert _columns(panels) == columns


def test_titles_of_panels_tell_chips_and_purity(store):
    figure = map_panels(make_map(store), store)
    told = purity(make_map(store), store)
    expected = f"wood ({told.chips[1]})\n{told.on_map[1]:.3f} / {told.in_features[1]:.3f}"
    title = figure.axes[1].get_title(loc="left")
    assert title.startswith(expected.replace("0.", "."))
    assert "Classes without a chip: 1." in figure.texts[-1].get_text().replace("\n", " ")


@pytest.mark.parametrize("classes", [5, pytest.param(43, marks=pytest.mark.slow)])
def test_panels_of_long_names_do_not_overlap(tmp_path, classes):
    names = tuple(
        f"class {i} whose name is much longer than a line of the title" for i in range(classes)
    )
    labels = LabelSet(classes=names, codes=(np.arange(N) % classes).astype(np.int32))
    store = make_store(tmp_path, labels={"many": labels})
    figure = map_panels(make_map(store), store)
    figure.draw_without_rendering()
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == classes
    boxes = [axes.get_tightbbox() for axes in panels]
    clashes = [
        (i, j) for i, a in enumerate(boxes) for j, b in enumerate(boxes[:i]) if a.overlaps(b)
    ]
    assert clashes == []


def test_no_labels_are_one_line(tmp_path):
    store = make_store(tmp_path, labels={})
    with pytest.raises(StoreError, match="holds no labels"):
        map_panels(make_map(store), store)
    assert drawn(feature_map(make_map(store), store)).keys() == {"train", "val", "test"}


def test_labels_that_nothing_bears_are_one_line(tmp_path):
    labels = LabelSet(classes=KINDS, codes=np.full(N, -1, np.int32))
    store = make_store(tmp_path, labels={"none": labels})
    with pytest.raises(UsageError, match="no chip of the map bears a class"):
        map_panels(make_map(store), store)
    assert drawn(feature_map(make_map(store), store)).keys() == {"unlabelled"}


def test_two_samples_and_one_class_are_drawn(tmp_path):
    labels = LabelSet(classes=("only",), codes=np.zeros(N, np.int32))
    store = make_store(tmp_path, labels={"one": labels})
    for figure in (
        feature_map(make_map(store, slice(0, 2)), store),
        map_panels(make_map(store, slice(0, 2)), store),
    ):
        figure.draw_without_rendering()
        assert sum(len(part.get_offsets()) for part in figure.axes[0].collections) == 2


@pytest.mark.parametrize("name", ["feature-map", "map-panels"])
def test_the_catalog_draws_the_newest_map_or_says_what_is_missing(store, name):
    bank, spec = Bank(store.path.parents[2]), FIGURES[name]
    alone = Bank(store.path.parents[2] / "none")
    assert spec.missing(Subject(bank=alone, store=store)) == "a map: run 'featbank map' first"
    write_map(bank, make_map(store))
    subject = Subject(bank=bank, store=store, label_set="kinds")
    assert spec.missing(subject) == ""
    figure = spec.draw(subject, FigureOptions())
    assert sum(len(part.get_offsets()) for part in figure.axes[0].collections) == N


def test_panels_need_labels(tmp_path):
    store = make_store(tmp_path, labels={})
    subject = Subject(bank=Bank(tmp_path), store=store, map=make_map(store))
    assert FIGURES["map-panels"].missing(subject) == "labels"
    assert FIGURES["feature-map"].missing(subject) == ""
