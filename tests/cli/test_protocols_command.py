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
