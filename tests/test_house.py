"""The house rules that no linter knows: sizes, names, and no word of one machine."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "featbank").rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in MODULES]


def code_lines(node):
    """Lines of a function or class without its own and its members' docstrings."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    texts = [ast.get_docstring(n, clean=False) for n in ast.walk(node) if isinstance(n, kinds)]
    docs = sum(text.count("\n") + 1 for text in texts if text is not None)
    return node.end_lineno - node.lineno + 1 - docs


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_functions_stay_short(path):
    tree = ast.parse(path.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    long = {f.name: code_lines(f) for f in functions if code_lines(f) > 40}
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_classes_stay_short(path):
    tree = ast.parse(path.read_text())
    classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    assert not {c.name: code_lines(c) for c in classes if code_lines(c) > 200}


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_modules_stay_short(path):
    assert path.read_text().count("\n") <= 400


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
