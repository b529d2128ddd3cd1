"""``python -m featbank``: the same as the ``featbank`` command."""

import contextlib
import os
import sys

# ``-m`` puts the folder that the user stands in first, whose files are not ours to run; where
# featbank itself stands there, it stays.
with contextlib.suppress(FileNotFoundError):  # the folder is gone, and nothing stands in it
    if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
        del sys.path[0]

from featbank.cli.main import main

if __name__ == "__main__":
    main()
