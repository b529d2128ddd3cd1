"""Every bad input is one clear line: culprit, expected, way out; exit 1 or 2; nothing lost."""

import re
import shutil

import pytest
from fake_chips import write_chips

from featbank.cli.main import run

LINE = re.compile(r"^.+: .+; expected .+\. .+[.?]$")


@pytest.fixture
def bank(tmp_path):
    return tmp_path / "bank"


@pytest.fixture
def fail(bank, capsys):
    """Run a command that must fail, and give the one line it prints."""

    def run_and_read(*args, code):
        found = run([*map(str, args), "--bank", str(bank)])
        error = capsys.readouterr().err.strip()
        assert found == code, error
        assert "Traceback" not in error
        line = error.splitlines()[-1]
        assert LINE.match(line), error
        return line

    return run_and_read


def embed_args(dataset, *more, model="imagestats"):
    return ["embed", "--model", model, "--dataset", dataset, "--workers", "0", *more]


def test_unknown_model(fail, chips):
    assert "Did you mean 'imagestats'?" in fail(*embed_args(chips, model="imagestat"), code=1)


def test_unknown_dataset(fail):
    assert "Did you mean 'synthetic-s1'?" in fail(*embed_args("synthetic-s1x"), code=1)


def test_an_unknown_dataset_is_told_before_weights_are_asked_for(fail):
    args = embed_args("bigearthnt-s1", model="dofa")
    assert "Did you mean 'bigearthnet-s1'?" in fail(*args, code=1)


def test_missing_folder(fail):
    assert "no such folder" in fail(*embed_args("path/to/nowhere"), code=1)


def test_vit_without_normalise(fail, chips):
    line = fail(*embed_args(chips, "--weights", "random", model="vit-tiny"), code=2)
    assert "expected --normalise imagenet|half|dataset" in line


def test_vit_without_weights(fail, chips):
    line = fail(*embed_args(chips, "--normalise", "half", model="vit-tiny"), code=2)
    assert line.startswith("vit-tiny: no weights were named")


def test_weights_for_a_backbone_without_any(fail, chips):
    assert "has no weights" in fail(*embed_args(chips, "--weights", "random"), code=2)


def test_wrong_bands_for_a_backbone(fail, eurosat100, tiny_weights):
    args = embed_args(eurosat100, "--normalise", "dataset", model="vit-tiny")
    line = fail(*args, "--weights", tiny_weights, code=1)
    assert "gives 13 bands" in line
    assert "--bands b1,b2,b3" in line


def test_unknown_band(fail, chips):
    assert "Did you mean 'red'?" in fail(*embed_args(chips, "--bands", "redd,blue"), code=1)


def test_statistics_of_another_unit(fail, eurosat100):
    line = fail(*embed_args(eurosat100, "--normalise", "half"), code=1)
    assert "pass --unit uint8; else pass --normalise dataset" in line


def test_text_named_jpg(fail, chips):
    (chips / "class1" / "notes.jpg").write_text("these are notes, not pixels")
    line = fail(*embed_args(chips), code=1)
    assert "class1/notes" in line
    assert "--max-invalid" in line


def test_truncated_tiff(fail, eurosat100, tmp_path):
    shutil.copytree(eurosat100, tmp_path / "es", copy_function=shutil.copyfile)
    victim = sorted((tmp_path / "es").glob("Forest/*.tif"))[2]
    victim.write_bytes(victim.read_bytes()[:9000])
    line = fail(*embed_args(tmp_path / "es", "--max-invalid", "0"), code=1)
    assert f"Forest/{victim.stem}" in line
    assert "does not decode as TIFF" in line


def test_empty_class_folder(fail, chips):
    (chips / "class3").mkdir()
    assert "class3: this class folder holds no image" in fail(*embed_args(chips), code=1)


def test_duplicate_ids(fail, chips):
    shutil.copy(chips / "class0" / "00.png", chips / "class0" / "00.tif")
    assert "class0/00: 2 samples bear this id" in fail(*embed_args(chips), code=1)


