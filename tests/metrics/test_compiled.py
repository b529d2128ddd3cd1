"""Loops as machine code: only when called, and without a folder to keep them in."""

import subprocess
import sys


def test_numba_is_imported_at_the_first_call_only():
    code = (
        "import sys; import featbank.metrics.scoring.multilabel_scoring as m;"
        "assert 'numba' not in sys.modules; import numpy as np;"
        "m.mean_average_precision(np.eye(2), np.eye(2)); assert 'numba' in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_loop_that_cannot_be_kept_is_compiled_all_the_same():
    code = (
        "import numpy as np; from featbank.metrics.scoring.compiled import compiled;"
        "loop = compiled(eval('lambda values: values.sum() + 1'));"
        "assert loop(np.ones(3)) == 4"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_disk_that_is_full_keeps_nobody_from_computing(tmp_path):
    (tmp_path / "loops.py").write_text("def loop(values):\n    return values.sum() + 1\n")
    code = (
        "import resource; import numpy as np;"
        "from featbank.metrics.scoring.compiled import compiled;"
        "import loops; _, hard = resource.getrlimit(resource.RLIMIT_FSIZE);"
        "loop = compiled(loops.loop); resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard));"
        "assert [loop(np.ones(3)), loop(np.ones(3))] == [4, 4]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
