import os

import pytest
import torch
from torch import distributed, multiprocessing

from featbank.methods.losses.prototypes import Centre, sinkhorn
from featbank.methods.losses.spread import spread_loss
from featbank.methods.parts.ranks import all_max, all_sum, gathered, process_count

WORLD = 2


def rows(count=6, dim=5, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def measure(logits, features):
    """What the losses give for rows of one process."""
    centre = Centre(5)
    centre.note(logits)
    centre.move()
    features = features.clone().requires_grad_()
    loss = spread_loss(features)
    loss.backward()
    return {
        "targets": sinkhorn(logits, 0.3),
        "centre": centre.value,
        "loss": loss.detach(),
        "gradient": features.grad,
    }


def work(rank, folder):
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=WORLD
    )
    # Processes may have masked patches in other numbers: 4 and 2 rows of logits.
    logits = rows()[:4] if rank == 0 else rows()[4:]
    out = measure(logits, rows(seed=1)[3 * rank : 3 * rank + 3])
    out["sum"] = all_sum(torch.tensor([1.0 + rank, 5.0]))
    out["max"] = all_max(torch.tensor([1.0 + rank, -float(rank)]))
    torch.save(out, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def outs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    multiprocessing.spawn(work, args=(str(folder),), nprocs=WORLD)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]


@pytest.fixture
def alone():
    return measure(rows(), rows(seed=1))


def test_two_processes_assign_as_one(outs, alone):
    both = torch.cat([out["targets"] for out in outs])
    assert torch.allclose(both, alone["targets"], atol=1e-6)


def test_two_processes_move_the_centre_as_one(outs, alone):
    for out in outs:
        assert torch.allclose(out["centre"], alone["centre"], atol=1e-7)


def test_two_processes_spread_as_one(outs, alone):
    mean = torch.stack([out["loss"] for out in outs]).mean()
    assert torch.allclose(mean, alone["loss"], atol=1e-6)


def test_gradients_over_two_processes_are_those_of_one(outs, alone):
    # Engines take the mean over processes of gradients of weights.
    both = torch.cat([out["gradient"] for out in outs]) / WORLD
    assert torch.allclose(both, alone["gradient"], atol=1e-6)


def test_sums_and_maxima_run_over_processes(outs):
    for out in outs:
        assert out["sum"].tolist() == [3.0, 10.0]
        assert out["max"].tolist() == [2.0, 0.0]


def test_one_process_changes_nothing():
    values = rows()
    everyone, first = gathered(values)
    assert process_count() == 1
    assert all_sum(values) is values
    assert (everyone is values, first) == (True, 0)
