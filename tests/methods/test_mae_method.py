"""MAE: hides what it says, learns, freezes what it is told to, and starts from its own decoder."""

import pytest
import torch

from featbank.backbones import BACKBONES, WeightsFile
from featbank.errors import UsageError, WeightsError
from featbank.layers.sincos_positions import sincos_positions
from featbank.methods import METHODS
from featbank.methods._mae_training import decoder_shape
from featbank.methods.method import MethodRequest
from featbank.methods.parts.draws import Draws
from featbank.methods.parts.masks import random_keep

SPEC = METHODS["mae"]
BANDS, SIDE, PATCH = 5, 32, 8
SIZE = {"dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64}
INPUT = {"channels": BANDS, "patch_px": PATCH, "grid": SIDE // PATCH}
CONFIG = {**BACKBONES["vit-tiny"].config, **SIZE, **INPUT}


def build(*, config=CONFIG, state=None, **changes):
    fields = {name: changes.pop(name) for name in ("heads", "is_warm", "seed") if name in changes}
    state = state or BACKBONES["vit-tiny"].initial(config, 3)
    request = MethodRequest(
        config=config,
        state=state,
        hyper={**SPEC.hyper, **changes},
        image_px=SIDE,
        **{"seed": 0, **fields},
    )
    return SPEC.build(request)


def views(chips=6):
    return {"global": torch.randn(chips, BANDS, SIDE, SIDE, generator=torch.Generator())}


def draws(chips=6, step=0):
    return Draws(seed=1, step=step, total=chips, rows=range(chips))


def forward(method, views, draws):
    drawn = method.draw(draws, {name: x.shape[-1] for name, x in views.items()})
    return method(views, drawn, {})


def trained(method, steps=30):
    wanted = [p for p in method.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(wanted, lr=2e-3)
    losses = []
    for step in range(steps):
        loss = forward(method, views(), draws(step=step % 2)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_published_values():
    chosen = ("lr", "lr_batch", "batch_size", "epochs", "warmup_epochs", "beta2", "mask_ratio")
    assert [SPEC.hyper[name] for name in chosen] == [1.5e-4, 256, 4096, 800, 40, 0.95, 0.75]


@pytest.mark.parametrize(
    ("dim", "shape"),
    [(1024, (512, 8, 16)), (768, (512, 8, 16)), (384, (192, 1, 6)), (192, (96, 1, 3))],
)
def test_decoders_are_the_published_ones_of_their_encoders(dim, shape):
    made = decoder_shape(SPEC.hyper, dim)
    assert (made.width, made.depth, made.heads) == shape


def test_a_decoder_is_shaped_as_asked():
    decoder = build(decoder_width=24, decoder_depth=3, decoder_heads=3).decoder
    assert (decoder.embed.out_features, len(decoder.blocks)) == (24, 3)
    assert decoder.blocks[0].attn.heads == 3


def test_one_view_of_the_image_size():
    (crop,) = SPEC.crops(SPEC.hyper, 96, 16)
    assert (crop.count, crop.size_px, crop.scale, crop.colour) == (1, 96, (0.2, 1.0), 0.0)


def test_the_loss_falls():
    losses = trained(build())
    assert losses[-1] < 0.9 * losses[0]


def test_the_first_loss_is_about_that_of_no_knowledge():
    assert 0.8 < forward(build(), views(), draws()).loss.item() < 2.5


def test_hidden_patches_do_not_reach_the_encoder():
    method, x = build().eval(), views()
    mask = random_keep(draws(), 16, 0.75).mask
    where = mask.reshape(6, 1, 4, 4).repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    other = {"global": x["global"] + 100 * where}
    a, b = (forward(method, v, draws()).features for v in (x, other))
    assert torch.equal(a, b)


def test_as_many_patches_are_hidden_as_asked():
    seen = []
    method = build(mask_ratio=0.5)
    method.decoder.embed.register_forward_hook(lambda _, args, out: seen.append(args[0].shape[1]))
    forward(method, views(), draws())
    assert seen == [1 + 8]


def test_micro_batches_add_up_to_the_whole_batch():
    method, x = build(), views()["global"]
    losses = [
        forward(method, {"global": x[a:b]}, Draws(seed=1, step=0, total=6, rows=range(a, b))).loss
        for a, b in ((0, 2), (2, 4), (4, 6))
    ]
    whole = forward(method, {"global": x}, draws()).loss
    torch.testing.assert_close(torch.stack(losses).mean(), whole)


@pytest.mark.parametrize("ratio", [0.0, 0.01, 1.0])
def test_a_ratio_that_hides_nothing_or_all_is_refused(ratio):
    with pytest.raises(UsageError, match="of 16 patches; expected at least one"):
        build(mask_ratio=ratio)


def test_positions_are_fixed_sines_and_stay_so():
    method = build()
    trained(method, steps=2)
    assert torch.equal(method.kept()["pos_embed"], sincos_positions(32, 4))


def test_positions_learn_on_request():
    method = build(learn_positions=True)
    trained(method, steps=2)
    assert not torch.equal(method.kept()["pos_embed"], sincos_positions(32, 4))


def test_trained_first_weights_stay_as_they_are():
    state = BACKBONES["vit-tiny"].initial(CONFIG, 7)
    kept = build(state=state, is_warm=True).kept()
    assert all(torch.equal(kept[name], value) for name, value in state.items())


def test_the_same_seed_starts_the_same():
    a, b = build().state_dict(), build().state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_another_seed_starts_otherwise():
    a, b = build().state_dict(), build(seed=1).state_dict()
    assert not torch.equal(a["decoder.pred.weight"], b["decoder.pred.weight"])
    assert not torch.equal(
        a["encoder.blocks.0.attn.qkv.weight"], b["encoder.blocks.0.attn.qkv.weight"]
    )


def test_every_parameter_that_trains_has_a_gradient():
    method = build(config={**CONFIG, "registers": 2, "layer_scale": True, "swiglu": True})
    forward(method, views(), draws()).loss.backward()
    lacking = [n for n, p in method.named_parameters() if p.requires_grad and p.grad is None]
    assert lacking == []


def test_a_frozen_encoder_stays_bit_for_bit_while_the_decoder_learns():
    state = BACKBONES["vit-tiny"].initial(CONFIG, 7)
    method = build(state=state, is_warm=True, frozen_encoder=True, drop_path=0.5).train()
    losses = trained(method)
    kept = method.kept()
    assert all(torch.equal(kept[name], value) for name, value in state.items())
    assert losses[-1] < 0.9 * losses[0]


def test_no_optimiser_is_given_a_frozen_encoder():
    method = build(frozen_encoder=True)
    assert not any(value.requires_grad for value in method.encoder.parameters())
    assert all(value.requires_grad for value in method.decoder.parameters())


def test_a_frozen_encoder_drops_no_path_in_training():
    method = build(frozen_encoder=True, drop_path=0.9)
    in_training = forward(method.train(), views(), draws()).features
    assert torch.equal(in_training, forward(method.eval(), views(), draws()).features)


def test_paths_are_dropped_more_and_more_with_depth():
    rates = [block.drop_path for block in build(drop_path=0.4).encoder.blocks]
    assert rates == [0.0, 0.4]


def test_what_is_kept_reads_as_a_vit():
    found = BACKBONES["vit-tiny"].read(CONFIG, dict(build().kept()), WeightsFile(name="x"))
    assert found.config == CONFIG


def test_encoder_and_decoder_together_read_as_a_published_file():
    method = build()
    state = {**method.kept(), **method.heads()}
    found = BACKBONES["vit-tiny"].read(CONFIG, state, WeightsFile(name="x"))
    assert set(found.state) == set(method.kept())


def test_a_decoder_goes_on_from_its_own_tensors():
    first = build()
    trained(first, steps=2)
    again = build(heads=first.heads())
    assert all(torch.equal(again.heads()[n], v) for n, v in first.heads().items())


def test_a_decoder_of_another_shape_is_refused():
    with pytest.raises(WeightsError, match="does not fit"):
        build(heads=build().heads(), decoder_width=64)


def test_state_round_trip_is_exact():
    first, second = build(), build(seed=5)
    trained(first, steps=2)
    second.load_state_dict(first.state_dict())
    one, other = (forward(method, views(), draws()).loss for method in (first, second))
    assert torch.equal(one, other)
