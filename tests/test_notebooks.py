"""The notebooks: public names only, no outputs in git, and each runs from first to last cell."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import featbank

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Chips of the synthetic landscape, each of which costs some 20 ms to draw.
ASKED, FEW = "chips = 400", "chips = 100"
LIBRARIES = {"featbank", "numpy", "pandas", "sklearn", "pathlib"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tree(notebook):
    return ast.parse("\n".join(cell.source for cell in code(notebook)))


def front_door_names(notebook):
    nodes = [node for node in ast.walk(tree(notebook)) if isinstance(node, ast.Attribute)]
    return {n.attr for n in nodes if isinstance(n.value, ast.Name) and n.value.id == "featbank"}


def imported(notebook):
    for node in ast.walk(tree(notebook)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_there_are_four():
    names = ["01_first_store", "02_probe_and_neighbors", "03_map_of_features"]
    assert [path.stem for path in NOTEBOOKS] == [*names, "04_multilabel_report"]


def test_it_is_valid_and_short(notebook):
    nbformat.validate(notebook)
    assert len(notebook.cells) <= 15


def test_outputs_are_not_in_git(notebook):
    assert [cell for cell in code(notebook) if cell.outputs or cell.execution_count] == []


def test_it_takes_the_front_door_alone(notebook):
    assert {name for name in imported(notebook) if name.startswith("featbank")} == {"featbank"}
    assert front_door_names(notebook) <= set(featbank.__all__)


def test_it_imports_what_the_project_has(notebook):
    assert {name.split(".")[0] for name in imported(notebook)} <= LIBRARIES


def test_it_uses_public_names_alone(notebook):
    nodes = list(ast.walk(tree(notebook)))
    names = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    names |= {n.id for n in nodes if isinstance(n, ast.Name)}
    assert not {name for name in names if name.startswith("_")}


def test_what_it_calls_next_is_there(notebook):
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert set(re.findall(r"`(\d\d_\w+)`", prose)) <= {path.stem for path in NOTEBOOKS}


@pytest.fixture(scope="module")
def kernel():
    """One process for all notebooks: torch, UMAP and its compiled layout are loaded once."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


def run(notebook, kernel, folder):
    """Run all cells on a few chips, with nothing left of the notebook before."""
    from nbclient import NotebookClient

    first = code(notebook)[0]
    assert ASKED in first.source
    first.source = first.source.replace(ASKED, FEW)

    fresh = nbformat.v4.new_code_cell(f"%reset -f\nimport os; os.chdir({str(folder)!r}); del os")
    notebook.cells.insert(0, fresh)
    client = NotebookClient(notebook, km=kernel, timeout=120)
    try:
        client.execute()
    finally:
        client.kc.stop_channels()
    return [output for cell in code(notebook)[1:] for output in cell.outputs]


def test_it_runs(notebook, kernel, tmp_path):
    outputs = run(notebook, kernel, tmp_path)
    assert [each.text for each in outputs if each.get("name") == "stderr"] == []
    assert [each for each in outputs if "text/html" in each.get("data", {})]
    assert list(tmp_path.glob("bank/stores/synthetic-s2/*.zarr"))


def test_the_hook_that_strips_outputs_leaves_them_as_they_are(tmp_path):
    """What pre-commit runs changes nothing in what is committed."""
    for path in NOTEBOOKS:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        subprocess.run([sys.executable, "-m", "nbstripout", copy], check=True)
        assert copy.read_text() == path.read_text()
    assert "nbstripout" in (ROOT / ".pre-commit-config.yaml").read_text()
