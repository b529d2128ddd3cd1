"""``embed`` and ``show`` name refused chips as they are, and say how many are not named."""

import pytest
from made_folders import make_folder

from featbank.cli.main import run

GOOD = 30


@pytest.fixture
def embed(tmp_path, capsys):
    """Embeds a folder with some torn chips; the lines on stderr."""

    def embed_torn(torn):
        names = [f"Dry_Forest/Dry_Forest_{number:04d}.png" for number in range(GOOD + torn)]
        root = make_folder(tmp_path / "places", names)
        for name in names[GOOD:]:
            (root / name).write_text("torn")
        args = ["embed", "--model", "imagestats", "--dataset", str(root), "--workers", "0"]
        args += ["--max-invalid", "0.9", "--bank", str(tmp_path / "bank")]
        assert run(args) == 0
        return capsys.readouterr().err.splitlines()

    return embed_torn


@pytest.mark.parametrize(
    ("torn", "last"),
    [
        (5, "refused Dry_Forest/Dry_Forest_0034: "),
        (6, "and 1 more refused; 'featbank show' names them"),
        (30, "and 25 more refused; 'featbank show' names the first 20"),
    ],
)
def test_embed_says_how_many_refused_chips_it_does_not_name(embed, torn, last):
    told = [line for line in embed(torn) if "refused" in line]
    assert len(told) == min(torn, 6)
    assert last in told[-1]


def test_show_names_refused_chips_as_they_are(embed, tmp_path, capsys, monkeypatch):
    embed(2)
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["show", "--bank", str(tmp_path / "bank")]) == 0
    shown = capsys.readouterr().out
    assert "refused: Dry_Forest/Dry_Forest_0031" in shown
    assert "split schemes" in shown
