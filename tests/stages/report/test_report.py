"""What a report speaks of: which results, which store, which commands make them again."""

import shlex

import numpy as np
import pytest
from fake_results import keep, one_class
from labelled_store import make_labelled_store
from report_bank import make_label_bank, make_map
from small_store import make_small_store

from featbank.bank.bank import Bank
from featbank.bank.maps import write_map
from featbank.bank.results import read_result
from featbank.cli.main import run
from featbank.errors import FeatbankError, MissingPathError, UnknownNameError, UsageError
from featbank.stages.report.run import ReportOptions, gather_report
from featbank.store.reader import Store


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_label_bank(tmp_path_factory.mktemp("labels"))


def gather(bank, make=make_map, **options):
    return gather_report(ReportOptions(bank=bank, **options), make_map=make)


def bare_bank(root, **changes):
    path = root / "stores" / "made" / "none-00000000.zarr"
    path.parent.mkdir(parents=True)
    make_labelled_store(path, **changes)
    Bank(root).remember_newest(path)
    return root


def test_the_newest_store_names_the_dataset(bank):
    found = gather(bank)
    assert (found.facts.name, found.out) == ("made", bank / "reports" / "made.html")


def test_results_stand_from_the_best_to_the_worst(bank):
    values = [rows[0].value for rows in gather(bank).results]
    assert len(values) == 2
    assert values == sorted(values, reverse=True)


def test_named_results_keep_their_order_and_stand_alone(bank):
    worst = gather(bank).results[-1][0].result
    assert [rows[0].result for rows in gather(bank, results=(worst[:6],)).results] == [worst]


def test_the_headline_stands_first_in_each(bank):
    assert all(rows[0].selected for rows in gather(bank).results)


def test_another_label_set_leaves_the_results_out(bank):
    found = gather(bank, labels="dominant")
    assert (found.results, found.subject.label_set) == ((), "dominant")


def test_a_result_tells_the_command_that_made_it(bank):
    for made in gather(bank).runs:
        assert f"--protocol {made.head.protocol}" in made.repeat.command


def test_a_command_is_only_called_the_same_where_it_is(bank):
    """The logistic probe was made with other --resamples, which results do not keep."""
    same = {made.head.probe: made.repeat.is_same for made in gather(bank).runs}
    assert same == {"knn": True, "logistic": False}


def test_the_command_makes_the_same_result_again(bank, monkeypatch, capsys):
    run_of = next(made for made in gather(bank).runs if made.repeat.is_same)
    monkeypatch.chdir(bank.parent)
    path = Bank(bank).result_path(run_of.head.result)
    before = read_result(path)
    path.unlink()
    words = shlex.split(run_of.repeat.command)[1:]
    assert run([*words, "--json"]) == 0
    capsys.readouterr()
    assert [row.value for row in read_result(path)] == [row.value for row in before]


def test_a_fixed_parameter_is_in_the_command(tmp_path):
    from featbank.stages.probe.run import ProbeOptions, probe_store

    root = bare_bank(tmp_path)
    options = ProbeOptions(clf="knn", bank=root, params={"k": 3, "temperature": 0.5}, by=("group",))
    probe_store(options)
    repeat = gather(root).runs[0].repeat
    assert repeat.is_same
    assert "--param k=3 --param temperature=0.5" in repeat.command
    assert "--by group" in repeat.command


def test_a_map_of_the_bank_is_taken(bank):
    store = Store(Bank(bank).newest())
    made = make_map(store, "pca")
    path = write_map(Bank(bank), made)
    found = gather(bank, make=None)
    path.unlink()
    assert (found.map.id, found.no_map) == (made.id, "")


def test_a_map_is_made_where_there_is_none(bank):
    asked = []
    gather(bank, make=lambda store, projection: asked.append(projection) or make_map(store))
    gather(bank, make=lambda store, projection: asked.append(projection) or make_map(store),
           map="pca")  # fmt: skip
    assert asked == ["umap", "pca"]


def test_a_map_that_cannot_be_made_is_told(bank):
    def fail(store, projection):
        raise UsageError("map", "it has one sample", "two", "Embed more.")

    found = gather(bank, make=fail)
    assert found.map is None
    assert "it has one sample" in found.no_map


def test_a_bank_that_cannot_be_written_shows_no_map_and_says_why(bank):
    def fail(store, projection):
        raise PermissionError(13, "Permission denied", "bank/maps")

    found = gather(bank, make=fail)
    assert found.no_map == "bank/maps: no map can be kept there (Permission denied)"


def test_an_unknown_map_is_one_line(bank):
    with pytest.raises(UnknownNameError, match="zz: no map of"):
        gather(bank, map="zz")


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"results": ("zz",)}, UnknownNameError, "zz: no result in"),
        ({"dataset": "moon"}, MissingPathError, "neither a finished store nor a result"),
        ({"labels": "moon"}, UnknownNameError, "no such label set"),
        ({"split_scheme": "moon"}, UnknownNameError, "no such split scheme"),
        ({"by": "moon"}, UnknownNameError, "no such column"),
        ({"format": "docx"}, UsageError, "one of html, md, latex"),
    ],
)
def test_bad_input_is_one_line(bank, options, error, told):
    with pytest.raises(error, match=told) as caught:
        gather(bank, **options)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_page(bank, tmp_path):
    with pytest.raises(UsageError, match="it is a folder"):
        gather(bank, out=tmp_path)


def test_a_file_in_a_file_is_refused_before_any_map_is_made(bank, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        gather(bank, make=lambda *_: pytest.fail("made"), out=tmp_path / "file" / "page.html")


def test_an_empty_bank_is_one_line(tmp_path):
    with pytest.raises(FeatbankError, match="no newest store"):
        gather(tmp_path)


def test_results_outlive_their_store(tmp_path):
    keep(tmp_path, "aa11", *one_class(0.5))
    found = gather(tmp_path, dataset="made")
    assert (found.subject, len(found.results), found.no_map) == (
        None,
        1,
        "the store is no longer there",
    )


def test_results_of_two_datasets_are_refused(tmp_path):
    keep(tmp_path, "aa11", *one_class(0.5))
    keep(tmp_path, "bb22", *one_class(0.5), dataset="other")
    with pytest.raises(UsageError, match="2 datasets: made, other"):
        gather(tmp_path, results=("aa", "bb"))


def test_names_are_as_short_as_tells_them_apart(tmp_path):
    for result, changes in (("aa11", {}), ("bb22", {"label_set": "other"}), ("cc33", {"seed": 1})):
        keep(tmp_path, result, *one_class(0.5), **changes)
    assert set(gather(tmp_path, dataset="made").names) == {
        "none · featbank-knn · cls · labels cover · seed 0",
        "none · featbank-knn · cls · labels other",
        "none · featbank-knn · cls · labels cover · seed 1",
    }


def test_refused_and_split_samples_are_counted(tmp_path):
    path = tmp_path / "stores" / "made" / "tiny-00000000.zarr"
    path.parent.mkdir(parents=True)
    make_small_store(path, [f"c{i}" for i in range(12)], np.eye(12), refused=(3,))
    found = gather(tmp_path, dataset="made").facts
    assert (found.n, found.refused, found.splits) == (12, 1, {"train": 6, "val": 3, "test": 3})


def test_caveats_of_a_known_dataset_are_told(tmp_path):
    keep(tmp_path, "aa11", *one_class(0.5), dataset="bigearthnet-s1")
    caveats = gather(tmp_path, dataset="bigearthnet-s1").facts.caveats
    assert any("11.95 km" in caveat for caveat in caveats)
