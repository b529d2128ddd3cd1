"""Every protocol of the catalog is a whole recipe for a probe that is there."""

import json
import re
import subprocess
import sys

import pytest

from featbank.probes import PROBES
from featbank.probes.fitting.sweep import candidates
from featbank.probes.protocols import PROTOCOLS

NAMED = (
    "dinov2-knn",
    "lightly-knn",
    "pangaea-knn",
    "torchgeo-bench-knn5",
    "dinov2-logreg",
    "torchgeo-bench-linear",
    "dinov2-linear-frozen",
    "htcv-2024-forest",
    "htcv-2024-linear",
    "htcv-2024-mlp",
)


@pytest.fixture(params=list(PROTOCOLS))
def protocol(request):
    return PROTOCOLS[request.param]


@pytest.mark.parametrize("name", [*NAMED, *(spec.protocol for spec in PROBES.values())])
def test_the_protocols_of_the_field_are_there(name):
    assert name in PROTOCOLS


def test_listing_the_catalog_imports_nothing_heavy():
    code = (
        "import sys; from featbank.probes.protocols import PROTOCOLS; list(PROTOCOLS);"
        "assert not {'sklearn', 'scipy', 'torch', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_protocol_states_its_source(protocol):
    assert protocol.source
    assert protocol.summary


def test_every_parameter_is_one_of_the_probe(protocol):
    known = {*PROBES[protocol.probe].defaults, "view"}
    members = [*protocol.grid, protocol.params, protocol.final_params]
    assert {name for member in members for name in member} <= known


def test_every_candidate_builds(protocol):
    probe = PROBES[protocol.probe]
    for params in candidates(protocol, probe.defaults, {}):
        probe.build({name: value for name, value in params.items() if name != "view"}, 0)


def test_parameters_can_be_written_as_json(protocol):
    assert json.dumps([dict(member) for member in protocol.grid] + [dict(protocol.params)])


def test_every_view_is_of_parts_that_are_read(protocol):
    assert all(0 <= i < len(protocol.parts) for view in protocol.views.values() for i in view)


def test_every_swept_view_is_there(protocol):
    swept = {member["view"] for member in protocol.grid if "view" in member}
    assert swept == set(protocol.views)


def test_it_is_chosen_on_validation_or_on_a_share_of_train(protocol):
    assert protocol.chosen_on == "val" or 0 < protocol.chosen_on < 1


def test_test_is_never_fitted_on(protocol):
    assert set(protocol.final_on) <= {"train", "val"}


def test_dinov2s_52_heads():
    assert len(PROTOCOLS["dinov2-linear-frozen"].grid) == 52


def test_dinov2s_heads_take_batches_of_1024_whatever_the_size_of_the_set():
    params = PROTOCOLS["dinov2-linear-frozen"].params
    assert (params["batch_size"], params["across_passes"]) == (1024, True)


def test_dinov2s_45_strengths_go_from_a_millionth_to_a_hundred_thousand():
    strengths = [member["C"] for member in PROTOCOLS["dinov2-logreg"].grid]
    assert (len(strengths), strengths[0], strengths[-1]) == (45, 1e-6, pytest.approx(1e5))


def test_torchgeo_benchs_40_strengths_go_from_a_millionth_to_ten_thousand():
    strengths = [member["C"] for member in PROTOCOLS["torchgeo-bench-linear"].grid]
    assert (len(strengths), strengths[0], strengths[-1]) == (40, 1e-6, pytest.approx(1e4))


@pytest.mark.parametrize("name", [name for name in NAMED if not name.startswith("htcv")])
def test_what_a_protocol_of_the_field_settles_names_the_file_of_its_source(name):
    spec = PROTOCOLS[name]
    told = [*spec.settled, *spec.unmet]
    assert spec.settled
    assert spec.unmet
    assert sum(bool(re.match(r"[\w./*-]+\.(py|yaml)[:,]", line)) for line in told) >= len(told) - 2


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_a_note_that_is_told_beside_numbers_has_no_semicolon_of_the_joint(name):
    # Notes are joined by "; ": a line may hold one, never begin or end with it.
    spec = PROTOCOLS[name]
    assert all(line == line.strip("; ") for line in (*spec.settled, *spec.unmet))


def test_the_procedure_names_every_split_that_the_scored_probe_is_fitted_on(protocol):
    words = {"train": "train", "val": "validation"}
    assert all(words[name] in protocol.procedure for name in protocol.final_on)
    assert protocol.procedure.startswith("nothing is chosen") == (len(protocol.grid) == 1)
