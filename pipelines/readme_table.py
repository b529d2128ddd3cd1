"""The picture of a result table in the README: the tiny ViT on AID, drawn from its store.

Run it in the bank where the README's real run was made:

    python pipelines/readme_table.py
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from featbank.pages.result_table import print_results
from featbank.stages.probe.run import ProbeOptions, probe_store

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "result-table.svg"


def main() -> None:
    """Probe the newest store and write the picture."""
    report = probe_store(ProbeOptions(clf="logistic"))
    console = Console(record=True, width=84, file=io.StringIO())
    print_results(report.results, console=console)
    svg = console.export_svg(title="featbank probe --clf logistic")
    # The viewer's own monospace font serves as well as one fetched from the network.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL))
    print(f"{PICTURE}: written.")


if __name__ == "__main__":
    main()
