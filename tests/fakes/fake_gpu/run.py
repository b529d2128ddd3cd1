"""``python tests/fakes/fake_gpu/run.py ...``: pytest in a process that has the fake device."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_gpu import building

ACTIVE = "FEATBANK_FAKE_GPU"


def main():
    building.load()
    os.environ[ACTIVE] = "1"
    from fake_gpu import cuda

    kept = cuda.install()
    import pytest

    code = pytest.main(sys.argv[1:])
    del kept
    return code


if __name__ == "__main__":
    sys.exit(main())
