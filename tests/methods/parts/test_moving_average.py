import torch
from torch import nn

from featbank.methods.parts.moving_average import frozen_copy, move_average


def network(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def test_moving_equals_a_slow_loop():
    average, student = network(0), network(1)
    slow = [value.detach().double().clone() for value in average.parameters()]
    for step in range(5):
        momentum = 0.9 + 0.02 * step
        move_average(average, student, momentum)
        for index, value in enumerate(student.parameters()):
            for place in range(value.numel()):
                old = slow[index].view(-1)[place]
                new = momentum * old + (1 - momentum) * value.detach().view(-1)[place]
                slow[index].view(-1)[place] = new
    for ours, theirs in zip(average.parameters(), slow, strict=True):
        assert torch.allclose(ours.detach().double(), theirs, atol=1e-6)


def test_momentum_one_leaves_everything_bit_for_bit():
    average = network(0)
    before = [value.detach().clone() for value in average.parameters()]
    move_average(average, network(1), 1.0)
    assert all(map(torch.equal, average.parameters(), before))


def test_the_student_is_left_alone():
    student = network(1)
    before = [value.detach().clone() for value in student.parameters()]
    move_average(network(0), student, 0.5)
    assert all(map(torch.equal, student.parameters(), before))


def test_a_frozen_copy_is_apart_and_untrained():
    student = network(0)
    teacher = frozen_copy(student)
    student[0].weight.data.zero_()
    assert teacher[0].weight.any()
    assert not any(value.requires_grad for value in teacher.parameters())
    assert all(value.requires_grad for value in student.parameters())
