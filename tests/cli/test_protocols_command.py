import json

from featbank.cli.main import run
from featbank.probes.protocols import PROTOCOLS


def test_every_protocol_is_listed(capsys):
    run(["protocols"])
    out = capsys.readouterr().out
    assert all(name in out for name in PROTOCOLS)


def test_one_protocol_is_told_in_full(capsys):
    run(["protocols", "dinov2-logreg", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert len(told["swept"]["C"]) == 45
    assert (told["chosen_on"], told["fitted_on"]) == ("10% of train", "train")


def test_an_unknown_protocol_suggests_the_nearest(capsys):
    assert run(["protocols", "dinov2-kn"]) == 1
    assert "Did you mean 'dinov2-knn'?" in capsys.readouterr().err


def test_a_family_lists_its_protocols(capsys):
    assert run(["protocols", "htcv-2024", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["protocols"]
    assert [row["probe"] for row in told] == ["forest", "linear", "mlp"]


def test_what_is_settled_stands_line_by_line(capsys):
    run(["protocols", "dinov2-knn"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("knn.py:220-222: of few shots") for line in lines)
    assert any(line.startswith("not met") for line in lines)


def test_what_cannot_be_met_is_told_with_its_reason(capsys):
    run(["protocols", "pangaea-knn", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert any("65,504" in line and "float16" in line for line in told["not_met"])
    assert any(line.startswith("vit_encoder.py:95-100") for line in told["settled_here"])
    assert told["first_of_several_labels"] == "micro f1 top-5"
