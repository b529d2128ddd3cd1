"""A short run in processes that torchrun starts; run as a script with a folder and options."""

import json
import os
import sys
from pathlib import Path

import torch
from tiny_training import tiny_plan

from featbank.stages.pretrain import run
from featbank.stages.pretrain.states import due

SETTINGS = {"steps": 10, "hyper": {"drop_path": 0.0, "weight_decay_end": 0.04}}


class Cut(Exception):
    """Ends every process at the same step."""


def save_by_the_first_clock():
    """Each third step is due by the first process's clock, none by the other's."""
    due.LEAST_S = float("inf") if int(os.environ["RANK"]) else 0.0
    due.SHARE, due.LOOK_EVERY = float("inf"), 3


def main(folder, said):
    options = json.loads(said)
    stop = options.pop("stop", None)
    if options.pop("by_clock", False):
        save_by_the_first_clock()
    train = run.train

    def cut_train(*arguments, **named):
        for result in train(*arguments, **named):
            if result.step == stop:
                raise Cut
            yield result

    # Only the first process reports progress, so each is cut where its loop goes on.
    run.train = cut_train
    try:
        run.pretrain(tiny_plan(Path(folder), **SETTINGS, **options))
    except Cut:
        sys.stdout.write("cut\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
