import subprocess
import sys

import pytest

from featbank.cli.main import group, run

COMMANDS = group.list_commands(None)
HEAVY = ("torch", "pandas", "sklearn", "zarr", "xarray", "numpy")


def modules_after(args):
    code = (
        "import sys\nfrom featbank.cli.main import run\n"
        f"run({args!r})\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return out.stdout.splitlines()[-1]


@pytest.mark.parametrize("args", [["--help"], *[[name, "--help"] for name in COMMANDS]])
def test_help_loads_nothing_heavy(args):
    assert modules_after(args) == "HEAVY []"


def test_all_commands_of_the_design_so_far_are_there():
    assert {"embed", "probe", "models", "datasets", "stores", "show"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_starts_with_what_it_does_and_an_example(name, capsys):
    run([name, "--help"])
    assert f"  featbank {name}" in capsys.readouterr().out


def test_the_version_is_told(capsys):
    assert (run(["--version"]), "featbank" in capsys.readouterr().out) == (0, True)


def test_an_unknown_command_is_suggested(capsys):
    assert run(["embd"]) == 2
    assert "Did you mean 'embed'?" in capsys.readouterr().err


def test_an_unknown_option_is_suggested(capsys):
    assert run(["embed", "--mdel", "rcf"]) == 2
    assert "--model" in capsys.readouterr().err


def test_an_unknown_probe_is_suggested(capsys, tmp_path):
    assert run(["probe", "--clf", "logistc", "--bank", str(tmp_path)]) == 1
    assert "Did you mean 'logistic'?" in capsys.readouterr().err


def test_debug_shows_the_trace(tmp_path):
    with pytest.raises(KeyError):
        run(["probe", "--clf", "nonesuch", "--bank", str(tmp_path), "--debug"])


def test_the_module_runs_as_the_command():
    out = subprocess.run(
        [sys.executable, "-m", "featbank", "nonesuch"], capture_output=True, text=True, check=False
    )
    assert (out.returncode, "Traceback" in out.stderr) == (2, False)
