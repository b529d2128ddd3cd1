import math

import torch

from featbank.layers.sincos_positions import sincos_positions


def slow(dim, side):
    """One number at a time, from the paper's formula."""
    quarter = dim // 4
    rows = [[0.0] * dim]
    for y in range(side):
        for x in range(side):
            row = []
            for place in (x, y):
                angles = [place / 10000 ** (i / quarter) for i in range(quarter)]
                row += [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
            rows.append(row)
    return torch.tensor([rows])


def test_they_are_the_formulas():
    torch.testing.assert_close(sincos_positions(24, 5), slow(24, 5), rtol=1e-6, atol=1e-6)


def test_no_two_patches_have_the_same():
    positions = sincos_positions(16, 12)[0, 1:]
    assert torch.cdist(positions, positions).fill_diagonal_(1.0).min() > 0.01