@pytest.mark.parametrize(
    "option",
    [
        ("--shard-rows", "100"),
        ("--batch-size", "0"),
        ("--max-invalid", "2"),
        ("--limit", "0"),
        ("--layers", "3"),
        ("--chips", "9"),
    ],
)
def test_numbers_out_of_range(fail, chips, option):
    assert fail(*embed_args(chips, *option), code=2).startswith(option[0])


def test_tokens_of_a_backbone_without_any(fail, chips):
    assert fail(*embed_args(chips, "--tokens"), code=2).startswith("--tokens")


def test_unknown_split_scheme(fail, chips):
    assert "Did you mean 'random-1'?" in fail(
        *embed_args(chips, "--split-scheme", "random1"), code=1
    )


def test_probe_of_an_empty_bank(fail):
    assert "Run 'featbank embed' first" in fail("probe", "--clf", "knn", code=1)


def test_probe_of_an_unfinished_store(fail, chips, bank, monkeypatch):
    cut_off(chips, bank, monkeypatch)
    line = fail("probe", "--clf", "knn", "--model", "imagestats", "--dataset", chips, code=1)
    assert "1 of 3 shards are embedded" in line
    assert "featbank embed --model imagestats" in line


def cut_off(chips, bank, monkeypatch):
    from featbank.store.writer import StoreWriter

    write = StoreWriter.write

    def write_one(self, shard, buffers):
        if shard > 0:
            raise KeyboardInterrupt
        write(self, shard, buffers)

    with monkeypatch.context() as patched:
        patched.setattr(StoreWriter, "write", write_one)
        assert run([*map(str, embed_args(chips, "--shard-rows", "8")), "--bank", str(bank)]) == 1


def test_an_interrupted_run_says_how_to_go_on(chips, bank, monkeypatch, capsys):
    cut_off(chips, bank, monkeypatch)
    assert "Repeat the command to go on." in capsys.readouterr().err


def test_an_interrupted_run_goes_on(chips, bank, monkeypatch, capsys):
    cut_off(chips, bank, monkeypatch)
    args = [*map(str, embed_args(chips, "--shard-rows", "8")), "--bank", str(bank)]
    assert run(args) == 0
    assert "16 of 24 rows embedded" in capsys.readouterr().out


def test_several_stores_that_match(fail, chips, bank):
    for rows in ("8", "16"):
        run([*map(str, embed_args(chips, "--shard-rows", rows)), "--bank", str(bank)])
    line = fail("probe", "--clf", "knn", "--model", "imagestats", "--dataset", chips, code=2)
    assert "2 stores match" in line


def test_k_of_a_probe_without_neighbours(fail, chips, bank):
    run([*map(str, embed_args(chips)), "--bank", str(bank)])
    assert fail("probe", "--clf", "logistic", "--k", "3", code=2).startswith("--k")


def test_more_neighbours_than_samples(fail, chips, bank):
    run([*map(str, embed_args(chips)), "--bank", str(bank)])
    assert "20" in fail("probe", "--clf", "knn", code=1)


def test_refused_chips_within_the_limit_are_marked(tmp_path, bank, capsys):
    chips = write_chips(tmp_path / "many", chips=40)
    (chips / "class1" / "05.png").write_text("torn")
    assert run([*map(str, embed_args(chips, "--max-invalid", "0.02")), "--bank", str(bank)]) == 0
    captured = capsys.readouterr()
    assert "1 refused" in captured.out
    assert "refused class1/05: class1/05.png: starts with b'torn'" in captured.err


def test_an_unknown_adapter(fail, chips):
    line = fail(*embed_args(chips, "--adapt", "per-bnd"), code=1)
    assert "Did you mean 'per-band'?" in line


@pytest.mark.parametrize("option", [("--dofa-reshape", "new"), ("--positions", "transformers")])
def test_options_of_another_family_are_not_ignored(fail, chips, option):
    assert "leaves no such choice" in fail(*embed_args(chips, *option), code=2)


def test_bands_beside_an_adapter_that_chooses_them(fail):
    args = embed_args("synthetic-s2", "--chips", "16", "--adapt", "rgb", "--bands", "B02,B03")
    assert "--adapt rgb chooses the bands itself" in fail(*args, code=2)


def test_an_edition_with_nothing_to_fetch(capsys):
    assert run(["datasets", "--edition", "v1"]) == 2
    assert "expected --download D" in capsys.readouterr().err
