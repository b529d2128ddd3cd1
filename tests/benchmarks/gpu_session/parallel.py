"""Several devices: data parallel and sharded runs train the same network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from tests.benchmarks.gpu_session.training import _losses, model

if TYPE_CHECKING:
    from tests.benchmarks.gpu_session.session import Session

# Sums over processes come in another order.
NEAR = 2e-2


def ddp_and_fsdp(session: Session) -> None:
    """The same run under DDP and under FSDP2, in bfloat16."""
    if session.is_tiny or torch.cuda.device_count() < 2:
        session.figure("several devices", devices=torch.cuda.device_count(), tried="no")
        return
    plain, shard = (_losses(_run(session, name)) for name in ("ddp", "shard"))
    apart = float(abs(shard / plain - 1).max())
    session.check("DDP and FSDP2 train the same network", apart <= NEAR, apart=apart, allowed=NEAR)


def _run(session: Session, name: str) -> Path:
    bank = session.folder / name
    words = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "featbank"),
        *("pretrain", "--method", "mae", "--model", model(session), "--dataset", "synthetic-rgb"),
        *("--chips", "512", "--batch-size", "64", "--steps", "10", "--image-size", "224"),
        *("--bank", str(bank), *(["--shard"] if name == "shard" else [])),
    ]
    subprocess.run(words, check=True)
    listed = subprocess.run(
        [sys.executable, "-m", "featbank", "checkpoints", "--bank", str(bank), "--json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Path(json.loads(listed.stdout)["checkpoints"][0]["checkpoint"])
