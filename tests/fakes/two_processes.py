"""A short run in processes that torchrun starts; run as a script with a folder and options."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
from tiny_training import tiny_plan

from featbank.cli.entry import leave
from featbank.stages.pretrain import run
from featbank.stages.pretrain.scale.parallel import ParallelMethod
from featbank.stages.pretrain.states import due

SETTINGS = {"steps": 10, "hyper": {"drop_path": 0.0, "weight_decay_end": 0.04}}


class Cut(Exception):
    """Ends every process at the same step."""


def save_by_the_first_clock():
    """Each third step is due by the first process's clock, none by the other's."""
    due.LEAST_S = float("inf") if int(os.environ["RANK"]) else 0.0
    due.SHARE, due.LOOK_EVERY = float("inf"), 3


def write_dtypes(path):
    """Have the first process write in which dtypes the first step computes, part by part."""
    found, call = {}, ParallelMethod.__call__

    def note(name, part):
        def hook(_module, given, out):
            tensors = [v for v in (*given, out) if isinstance(v, torch.Tensor)]
            found.setdefault(name, [str(v.dtype) for v in tensors])

        part.register_forward_hook(hook)

    def noting_call(trained, views, drawn, numbers):
        if not found:
            for name, part in trained.module.named_modules():
                note(name, part)
        out = call(trained, views, drawn, numbers)
        found["views"] = [str(x.dtype) for x in views.values()]
        found["loss"] = [str(out.loss.dtype), str(out.features.dtype)]
        if os.environ["RANK"] == "0":
            path.write_text(json.dumps(found))
        return out

    ParallelMethod.__call__ = noting_call


def main(folder, said):
    options = json.loads(said)
    stop, dtype = options.pop("stop", None), options.pop("compute_dtype", "float32")
    if options.pop("by_clock", False):
        save_by_the_first_clock()
    if dtype == "bfloat16":
        write_dtypes(Path(folder) / "dtypes.json")
    train = run.train

    def cut_train(*arguments, **named):
        for result in train(*arguments, **named):
            if result.step == stop:
                raise Cut
            yield result

    # Only the first process reports progress, so each is cut where its loop goes on.
    run.train = cut_train
    try:
        plan = tiny_plan(Path(folder), **SETTINGS, **options)
        run.pretrain(replace(plan, compute_dtype=dtype))
    except Cut:
        sys.stdout.write("cut\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
    leave(0)
