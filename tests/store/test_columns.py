"""Columns that tell samples apart: the dataset's own, and those told from time and place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_store import N, make_labelled_store

from featbank.errors import DatasetError, UnknownNameError
from featbank.samples import NO_TIME, LabelSet, Samples
from featbank.store.columns import TIME_COLUMNS, as_text
from featbank.store.reader import Store

SUMMER = int(np.datetime64("2018-07-14T02:00:00", "s").astype(np.int64))
WINTER = int(np.datetime64("2017-12-01T00:00:00", "s").astype(np.int64))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    times, lonlat = np.full(N, SUMMER), np.full((N, 2), 45.0)
    times[:3] = WINTER, WINTER, NO_TIME
    lonlat[1, 1], lonlat[4, 1], lonlat[5, 1] = -45.0, -0.5, np.nan
    return Store(
        make_labelled_store(
            tmp_path_factory.mktemp("c") / "s.zarr",
            time=times,
            lonlat=lonlat,
            meta={
                "country": np.array(["Serbia", *["Ireland"] * (N - 1)], dtype=object),
                "cloud": np.array([0.25, np.nan, *[0.0] * (N - 2)]),
                "orbit": np.arange(N, dtype=np.int16),
            },
            pair_id=np.array([f"p{row}" for row in range(N)], dtype=object),
        )
    )


@pytest.mark.parametrize("name", ["country", "meta_country"])
def test_a_column_of_the_dataset_goes_by_its_short_and_its_full_name(store, name):
    assert store.column(name)[:2].tolist() == ["Serbia", "Ireland"]


def test_seasons_follow_the_hemisphere(store):
    found = store.column("season")[[0, 1, 3, 4]].tolist()
    assert found == ["winter", "summer", "summer", "winter"]


def test_a_season_without_latitude_is_told_by_its_months(store):
    assert store.column("season")[5] == "JJA"


@pytest.mark.parametrize("name", ["season", "month", "year"])
def test_an_unknown_time_gives_nothing(store, name):
    assert store.column(name)[2] == ""


def test_months_and_years_are_told_from_times(store):
    assert (store.column("month")[3], store.column("month")[0]) == ("07", "12")
    assert (store.column("year")[3], store.column("year")[0]) == ("2018", "2017")


@given(st.integers(-(10**9), 4 * 10**9))
def test_months_are_those_of_the_calendar(seconds):
    text = str(np.datetime64(seconds, "s"))
    times = np.array([seconds])
    assert TIME_COLUMNS["month"](times, None)[0] == text[5:7]
    assert TIME_COLUMNS["year"](times, None)[0] == text[:4]


@pytest.mark.parametrize(
    ("month", "north"),
    [(2, "winter"), (3, "spring"), (5, "spring"), (6, "summer"), (9, "autumn"), (12, "winter")],
)
def test_seasons_begin_with_whole_months(month, north):
    times = np.array([np.datetime64(f"2021-{month:02d}-01", "s").astype(np.int64)])
    assert TIME_COLUMNS["season"](times, np.array([10.0]))[0] == north


def test_classes_are_told_by_name(store):
    labels, classes = store.labels("dominant"), store.classes("dominant")
    expected = [classes[code] if code >= 0 else "" for code in labels]
    assert store.column("label_dominant").tolist() == expected


def test_splits_groups_and_pairs_are_columns(store):
    assert store.column("split_official").tolist() == store.split("official").tolist()
    assert store.column("group").tolist() == store.group.tolist()
    assert store.column("pair_id")[7] == "p7"


def test_numbers_become_text_and_what_is_none_becomes_empty(store):
    assert store.column("cloud")[:3].tolist() == ["0.25", "", "0"]
    assert as_text(np.array([3, -1])).tolist() == ["3", "-1"]


def test_a_label_set_of_several_labels_is_no_column(store):
    assert "label_cover" not in store.column_names
    with pytest.raises(UnknownNameError, match="has no such column"):
        store.column("label_cover")


def test_every_name_listed_gives_a_value_a_sample(store):
    assert {len(store.column(name)) for name in store.column_names} == {N}


def test_a_near_name_is_suggested_and_all_are_listed(store):
    with pytest.raises(UnknownNameError, match="one of group, .*country.*Did you mean 'country'"):
        store.column("countries")


def test_a_column_of_the_dataset_wins_over_one_told_from_time(tmp_path):
    seasons = np.array(["wet"] * N, dtype=object)
    path = make_labelled_store(
        tmp_path / "s.zarr", time=np.full(N, SUMMER), meta={"season": seasons}
    )
    assert set(Store(path).column("season")) == {"wet"}
    assert Store(path).column_names.count("season") == 1


def test_a_store_without_times_has_no_season(tmp_path):
    labels = {"kind": LabelSet(classes=("a",), codes=np.zeros(N, np.int32))}
    store = Store(make_labelled_store(tmp_path / "s.zarr", {"label_sets": ["kind"]}, labels=labels))
    assert store.column_names == ("group", "split_official", "split_bare", "label_kind")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_different_numbers_are_different_texts(dtype):
    values = np.unique(
        np.array([3000000, 3000001, 0.1234567, 0.1234568, 1e-12, 1e30, 7, -0.5], dtype)
    )
    texts = as_text(values).tolist()
    assert len(set(texts)) == len(values)
    assert [dtype(text) for text in texts] == values.tolist()


def test_whole_numbers_of_a_float_column_have_no_point():
    assert as_text(np.array([3000000.0, np.nan])).tolist() == ["3000000", ""]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    meta = {
        "group": np.arange(N),
        "mixed": np.array([None, np.nan, "nan", *[1] * (N - 3)], dtype=object),
        "seen": np.array(["2020-02-29", "NaT", *["2021-01-01"] * (N - 2)], dtype="datetime64[D]"),
    }
    group = np.array(["plot"] * N, dtype=object)
    path = tmp_path_factory.mktemp("odd") / "s.zarr"
    return Store(make_labelled_store(path, meta=meta, group=group))


def test_a_column_that_shares_its_short_name_goes_by_its_full_one(odd):
    assert (odd.column("meta_group")[2], odd.column("group")[2]) == ("2", "plot")
    assert {"meta_group", "group"} <= set(odd.column_names)


def test_what_is_no_value_in_a_column_of_texts_is_unknown(odd):
    assert odd.column("mixed")[:4].tolist() == ["", "", "nan", "1"]


def test_dates_become_texts(odd):
    assert odd.column("seen")[:3].tolist() == ["2020-02-29", "", "2021-01-01"]


def test_a_column_of_another_kind_is_refused():
    with pytest.raises(DatasetError, match="column 'z': is of complex128"):
        Samples(ids=np.array(["a"]), origins=np.array([""]), meta={"z": np.array([1j])})
