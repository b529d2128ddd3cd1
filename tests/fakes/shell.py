"""Runs featbank as a user does."""

from __future__ import annotations

import json
import subprocess
import sys


def shell(bank, *args):
    """Run one command on a bank, and read the object that it prints."""
    command = [sys.executable, "-m", "featbank", *map(str, args), "--bank", str(bank), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
