"""What surrounds commands: output that prints anywhere, limits and warnings told in a line."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from whole_bank import make_whole_bank

from featbank.cli import entry
from featbank.cli.main import run
from featbank.errors import FeatbankWarning

LONG = "x" * 5000
DEVICES = ["embed --model rcf --dataset synthetic-s2", "predict --probe a chips", "attend",
           "pretrain --method mae --model vit-tiny --dataset synthetic-s2",
           "finetune --model vit-tiny --dataset synthetic-s2", "probe --clf knn"]  # fmt: skip


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return make_whole_bank(tmp_path_factory.mktemp("entry"))


def featbank(*args, **options):
    """The command in a process of its own; give its exit code and what it said."""
    command = [sys.executable, "-m", "featbank", *map(str, args)]
    env = {**os.environ, **options.pop("env", {})}
    done = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def test_a_full_output_is_one_line():
    with Path("/dev/full").open("w") as full:
        code, _, said = featbank("protocols", stdout=full)
    assert code == 1
    assert said.startswith("standard output: cannot be written (No space left on device)")
    assert said.count("\n") == 1


def test_a_reader_that_has_gone_is_no_error():
    readable, writable = os.pipe()
    os.close(readable)
    code, _, said = featbank("protocols", "--json", stdout=writable)
    os.close(writable)
    assert (code, said) == (1, "")


def test_a_terminal_of_plain_ascii_prints_everything():
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    code, _, said = featbank("show", "Köln 東京.zarr", stdout=subprocess.PIPE, env=env)
    assert code == 1
    assert said.isascii()
    assert "zarr: there is no store here" in said
    code, out, said = featbank("protocols", stdout=subprocess.PIPE, env=env)
    assert (code, said) == (0, "")
    assert out.isascii()


@pytest.mark.parametrize("command", DEVICES)
def test_a_device_that_is_not_there_is_one_line(command, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.version.cuda", "12.8")
    assert run([*command.split(), "--device", "cuda", "--bank", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("device cuda: this machine has no CUDA device that torch can use")
    assert said.count("\n") == 1


@pytest.mark.parametrize("device", ["cuda:7", "mps", "xpu", "", "gpu", "\x1b[31m"])
@pytest.mark.parametrize("command", DEVICES)
def test_no_other_device_is_taken(command, device, capsys):
    assert run([*command.split(), "--device", device]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "\x1b" not in said


def test_the_front_door_takes_no_other_device():
    import featbank
    from featbank.errors import UsageError

    for device in ("cuda:7", "mps", "nonsense"):
        with pytest.raises(UsageError, match=f"device {device}: is no device that featbank knows"):
            featbank.embed("rcf", "synthetic-s2", chips=4, device=device)
        with pytest.raises(UsageError, match=f"device {device}: is no device that featbank knows"):
            featbank.probe("knn", device=device)


PATHS = [
    "show {}", "stores --bank {}", "stores --remove {}", "checkpoints --bank {}",
    "embed --model rcf --dataset {}", "embed --model {} --dataset synthetic-s2",
    "embed --model vit-tiny --weights {} --dataset synthetic-s2",
    "embed --model rcf --dataset eurosat --data-root {}", "probe --clf knn --store {}",
    "probe --clf knn --bank {}", "map --store {}", "diff {0} {0}x", "export {} --to timm --out o",
    "predict --probe {} chips", "predict --probe a {}", "report --store {}", "report --out {}",
    "figure headlines --store {}", "compare {0} {0}x", "attend --store {}", "datasets {}",
    "models {}", "methods {}", "finetune --model {} --dataset synthetic-s2", "protocols {}",
    "pretrain --method mae --model {} --dataset synthetic-s2",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["long", "nul", "in a file", "loop"])
@pytest.mark.parametrize("command", PATHS)
def test_a_path_that_no_system_takes_is_one_line(
    command, kind, capsys, tmp_path, monkeypatch, bank
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEATBANK_BANK", str(bank))
    (tmp_path / "file").write_text("text")
    (tmp_path / "loop").symlink_to("loop")
    bad = {"long": LONG, "nul": "a\0b", "in a file": "file/inside.html", "loop": "loop/page.html"}
    code = run([word.format(bad[kind]) for word in command.split()])
    said = capsys.readouterr().err
    assert code in (1, 2)
    assert "Traceback" not in said
    assert said.count("expected") == 1 or said.count("Error: ") == 1, said
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]


def test_too_few_open_files_are_told_with_what_to_raise(capsys, bank):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
    held = []
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        code = run(["stores", "--bank", str(bank)])
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("open files: this process may hold 400 at once")
    assert "ulimit -n 4096" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("most", [5, 8, 16])
def test_a_process_that_may_open_next_to_nothing_says_so(most, bank):
    command = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({most}, {most}))\n"
    command += "from featbank.cli.main import main; main(['stores', '--bank', BANK])"
    code = command.replace("BANK", repr(str(bank)))
    preloaded = "import featbank.cli.main, featbank.cli.stores_command\n"
    done = subprocess.run([sys.executable, "-c", preloaded + code], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)
    assert done.returncode == 0 or done.stderr.startswith("open files: this process may hold")


def test_what_was_left_out_is_told_in_one_line(capsys):
    with entry.surroundings():
        warnings.warn("left out: a.parquet\x1b[31m", FeatbankWarning, stacklevel=1)
    assert capsys.readouterr().err == "left out: a.parquet\\x1b[31m\n"


def test_debug_shows_the_trace_of_a_failure(tmp_path):
    code, _, said = featbank("stores", "--bank", LONG, "--debug", stdout=subprocess.PIPE)
    assert code == 1
    assert "Traceback" in said
    assert "File name too long" in said


def test_a_bug_keeps_its_trace(monkeypatch):
    monkeypatch.setattr("featbank.lookup.protocol_listing.protocol_rows", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(["protocols"])


def test_an_interrupt_is_said_as_before(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("featbank.lookup.protocol_listing.protocol_rows", interrupted)
    assert run(["protocols"]) == 1
    assert "Interrupted. Repeat the command to go on." in capsys.readouterr().err


def half_imported(*_):
    """What an interrupt makes of a library that catches it while it is imported."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    raise AttributeError("module 'numpy._core' has no attribute '_multiarray_umath'")


