"""The table of classes by splits fits a terminal of 80 columns, however many classes there are."""

from featbank.lookup.class_table import ClassTable
from featbank.pages.class_table import print_classes


def printed(capsys, monkeypatch, counts, **more):
    monkeypatch.setenv("COLUMNS", "80")
    total = tuple(map(sum, zip(*counts.values(), strict=True)))
    given = {
        "label_set": "class",
        "scheme": "official",
        "is_multilabel": False,
        "splits": ("train", "val", "test"),
        "samples": total,
        "without_label": (0, 0, 0),
        "counts": counts,
    }
    print_classes(ClassTable(**{**given, **more}))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_few_classes_have_a_line_each(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, {"Forest": (1200, 0, 4), "River": (3, 2, 1)})
    assert [line.split() for line in lines] == [
        ["labels", "class,", "splits", "official"],
        ["class", "train", "val", "test"],
        ["─" * len(lines[2].strip())],
        ["Forest", "1,200", "0", "4"],
        ["River", "3", "2", "1"],
        ["samples", "of", "2", "classes", "1,203", "2", "5"],
    ]


def test_of_many_classes_the_rarest_are_shown_and_the_rest_summed_up(capsys, monkeypatch):
    counts = {f"class{k:03d}": (100 + k, 20, 20) for k in range(300)}
    counts["class250"] = (500, 20, 0)
    lines = printed(capsys, monkeypatch, counts)
    assert len(lines) < 12
    assert "the 5 rarest of 300 classes" in lines[0]
    assert lines[3].split() == ["class250", "500", "20", "0"]
    assert lines[4].split()[0] == "class000"
    assert "295 more classes, each  104-399" in " ".join(lines).replace("   ", "  ")


def test_an_empty_split_does_not_make_every_class_rare(capsys, monkeypatch):
    counts = {f"class{k:02d}": (50 - k, 0, 9) for k in range(20)}
    assert printed(capsys, monkeypatch, counts)[3].split()[0] == "class19"
    counts["class07"] = (50, 0, 1)
    assert printed(capsys, monkeypatch, counts)[3].split()[0] == "class07"


def test_samples_without_a_label_have_a_line(capsys, monkeypatch):
    lines = printed(
        capsys, monkeypatch, {"a": (1, 0, 0)}, samples=(1, 0, 7), without_label=(0, 0, 7)
    )
    assert lines[-2].split() == ["without", "label", "0", "0", "7"]


def test_a_set_without_labels_has_one_line(capsys, monkeypatch):
    lines = printed(
        *(capsys, monkeypatch, {}),
        label_set="",
        splits=("unlabelled",),
        samples=(20,),
        without_label=(20,),
    )
    assert (lines[0].split()[0], lines[-1].split()) == ("no", ["samples", "20"])


def test_positives_of_several_labels_are_named_so(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, {"a": (1, 0, 0)}, is_multilabel=True)
    assert "positives of each class" in lines[0]


def test_long_and_bracketed_names_stay_inside_80_columns(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, {"[red]" + "x" * 200: (1, 2, 3)})
    assert max(map(len, lines)) <= 80
    assert "[red]" in " ".join(lines)
