"""What holds for every test before anything heavy is imported."""

import os
import sys

# Where a machine's default is to keep no bytecode, each run of the tests, and each command that a
# test runs, compiles torch, its other packages and every test anew: half of what collecting took.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
