"""No command takes a number that it cannot use: one line says so, before anything is written."""

import click
import pytest
from fake_chips import write_chips

from featbank.cli.main import group, run

NETWORK = ("--model", "vit-tiny", "--normalise", "half", "--image-size", "16", "--workers", "0")
COMMANDS = {
    "attend": (),
    "compare": (),
    "datasets": ("--check", "synthetic-s2"),
    "diff": ("a.zarr", "b.zarr"),
    "embed": (*NETWORK, "--weights", "random", "--dataset", "{imagery}"),
    "figure": ("samples",),
    "finetune": (*NETWORK, "--weights", "random", "--dataset", "{imagery}", "--epochs", "1"),
    "map": (),
    "predict": ("{imagery}", "--probe", "{probe}", "--out", "{imagery}/p.parquet"),
    "pretrain": ("--method", "mae", "--model", "vit-tiny", "--dataset", "{imagery}"),
    "probe": ("--clf", "mlp"),
    "report": ("--out", "{imagery}/report.html"),
}
# Blocks of a network are counted from its last one too.
MAY_BE_NEGATIVE = {("attend", "--layer")}
NUMBERS = ("integer", "integer range", "float", "float range")


def number_options():
    for name in group.list_commands(None):
        for option in group.get_command(None, name).params:
            is_number = isinstance(option, click.Option) and option.type.name in NUMBERS
            if is_number and (name, option.opts[0]) not in MAY_BE_NEGATIVE:
                yield pytest.param(name, option, id=f"{name} {option.opts[0]}")


@pytest.fixture(scope="module")
def imagery(tmp_path_factory):
    return write_chips(tmp_path_factory.mktemp("d") / "chips", chips=20)


@pytest.fixture(scope="module")
def bank(imagery, tmp_path_factory):
    bank = tmp_path_factory.mktemp("bank")
    embed = ("embed", *NETWORK, "--weights", "random", "--dataset", str(imagery))
    for words in (embed, ("probe", "--clf", "knn", "--save")):
        assert run([*words, "--bank", str(bank)]) == 0
    return bank


@pytest.fixture(scope="module")
def saved_probe(bank):
    return next(path.name for path in bank.glob("probes/*"))


@pytest.fixture
def refused(imagery, bank, saved_probe, capsys):
    def told(name, option, value):
        places = {"imagery": imagery, "probe": saved_probe}
        words = [word.format(**places) for word in COMMANDS[name]]
        takes_a_bank = any(p.name == "bank" for p in group.get_command(None, name).params)
        words += ["--bank", str(bank)] if takes_a_bank else []
        before = sorted(bank.rglob("*"))
        assert run([name, *words, option.opts[0], value]) in (1, 2)
        assert sorted(bank.rglob("*")) == before
        lines = capsys.readouterr().err.strip().splitlines()
        # Where the command line itself refuses, its usage stands above.
        assert len(lines) == 1 or lines[0].startswith("Usage:")
        return lines[-1]

    return told


@pytest.mark.parametrize(("name", "option"), list(number_options()))
def test_a_number_below_any_use_is_refused_by_name(refused, name, option):
    assert option.opts[0].strip("-") in refused(name, option, "-1")


@pytest.mark.parametrize(
    ("name", "option"), [p for p in number_options() if "float" in p.values[1].type.name]
)
def test_no_number_at_all_is_refused_by_name(refused, name, option):
    assert option.opts[0] in refused(name, option, "nan")
