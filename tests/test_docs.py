"""Pages of docs: their tables are those of the benchmarks' results."""

import importlib.util
import json
import re
from pathlib import Path

from tests.benchmarks import page as benchmarks
from tests.benchmarks.interval_coverage import NAMES, PAGE, TARGET, page

RESULTS = json.loads((Path(__file__).parent / "benchmarks" / "results.json").read_text())


def test_the_tables_of_coverage_are_those_of_the_results():
    assert PAGE.read_text() == page(PAGE.read_text(), RESULTS)


def test_coverage_below_the_target_is_printed_bold():
    cells = RESULTS["interval-coverage"]["cells"].values()
    below = {x for row in cells for x in row.split()[:4] if float(x) < TARGET}
    assert below
    assert all(f"**{x[1:]}**" in PAGE.read_text() for x in below)


def test_the_sum_of_cells_is_that_of_the_results():
    found = [RESULTS[name]["summary"]["ours"] for name in NAMES]
    cells = sum(each["cells"] for each in found)
    reached = cells - sum(each["below_target"] for each in found)
    least = min(each["least"] for each in found)
    assert f"of {cells} cells {reached} reach .93, and the least is {least:.3f}".replace(
        "0.", "."
    ) in " ".join(PAGE.read_text().split())


def test_what_intervals_of_losses_would_cover_is_that_of_the_results():
    least, most = (f"{share:.3f}"[1:] for share in RESULTS["interval-losses"]["least_and_most"])
    assert float(least) < TARGET
    assert f"{least} to {most} of made sets" in PAGE.read_text()


def test_the_level_of_compare_is_that_of_the_results():
    found = RESULTS["compare-level"]
    for name in ("paired_bootstrap", "mcnemar"):
        least, most = (f"{share:.3f}"[1:] for share in found[name])
        assert f"{least} to {most}" in PAGE.read_text()


def test_the_page_of_benchmarks_is_that_of_the_results():
    path = benchmarks.SESSION
    session = json.loads(path.read_text()) if path.exists() else None
    assert benchmarks.PAGE.read_text() == benchmarks.page(RESULTS, session)


def test_every_benchmark_whose_figures_are_kept_stands_on_its_page():
    text = benchmarks.PAGE.read_text()
    assert all(f"\n## {name}\n" in text for name in RESULTS)


def test_a_session_on_a_gpu_is_read_by_the_page():
    checks = [{"name": "end to end, dofa", "outcome": "FAIL", "chips_per_s": 9876.5}]
    text = benchmarks.page(RESULTS, {"device": "cuda", "failed": 1, "checks": checks})
    assert "| FAIL | end to end, dofa | `chips_per_s` 9876.5 |" in text
    assert "Not measured yet" not in text


ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_files_and_folders_that_the_architecture_names_are_there():
    named = set(re.findall(r"`([\w/]+(?:\.py|/))`", ARCHITECTURE))
    gone = {
        name for name in named if not any((ROOT / top / name).exists() for top in ("", "featbank"))
    }
    assert len(named) > 40
    assert gone == set()


def test_every_room_stands_in_the_architecture():
    rooms = {path.parent.name for path in (ROOT / "featbank").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in ARCHITECTURE} == set()


def test_modules_that_the_changelog_names_as_new_are_there():
    rows = re.findall(r"^\| .* \| (.*) \|$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    named = {n.rstrip(".*") for row in rows for n in re.findall(r"`(featbank[\w.*]+)`", row)}
    assert len(named) > 8
    assert {name for name in named if importlib.util.find_spec(name) is None} == set()
