"""Made weights files: each gives the bare network's features, or one line says why."""

import collections
import resource
import sys
import zipfile

import pytest
import torch
from made_weights import (
    REFUSED,
    RIGHT,
    features,
    flat_pair,
    head,
    load,
    network,
    other,
    pair,
    prefixed,
    saved,
    tensors,
)

from featbank.backbones.building.safe_loading import load_values
from featbank.errors import FeatbankError, UsageError, WeightsError

# What torch says to people whose file it refuses; it tells them how to load it unsafely.
TORCHS_WORDS = ("weights_only", "safe_globals", "allowlist", "unsafe", "trust")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Features of the network that every right file holds."""
    return features(load(tensors(network)(tmp_path_factory.mktemp("bare"))))


@pytest.mark.parametrize("name", RIGHT)
def test_it_gives_the_bare_networks_features(name, bare, tmp_path):
    make, answers = RIGHT[name]
    found = features(load(make(tmp_path), answers=answers))
    # bfloat16 keeps 8 bits, half precision 11.
    loose = {"bfloat16": 5e-2, "half precision": 5e-3}.get(name, 0)
    torch.testing.assert_close(found, bare, rtol=loose, atol=loose)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line_of_our_own(name, tmp_path):
    make, answers, says = REFUSED[name]
    path = make(tmp_path)
    with pytest.raises(FeatbankError, match=says) as caught:
        load(path, answers=answers)
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line
    assert not any(word in line for word in TORCHS_WORDS)


def test_no_code_of_a_pickle_has_run(tmp_path):
    path = saved(lambda: {"model": Marking()})(tmp_path)
    with pytest.raises(WeightsError):
        load(path)
    assert not hasattr(sys, "marked_by_a_pickle")


class Spreading:
    def __init__(self, *made):
        self.made = made

    def __reduce__(self):
        return self.made[0], self.made[1:]


@pytest.mark.parametrize("kind", [collections.Counter, collections.deque, list, tuple, set])
def test_a_few_bytes_of_a_pickle_do_not_become_gigabytes(tmp_path, kind):
    path = saved(lambda: {"model": network(), "x": Spreading(kind, range(10**11))})(tmp_path)
    assert len(load_values(path)["x"]) <= 3


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_pickle_that_asks_for_room_alone_is_refused(tmp_path, is_zip):
    path = tmp_path / "model.pth"
    content = {"model": network(), "x": Spreading(bytearray, 1 << 28)}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=r"it asks for builtins.bytearray"):
        load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 17  # 128 MiB


def test_a_file_that_ends_as_a_zip_file_does_is_told_by_its_beginning(tmp_path):
    path = tmp_path / "model.pth"
    torch.save({"model": network()}, path, _use_new_zipfile_serialization=False)
    with path.open("ab") as file:
        file.write(b"PK\x05\x06" + bytes(18))
    assert zipfile.is_zipfile(path)
    assert set(load_values(path)["model"]) == set(network())


class Marking:
    def __reduce__(self):
        return (exec, ("import sys; sys.marked_by_a_pickle = True",))


def test_torchs_own_list_is_as_it_was_before(tmp_path):
    # torch keeps a set, and gives it in any order.
    before = set(torch.serialization.get_safe_globals())
    load(saved(network)(tmp_path))
    assert set(torch.serialization.get_safe_globals()) == before


def test_what_somebody_else_allowed_stays_allowed(tmp_path):
    import argparse

    with torch.serialization.safe_globals([argparse.Namespace]):
        load(saved(network)(tmp_path))
        assert argparse.Namespace in torch.serialization.get_safe_globals()


def test_the_averaged_choice_is_told_with_the_others(tmp_path):
    weights = load(saved(pair("teacher", "student"))(tmp_path))
    assert weights.config["part"] == "teacher"
    assert "averaged weights 'teacher' are taken; the file also holds student" in weights.notes[0]


def test_what_stands_beside_the_network_is_told(tmp_path):
    path = saved(lambda: {"teacher": prefixed("backbone.", network()) | prefixed("dino_", head())})
    assert "the file's dino_head is ignored" in load(path(tmp_path)).notes


def test_heads_are_assumed_aloud(tmp_path):
    notes = " ".join(load(tensors(network)(tmp_path)).notes)
    assert "2 attention heads are assumed (width / 16)" in notes


def test_heads_that_are_told_are_recorded_and_not_assumed(tmp_path):
    weights = load(tensors(network)(tmp_path), answers={"heads": 4})
    assert weights.config["heads"] == 4
    assert "assumed" not in " ".join(weights.notes)


def test_other_heads_are_another_network(bare, tmp_path):
    four = features(load(tensors(network)(tmp_path), answers={"heads": 4}))
    assert (four - bare).abs().max() > 1e-3


def test_a_lone_network_is_the_whole(tmp_path):
    assert load(tensors(network)(tmp_path)).config["part"] == "whole"


@pytest.mark.parametrize("answer", ["state_dict.s2", "s2"])
def test_a_part_is_recorded_by_its_whole_name(answer, tmp_path):
    path = saved(flat_pair("s2.", "s1."))(tmp_path)
    assert load(path, answers={"part": answer}).config["part"] == "state_dict.s2"


@pytest.mark.parametrize(
    "answers",
    [
        *({"hedas": 4}, {"heads": "four"}, {"heads": 0}, {"heads": -4}, {"heads": 2.0}),
        *({"heads": True}, {"heads": "1.5"}, {"heads": None}, {"part": 3}, {"part": ""}),
        {"reshape": "new"},
    ],
)
def test_an_answer_that_is_none_is_refused(answers, tmp_path):
    with pytest.raises(UsageError, match=f"--answer {next(iter(answers))}="):
        load(tensors(network)(tmp_path), answers=answers)


def test_an_unknown_answer_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="expected one of part, heads. Did you mean 'heads'"):
        load(tensors(network)(tmp_path), answers={"hedas": 4})


def test_random_weights_leave_nothing_open():
    with pytest.raises(UsageError, match="leaves no such choice"):
        load("random", answers={"heads": 2})


def test_a_damaged_member_of_a_torch_file_is_refused(tmp_path):
    path = saved(network)(tmp_path)
    with zipfile.ZipFile(path) as archive:
        pickled = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        content = archive.read(pickled)
    path.write_bytes(path.read_bytes().replace(content, b"\xff" * len(content)))
    with pytest.raises(WeightsError):
        load(path)


def test_an_unfitting_average_says_what_else_there_is(tmp_path):
    path = saved(lambda: {"ema": other(), "model": network(dim=64, heads=2)})(tmp_path)
    with pytest.raises(WeightsError, match="holds 2 networks: ema, model"):
        load(path)
