"""What every figure of the catalog promises: a picture or a reason, whole and repeatable."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_subject import few_shot_rows, make_predictions, make_rows, make_subject
from matplotlib.figure import Figure
from small_store import make_small_store
from text_overlaps import text_faults

from featbank.bank.bank import Bank
from featbank.bank.results import write_predictions, write_results
from featbank.errors import FeatbankError
from featbank.lookup.subject import Subject
from featbank.pages.figures import FIGURES, FigureOptions
from featbank.pages.figures.drawing.style import new_figure, save_figure
from featbank.samples import LabelSet
from featbank.store.absent import AbsentStore

EVERY = sorted(FIGURES)
OPTIONS = FigureOptions()


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("featbank.pages.figures.comparison.RESAMPLES", 100)


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Subjects by classes and whether samples bear several labels."""
    kinds = ((3, False), (3, True), (19, True), (43, False), (43, True))
    return {
        kind: make_subject(tmp_path_factory.mktemp("rich"), kind[0], multilabel=kind[1])
        for kind in kinds
    }


def bare_store(root, n, labels):
    features = np.random.default_rng(0).normal(size=(n, 4))
    path = Bank(root).stores_folder / "made" / "tiny-00000000.zarr"
    return make_small_store(path, [f"chip-{i}" for i in range(n)], features, labels=labels)


def unlabelled(root):
    return Subject(bank=Bank(root), store=bare_store(root, 5, {}))


def without_results(root):
    return replace(make_subject(root), results=())


def without_predictions(root):
    store = bare_store(
        root, 6, {"cover": LabelSet(classes=("a", "b", "c"), codes=np.arange(6) % 3)}
    )
    rows = few_shot_rows("f" * 16, store=store, recipe="0" * 64)
    return Subject(bank=Bank(root), store=store, results=(tuple(rows),))


def small(root, n, classes, codes):
    store = bare_store(root, n, {"cover": LabelSet(classes=classes, codes=codes)})
    said = make_predictions(store.ids, codes, classes, skill=0.5)
    rows = make_rows("1" * 16, said, store=store, recipe="0" * 64)
    write_predictions(Bank(root), "1" * 16, said)
    write_results(Bank(root), rows)
    return Subject(bank=Bank(root), store=store, results=(tuple(rows),))


def of_one_class(root):
    return small(root, 6, ("water",), np.zeros(6, dtype=np.int32))


def of_one_label(root):
    return small(root, 6, ("water",), np.array([[0], [1]] * 3, dtype=np.int8))


def of_two_samples(root):
    return small(root, 2, ("water", "wood"), np.array([0, 1], dtype=np.int32))


def of_absent_labels(root):
    return small(root, 4, ("water", "wood"), np.zeros((4, 2), dtype=np.int8))


def without_values(root):
    subject = small(root, 4, ("water", "wood"), np.array([0, 1, 0, 1], dtype=np.int32))
    rows = tuple(replace(row, value=np.nan, low=None, high=None) for row in subject.results[0])
    return replace(subject, results=(rows,))


def of_a_gone_store(root):
    subject = make_subject(root)
    return replace(subject, store=AbsentStore(Path(subject.store.path)))


POOR = (unlabelled, without_results, without_predictions, of_one_class, of_one_label,
        of_two_samples, of_absent_labels, without_values, of_a_gone_store)  # fmt: skip


@pytest.fixture(scope="module", params=POOR, ids=lambda make: make.__name__)
def poor(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("poor"))


@pytest.mark.parametrize("name", EVERY)
def test_a_poor_subject_gives_a_reason_or_a_figure(poor, name):
    lacking = FIGURES[name].lacks(poor)
    assert isinstance(lacking, str)
    if lacking:
        return
    with suppress(FeatbankError):
        assert isinstance(FIGURES[name].draw(poor, OPTIONS), Figure)


@pytest.mark.slow
@pytest.mark.parametrize("poor", [of_two_samples, of_absent_labels], indirect=True)
@pytest.mark.parametrize("name", EVERY)
def test_figures_of_poor_subjects_are_drawn_whole(poor, name):
    if not FIGURES[name].lacks(poor):
        assert text_faults(FIGURES[name].draw(poor, OPTIONS)) == []


@pytest.mark.parametrize("name", EVERY)
def test_nothing_at_all_is_told(tmp_path, name):
    subject = Subject(bank=Bank(tmp_path), store=AbsentStore(tmp_path / "gone.zarr"))
    assert FIGURES[name].lacks(subject).strip()


def test_texts_that_clash_are_found():
    figure = new_figure(2, 2)
    for x, text in ((0.5, "one"), (0.52, "two"), (1.4, "three")):
        figure.text(x, 0.5, text)
    assert text_faults(figure) == ["'one' covers 'two'", "'three' is cut off"]


def drawable(subjects, name):
    """Figures of all subjects that it can be drawn of."""
    spec = FIGURES[name]
    fitting = [s for s in subjects if not spec.lacks(s)]
    return [spec.draw(subject, OPTIONS) for subject in fitting]


@pytest.mark.parametrize("name", EVERY)
def test_rich_subjects_are_drawn_whole(rich, name):
    figures = drawable([rich[3, False], rich[3, True]], name)
    for figure in figures:
        assert isinstance(figure, Figure)
        assert text_faults(figure) == []


LONG = "hf:facebook/dinov3-vitl16-pretrain-lvd1689m"


@pytest.mark.parametrize("name", ["headlines", "few-shot-curve", "k-curve", "class-scores"])
def test_tens_of_results_with_long_names_do_not_overlap(rich, name):
    subject = rich[3, False]
    fitting = next(r for r in subject.results if not FIGURES[name].lacks(subject.of(r)))
    results = tuple(
        tuple(replace(row, result=f"{i:02d}" * 8, layer=i, model=LONG) for row in fitting)
        for i in range(20)
    )
    assert text_faults(FIGURES[name].draw(replace(subject, results=results), OPTIONS)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_many_long_names_do_not_overlap(rich, name):
    kinds = ((19, True), (43, False), (43, True))
    for figure in drawable([rich[kind] for kind in kinds], name):
        assert text_faults(figure) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_figure_has_the_same_bytes_every_time(rich, tmp_path, name):
    for position, subject in enumerate((rich[3, False], rich[3, True])):
        if FIGURES[name].lacks(subject):
            continue
        first, second = (
            save_figure(FIGURES[name].draw(subject, OPTIONS), tmp_path / f"{position}{turn}.svg")
            for turn in "ab"
        )
        assert first.read_bytes() == second.read_bytes()
        return


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_every_format_repeats(rich, tmp_path, suffix):
    spec = FIGURES["headlines"]
    paths = [tmp_path / f"{turn}{suffix}" for turn in "ab"]
    for path in paths:
        save_figure(spec.draw(rich[3, False], OPTIONS), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size > 1000


@pytest.mark.parametrize("name", EVERY)
def test_a_figure_says_what_it_shows(name):
    spec = FIGURES[name]
    assert spec.title
    assert spec.summary
    assert name == name.lower().replace("_", "-")
