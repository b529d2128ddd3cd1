"""The house rules that no linter knows: sizes, names, and no word of one machine."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "featbank").rglob("*.py"))


def code_lines(node):
    """Lines of a function or class without its own and its members' docstrings."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    texts = [ast.get_docstring(n, clean=False) for n in ast.walk(node) if isinstance(n, kinds)]
    docs = sum(text.count("\n") + 1 for text in texts if text is not None)
    return node.end_lineno - node.lineno + 1 - docs


def nodes(path, *kinds):
    """Functions or classes of a module, with where they stand."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, kinds):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def longer(most, *kinds):
    found = (pair for path in MODULES for pair in nodes(path, *kinds))
    return {name: code_lines(node) for name, node in found if code_lines(node) > most}


def test_functions_stay_short():
    assert longer(40, ast.FunctionDef, ast.AsyncFunctionDef) == {}


def test_classes_stay_short():
    assert longer(200, ast.ClassDef) == {}


def test_modules_stay_short():
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_no_room_is_called_everything():
    forbidden = {"utils", "util", "core", "common", "helpers", "misc"}
    assert not {path.stem for path in MODULES} & forbidden
    assert not {path.parent.name for path in MODULES} & forbidden


def test_every_dependency_has_its_reason():
    block = re.search(
        r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.S | re.M
    )
    lines = block.group(1).strip().splitlines()
    assert [line for line in lines if "#" not in line] == []


def test_neither_torchvision_nor_timm_is_asked_for():
    text = (ROOT / "pyproject.toml").read_text() + (ROOT / "constraints.txt").read_text()
    assert not re.search(r"^\W*(torchvision|timm)\b", text, re.M)


def test_tests_of_one_file_run_in_one_process(request):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("tests run in one process")
    assert request.node.nodeid.endswith("@tests/test_house.py")


def imported(path):
    """Dotted names of what a module imports from the project, at run time or for types."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("featbank"):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("featbank"))


def is_private_elsewhere(dotted, path):
    parts = dotted.split(".")
    marked = [i for i, part in enumerate(parts) if re.match("_[^_]", part)]
    return bool(marked) and ROOT.joinpath(*parts[: marked[0]]) != path.parent


def test_no_module_imports_what_is_private_elsewhere():
    found = ((path, name) for path in MODULES for name in imported(path))
    assert [pair for pair in found if is_private_elsewhere(pair[1], pair[0])] == []


def test_no_two_classes_bear_one_name():
    named = {}
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                named.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in named.items() if len(places) > 1} == {}
