"""One session on a GPU machine: everything that the GPU path claims, checked and measured.

``python -m tests.benchmarks.gpu_session --out FOLDER`` prints a line for each check, PASS or FAIL
with its figures, and writes ``gpu_session.json``. It needs featbank and its dependencies alone, no
imagery and no weights. With ``--device cpu`` everything is tiny: its own logic is tried, and its
figures mean nothing.
"""
