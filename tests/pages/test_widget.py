"""The interactive scatter: what Python gives the browser, and what it makes of its answers."""

import builtins
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_chips import write_chips
from fake_map import make_map
from made_results import make_result
from PIL import Image

import featbank
from featbank.bank.bank import Bank
from featbank.bank.maps import write_map
from featbank.bank.results import Predictions, write_predictions, write_results
from featbank.errors import MissingPathError, StoreError, UnknownNameError, UsageError

SCATTER = Path(featbank.__file__).parent / "pages" / "scatter" / "scatter.js"
pytestmark = pytest.mark.skipif(not SCATTER.exists(), reason="needs pages/scatter/scatter.js")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("w")
    imagery = write_chips(root / "chips", chips=10)
    return featbank.embed("imagestats", imagery, bank=root / "bank", workers=0), root / "bank"


@pytest.fixture
def store(made):
    return made[0]


@pytest.fixture
def imagery(made):
    return made[1].parent / "chips"


@pytest.fixture
def widget(store):
    """A scatter of every other sample, in reverse; what it sends is kept in ``sent``."""
    widget = featbank.scatter(make_map(store, rows=np.arange(len(store))[::-2]), store)
    widget.sent = []
    widget.send = lambda content, buffers=None: widget.sent.append((content, buffers))
    return widget


def lasso(widget, *places):
    packed = memoryview(np.array(places, dtype="<u4").tobytes())
    widget._receive(widget, {"type": "select"}, [packed])


def hover(widget, place):
    widget._receive(widget, {"type": "chip", "index": place}, [])
    return widget.sent[-1]


def test_the_browser_gets_the_coordinates_of_the_map(widget, store):
    pairs = np.frombuffer(widget._xy, "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(pairs, make_map(store, np.arange(len(store))[::-2]).xy)


def test_a_lasso_gives_the_ids_of_its_points_in_the_order_of_the_map(widget, store):
    lasso(widget, 5, 2)
    assert widget.selection == (store.ids[-1 - 4], store.ids[-1 - 10])


def test_a_selection_can_be_observed(widget, store):
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "selection")
    lasso(widget, 1)
    lasso(widget)
    assert seen == [(store.ids[-3],), ()]


def test_setting_the_selection_highlights_its_points(widget, store):
    widget.selection = [store.ids[-3], store.ids[-1], store.ids[-3]]
    assert np.frombuffer(widget._selected, "<u4").tolist() == [1, 0]
    assert widget.selection == (store.ids[-3], store.ids[-1])


def test_a_selection_of_an_array_is_taken(widget, store):
    widget.selection = store.ids[[-1, -3]]
    widget.selection = np.array([], dtype=object)
    assert widget.selection == ()


def test_an_id_that_the_map_lacks_is_refused(widget, store):
    with pytest.raises(UnknownNameError, match="the map has no such sample"):
        widget.selection = [store.ids[-2]]
    assert widget.selection == ()


def test_hovering_sends_the_chip_of_that_sample(widget, store, imagery):
    about, (png,) = hover(widget, 4)
    assert about["lines"] == [store.ids[-9], "class2"]
    shown = np.asarray(Image.open(io.BytesIO(png)), dtype=float).ravel()
    chips = {path: np.asarray(Image.open(path)).ravel() for path in imagery.glob("*/*.png")}
    # Stretched for the eye, it is still more like its own file than like any other.
    likeness = {path: np.corrcoef(shown, pixels)[0, 1] for path, pixels in chips.items()}
    best = max(likeness, key=likeness.get)
    assert best.with_suffix("").as_posix().endswith(store.ids[-9])


def test_chips_are_read_once(widget, monkeypatch):
    first = hover(widget, 0)
    monkeypatch.setattr(widget, "_pictures", "gone")
    assert hover(widget, 0) == first
    assert hover(widget, 1)[0]["trouble"] == "gone"


def test_without_the_images_the_reason_is_sent(store, tmp_path, monkeypatch):
    monkeypatch.setattr(Bank, "source", lambda *_: {})
    widget = featbank.scatter(make_map(store), store)
    widget.sent = []
    widget.send = lambda content, buffers=None: widget.sent.append((content, buffers))
    about, buffers = hover(widget, 0)
    assert buffers == []
    assert "does not remember where the images are" in about["trouble"]


def test_colours_follow_the_classes(widget, store):
    codes = np.frombuffer(widget._codes, np.uint8)
    assert [widget._legend[c]["name"] for c in codes] == [
        store.column("label_class")[-1 - 2 * k] for k in range(15)
    ]
    assert len({each["colour"] for each in widget._legend}) == 3


def test_another_column_colours_anew(widget, store):
    widget.colour = "split_random-0"
    codes = np.frombuffer(widget._codes, np.uint8)
    assert [widget._legend[c]["name"] for c in codes] == store.split("random-0")[::-2].tolist()


def test_a_column_that_is_not_there_changes_nothing(widget):
    with pytest.raises(UnknownNameError, match="coloured"):
        widget.colour = "country"
    assert widget.colour == "label_class"


def test_the_scatter_and_its_glue_are_one_module(widget):
    assert "export function createScatter" in widget._esm
    assert widget._esm.index("createScatter") < widget._esm.index("export default { render }")


def test_right_or_wrong_is_offered_for_a_result(made):
    store, bank = made
    said = Predictions(
        ids=store.ids[:3], split="test", truth=np.zeros(3, np.int32),
        scores=np.eye(3), classes=store.classes(),
    )  # fmt: skip
    write_predictions(Bank(bank), "7" * 16, said)
    write_results(Bank(bank), [make_result(result="7" * 16)])
    widget = featbank.scatter(make_map(store), store, result="77", bank=bank,
                              colour="right or wrong")  # fmt: skip
    assert [each["count"] for each in widget._legend] == [1, 2, len(store) - 3]


def test_a_result_that_is_not_there_is_named(made):
    with pytest.raises(MissingPathError, match="^abc: .*read_results"):
        featbank.scatter(make_map(made[0]), made[0], result="abc", bank=made[1])


def test_without_a_map_the_newest_of_the_newest_store_is_taken(made):
    store, bank = made
    with pytest.raises(MissingPathError, match="Make one with featbank.map_store"):
        featbank.scatter(bank=bank)
    path = write_map(Bank(bank), make_map(store))
    assert len(featbank.scatter(bank=bank)._codes) == len(store)
    path.unlink()


def test_a_map_of_another_store_is_refused(store):
    found = make_map(store, recipe={"store": "b" * 64})
    with pytest.raises(StoreError, match="the map was made of store bbbbbbbb; expected"):
        featbank.scatter(found, store)


def test_without_anywidget_one_line_names_the_extra(store, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "anywidget":
            raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "featbank.pages.scatter_widget", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'featbank\[notebook\]'") as caught:
        featbank.scatter(make_map(store), store)
    assert "\n" not in str(caught.value)