def test_whatever_an_interrupt_leads_to_is_that_interrupt(monkeypatch, capsys):
    monkeypatch.setattr("featbank.lookup.protocol_listing.protocol_rows", half_imported)
    assert run(["protocols"]) == 1
    assert capsys.readouterr().err.endswith("Interrupted. Repeat the command to go on.\n")


def test_the_interrupts_handler_is_given_back():
    run(["protocols"])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("start", [["-m", "featbank"], ["-P", "-m", "featbank"]])
def test_a_current_folder_that_is_gone_is_one_line(start, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    words = " ".join([sys.executable, *start, "stores"])
    done = subprocess.run(
        ["sh", "-c", f"rmdir {gone}; exec {words}"], cwd=gone, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (
        1,
        "the current folder: is gone; expected a folder that is there. Change to another folder.\n",
    )


# What a thread does that torch never joins: it lets go of something while Python shuts down.
LATE = """
import atexit, os, sys
from featbank.cli.entry import leave
class Late:
    def __del__(self, abort=os.abort):
        abort()
sys.late = Late()
atexit.register(print, "tidied up")
print("written", end=" ")
leave(3)
"""


@pytest.mark.parametrize(
    ("processes", "code"), [("2", 3), ("1", -signal.SIGABRT), ("", -signal.SIGABRT)]
)
def test_processes_of_a_run_leave_before_python_clears_up(processes, code):
    env = {**os.environ, "WORLD_SIZE": processes}
    done = subprocess.run([sys.executable, "-c", LATE], env=env, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout == "written tidied up\n"


@pytest.mark.parametrize("processes", ["", "many"])
def test_a_number_of_processes_that_is_none_stops_no_command(processes):
    env = {"WORLD_SIZE": processes}
    code, out, said = featbank("--version", stdout=subprocess.PIPE, env=env)
    assert (code, said) == (0, "")
    assert "version" in out
