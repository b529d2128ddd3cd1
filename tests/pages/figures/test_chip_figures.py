"""What sheets of chips hold: which chips, in which frames and with which words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from small_store import make_small_store

from featbank.bank.results import Predictions
from featbank.errors import StoreError, UnknownNameError
from featbank.lookup.example_samples import example_rows, query_ids
from featbank.pages.figures import FIGURES
from featbank.pages.figures.cases import case_lines, case_sheet, cases_of
from featbank.pages.figures.drawing.sheet import Row, Tile, draw_sheet
from featbank.pages.figures.examples import example_chips
from featbank.pages.figures.retrieval import label_text, retrieval_sheet
from featbank.pictures.words import shortened
from featbank.samples import LabelSet

N = 24
IDS = [f"chip-{i:03d}" for i in range(N)]
LONG = "Land principally occupied by agriculture, with significant areas of natural vegetation"


class Pictures:
    """Tiles that tell their id: their grey level is the id's number."""

    shown = SimpleNamespace(words="True colour (B04, B03, B02)")

    def thumbnails(self, ids, side_px):
        levels = [int(sample[-3:]) for sample in ids]
        return np.stack([np.full((4, 4, 3), level, np.uint8) for level in levels])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    features = np.random.default_rng(0).normal(size=(N, 5)) + 3 * np.eye(3, 5)[np.arange(N) % 3]
    return make_small_store(tmp_path_factory.mktemp("s") / "s.zarr", IDS, features)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Several labels a sample, with the longest class name that there is."""
    codes = (np.random.default_rng(0).uniform(size=(N, 3)) < 0.5).astype(np.int8)
    codes[:, 0] = 1
    labels = {"kinds": LabelSet(classes=(LONG, "water", "town"), codes=codes)}
    path = tmp_path_factory.mktemp("s") / "s.zarr"
    return make_small_store(path, IDS, np.eye(N, 5) + 0.1, labels=labels)


def levels(figure):
    """Ids of the tiles, from left to right and from top to bottom."""
    images = sorted(figure.axes[0].images, key=lambda im: (im.get_extent()[3], im.get_extent()[0]))
    return [int(image.get_array()[0, 0, 0]) for image in images]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def overlaps(figure):
    """Pairs of texts that cover one another, and texts that leave the figure or cover a tile."""
    renderer = figure.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in figure.axes[0].texts if t.get_text()]
    tiles = [image.get_window_extent(renderer) for image in figure.axes[0].images]
    outside = [b for b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > figure.bbox.x1]
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    return outside + pairs + [(a, b) for a in boxes for b in tiles if a.overlaps(b)]


def test_a_row_holds_the_query_and_its_neighbours(store):
    from featbank.lookup.neighbours import neighbours_of

    figure = retrieval_sheet(store, Pictures(), IDS[4:6], k=3)
    found = neighbours_of(store, IDS[4:6], 3)
    rows = np.column_stack([found.queries, found.ids])
    assert levels(figure) == [int(name[-3:]) for name in rows.ravel()]


def test_frames_tell_right_from_wrong_by_line_and_mark_too(store):
    figure = retrieval_sheet(store, Pictures(), IDS[4:6], k=8)
    shown = levels(figure)
    same = [a % 3 == q % 3 for q, row in ((4, shown[1:9]), (5, shown[10:])) for a in row]
    frames = figure.axes[0].patches
    assert [patch.get_linestyle() == "solid" for patch in frames] == same
    marks = [text[0] == "✓" for text in texts(figure) if text[:1] in ("✓", "✗")]
    assert marks == same
    assert len(set(same)) == 2


def test_a_neighbour_says_its_class_and_similarity(store):
    from featbank.lookup.neighbours import neighbours_of

    told = texts(retrieval_sheet(store, Pictures(), IDS[4:5], k=1))[-1]
    value = neighbours_of(store, IDS[4:5], 1).similarity[0, 0]
    assert f"cosine {value:.3f}" in told


def test_queries_are_one_of_each_class_and_repeat(store):
    ids = query_ids(store, seed=1)
    assert sorted(int(sample[-3:]) % 3 for sample in ids) == [0, 1, 2]
    assert ids == query_ids(store, seed=1)
    assert ids != query_ids(store, seed=2)


def test_neighbours_that_share_a_label_are_right(many):
    figure = retrieval_sheet(many, Pictures(), IDS[:1], k=4)
    assert {patch.get_linestyle() for patch in figure.axes[0].patches} == {"solid"}


def test_a_store_without_labels_has_no_frames(tmp_path):
    plain = make_small_store(tmp_path / "s.zarr", IDS, np.eye(N, 5) + 0.1, labels={})
    assert len(retrieval_sheet(plain, Pictures(), k=2).axes[0].patches) == 0


def test_two_samples_make_a_sheet(tmp_path):
    two = make_small_store(tmp_path / "s.zarr", IDS[:2], np.eye(2) + 0.1)
    assert levels(retrieval_sheet(two, Pictures(), IDS[:1])) == [0, 1]


@pytest.mark.parametrize("draw", [example_chips, lambda s, p: retrieval_sheet(s, p, k=4)])
def test_long_class_names_do_not_overlap(many, draw):
    assert overlaps(draw(many, Pictures())) == []


def test_each_class_has_its_own_chips(store):
    figure = example_chips(store, Pictures(), n=3)
    assert [level % 3 for level in levels(figure)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [text for text in texts(figure) if text in store.classes()] == list(store.classes())


def test_a_rare_class_has_fewer_and_an_absent_one_none(tmp_path):
    codes = np.array([0] * 9 + [2], np.int32)
    labels = {"kind": LabelSet(classes=("a", "b", "c"), codes=codes)}
    store = make_small_store(tmp_path / "s.zarr", IDS[:10], np.eye(10), labels=labels)
    found = example_rows(store, n=4)
    assert {name: len(rows) for name, rows in found.items()} == {"a": 4, "c": 1}


def test_a_store_of_unknown_labels_says_so(tmp_path):
    labels = {"kind": LabelSet(classes=("a",), codes=np.full(4, -1, np.int32))}
    store = make_small_store(tmp_path / "s.zarr", IDS[:4], np.eye(4), labels=labels)
    with pytest.raises(StoreError, match="no labelled chip"):
        example_chips(store, Pictures())


def test_forty_three_classes_stand_in_columns(tmp_path):
    classes = tuple(f"class number {i}" for i in range(43))
    ids = [f"chip-{i:03d}" for i in range(86)]
    labels = {"kind": LabelSet(classes=classes, codes=(np.arange(86) % 43).astype(np.int32))}
    store = make_small_store(tmp_path / "s.zarr", ids, np.ones((86, 2)), labels=labels)
    figure = example_chips(store, Pictures())
    assert len(levels(figure)) == 86
    assert overlaps(figure) == []
    assert 0.3 < figure.get_figwidth() / figure.get_figheight() < 3


def predictions(n=40):
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=n)
    scores = 0.6 * rng.dirichlet(np.ones(3), size=n) + 0.4 * np.eye(3)[truth]
    return Predictions(
        ids=np.array([f"chip-{i:03d}" for i in range(n)], dtype=object),
        split="test",
        truth=truth,
        scores=scores,
        classes=("field", "forest", "water"),
    )


def labels_said():
    truth = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    scores = np.array([[0.9, 0.1, 0.8, 0.2], [0.1, 0.2, 0.9, 0.1], [0.4, 0.6, 0.7, 0.2]])
    return Predictions(
        ids=np.array(["chip-000", "chip-001", "chip-002"], dtype=object),
        split="test",
        truth=truth,
        scores=scores,
        classes=("field", "forest", "water", LONG),
        thresholds={"0.5": np.full(4, 0.5), "tuned-f2": np.full(4, 0.15)},
    )


def test_cases_are_what_they_say():
    said = predictions()
    is_right = said.predicted == said.truth
    groups = cases_of(said, k=4).groups
    assert is_right[groups["right"]].all()
    assert not is_right[groups["wrong"]].any()
    assert not set(groups["wrong"]) & set(groups["wrong, most confident"])


def test_the_most_confident_wrong_come_first():
    said = predictions()
    confidence = said.scores.max(axis=1)
    worst = cases_of(said, k=4).groups["wrong, most confident"]
    wrong = np.flatnonzero(said.predicted != said.truth)
    assert worst == wrong[np.argsort(-confidence[wrong])][:4].tolist()


def test_samples_with_most_wrong_labels_are_worst():
    groups = cases_of(labels_said()).groups
    assert groups["most labels missed or false"] == [1, 2]
    assert groups["right"] == [0]


def test_missed_and_false_labels_are_named():
    said = labels_said()
    decided = cases_of(said).decided
    assert case_lines(said, 1, decided) == (
        "missed: field (0.10); forest (0.20)",
        "false: water (0.90)",
    )
    assert case_lines(said, 0, decided) == ("found: field (0.90); water (0.80)",)


def test_thresholds_decide():
    decided = cases_of(labels_said(), threshold="tuned-f2").decided
    assert decided.tolist() == [[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 1, 1]]


def test_a_wrong_case_tells_both_classes():
    said = predictions()
    row = cases_of(said).groups["wrong, most confident"][0]
    first, second = case_lines(said, row, None)
    assert first == f"said {said.classes[said.predicted[row]]} ({said.scores[row].max():.2f})"
    assert second.startswith(f"is {said.classes[said.truth[row]]} (")


@pytest.mark.parametrize("said", [predictions(), labels_said()])
def test_no_text_of_a_case_sheet_overlaps(said):
    assert overlaps(case_sheet(said, Pictures(), k=5)) == []


def test_a_probe_without_errors_has_right_cases_alone():
    said = predictions()
    perfect = Predictions(**{**vars(said), "scores": np.eye(3)[said.truth]})
    assert list(cases_of(perfect).groups) == ["right"]


def test_thresholds_that_are_not_kept_are_refused():
    with pytest.raises(UnknownNameError, match="tuned-f1: .* one of 0.5, tuned-f2"):
        cases_of(labels_said(), threshold="tuned-f1")


def test_predictions_of_nothing_are_refused():
    said = predictions()
    parts = {name: getattr(said, name)[:0] for name in ("ids", "truth", "scores")}
    with pytest.raises(StoreError, match="hold no sample"):
        case_sheet(replace(said, **parts), Pictures())


def test_labels_are_told_in_words():
    assert label_text(np.int32(-1), ("a",)) == "unknown"
    assert label_text(np.array([1, 0, 1, 1, 1, 1]), tuple("abcdef")) == "a; c; d and 2 more"
    assert label_text(np.zeros(3, np.int8), tuple("abc")) == "no label"


def test_words_too_long_for_a_tile_are_broken():
    picture = np.zeros((4, 4, 3), np.uint8)
    tile = Tile(picture=picture, lines=("S2A_MSIL2A_20170613T101031_45_67_and_more",))
    assert overlaps(draw_sheet([Row(tiles=(tile, tile))], "Two")) == []


def test_ids_keep_their_end():
    assert shortened("S2A_MSIL2A_20170613T101031_45_67", 12).endswith("1_45_67")
    assert len(shortened("x" * 50, 12)) == 12


@pytest.mark.parametrize("name", ["examples", "retrieval", "cases"])
def test_without_pictures_a_figure_says_why(store, name):
    subject = SimpleNamespace(
        store=store,
        pictures=None,
        no_pictures="the folder is gone",
        headlines=[SimpleNamespace(result="r")],
        results=(1,),
        predictions=lambda _: predictions(),
    )
    assert FIGURES[name].missing(subject) == "the images: the folder is gone"


def test_cases_need_predictions(store):
    subject = SimpleNamespace(store=store, results=(), pictures=Pictures())
    assert FIGURES["cases"].missing(subject) == "predictions of a result"
