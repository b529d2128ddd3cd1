"""Weights files of every kind that people have, made small: one network, wrapped in many ways."""

from __future__ import annotations

import argparse
import collections
import datetime
import gzip
import io
import pathlib
import pickle
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import torch
from safetensors.torch import save_file

from featbank.backbones import BACKBONES
from featbank.sources.embed_options import EmbedOptions
from featbank.sources.weights import load_weights

SIZE = {"dim": 32, "depth": 2, "heads": 2, "mlp_dim": 64, "patch_px": 4, "grid": 4}


def small(name="vit-tiny", **changes):
    """A catalog entry whose network is small."""
    spec = BACKBONES[name]
    return replace(spec, config={**spec.config, **SIZE, **changes})


def network(seed=0, **changes):
    """Tensors of a small vision transformer, none of them at its start."""
    spec = small(**changes)
    generator = torch.Generator().manual_seed(seed + 100)
    state = spec.initial(spec.config, seed)
    return {n: v + 0.1 * torch.randn(v.shape, generator=generator) for n, v in state.items()}


def prefixed(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


def load(path, spec=None, **options):
    """Weights of a small network as ``featbank embed`` loads them."""
    spec = spec or small()
    return load_weights(
        spec, EmbedOptions(model=spec.name, dataset="x", weights=str(path), **options)
    )


def features(weights, spec=None):
    """CLS and mean features of two chips."""
    chips = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        out = (spec or small()).build(weights.config, weights.state)(chips, layers=[1])
    return torch.cat([out["cls"], out["mean"]], dim=2)


def saved(content, name="w.pth", **how):
    """A maker of a PyTorch file."""

    def make(folder):
        torch.save(content(), folder / name, **how)
        return folder / name

    return make


def tensors(content, name="w.safetensors", **how):
    """A maker of a safetensors file."""

    def make(folder):
        save_file({n: v.contiguous() for n, v in content().items()}, folder / name, **how)
        return folder / name

    return make


def raw(content, name="w.pth"):
    """A maker of a file of bytes."""

    def make(folder):
        (folder / name).write_bytes(content() if callable(content) else content)
        return folder / name

    return make


def bytes_of(content, **how):
    buffer = io.BytesIO()
    torch.save(content, buffer, **how)
    return buffer.getvalue()


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def other(**changes):
    """Another network of the same shape, so that taking the wrong one is seen."""
    return network(seed=7, **changes)


def head():
    return {"head.mlp.0.weight": torch.randn(8, 32), "head.last_layer.bias": torch.zeros(8)}


def beside(value):
    """A checkpoint with a plain value beside its network."""
    return lambda: {"model": network(), "args": value, "epoch": 3}


def with_heads():
    """Names that a network's own root holds beside it, as classifiers and projectors do."""
    extra = ("head.weight", "fc.weight", "projector.0.weight", "decoder_blocks.0.norm1.weight")
    return {**network(), **{name: torch.zeros(2, 2) for name in extra}, "mask_token": torch.ones(1)}


def chunked():
    """Blocks in chunks, as DINOv2's own trainer keeps them."""
    state = network()
    names = {
        n: n.replace("blocks.1.", "blocks.1.1.").replace("blocks.0.", "blocks.0.0.") for n in state
    }
    return {"teacher": {f"backbone.{names[n]}": v for n, v in state.items()}}


def strided():
    """Views of larger storages, as slices and transposes are."""
    return {n: torch.stack([v, v], dim=-1)[..., 0] for n, v in network().items()}


def shared():
    """Every tensor a view of one storage."""
    flat, views, start = torch.cat([v.flatten() for v in network().values()]), {}, 0
    for name, value in network().items():
        views[name] = flat[start : start + value.numel()].view(value.shape)
        start += value.numel()
    return views


def older(content):
    """A file as an older NumPy, or Windows, would have written it."""
    data = bytes_of(content, _use_new_zipfile_serialization=False)
    data = data.replace(b"cnumpy._core.", b"cnumpy.core.")
    return data.replace(b"cpathlib\nPureWindowsPath", b"cpathlib\nWindowsPath")


def pair(first, second):
    return lambda: {first: network(), second: other()}


def flat_pair(first, second):
    return lambda: {"state_dict": prefixed(first, network()) | prefixed(second, other())}


# name: maker, answers. Each gives the features of ``network()``, bare.
RIGHT = {
    "safetensors": (tensors(network), {}),
    "pytorch": (saved(network), {}),
    "pytorch before 1.6": (saved(network, _use_new_zipfile_serialization=False), {}),
    "suffix in capitals": (tensors(network, "W.SAFETENSORS"), {}),
    "safetensors called pth": (tensors(network, "w.pth"), {}),
    "pytorch called safetensors": (saved(network, "w.safetensors"), {}),
    "no suffix": (saved(network, "weights"), {}),
    "a suffix of another kind": (tensors(network, "w.tar.gz"), {}),
    "metadata": (tensors(network, metadata={"format": "pt"}), {}),
    "module._orig_mod.": (saved(lambda: prefixed("module._orig_mod.", network())), {}),
    "_orig_mod.module.": (saved(lambda: prefixed("_orig_mod.module.", network())), {}),
    "model.module.": (tensors(lambda: prefixed("model.module.", network())), {}),
    "teacher.backbone.": (tensors(lambda: prefixed("teacher.backbone.", network())), {}),
    "net.": (tensors(lambda: prefixed("net.", network())), {}),
    "base_encoder.": (saved(lambda: prefixed("base_encoder.", network())), {}),
    "model.encoder.": (tensors(lambda: prefixed("model.encoder.", network())), {}),
    "a prefix that nobody knows": (tensors(lambda: prefixed("lab.v2.vit_0.", network())), {}),
    "a prefix and a head": (tensors(lambda: prefixed("m.", {**network(), **head()})), {}),
    "model": (saved(lambda: {"model": network()}), {}),
    "state_dict": (saved(lambda: {"state_dict": network(), "optimizer": {0: 1}}), {}),
    "model_state_dict": (saved(lambda: {"model_state_dict": network()}), {}),
    "ema alone": (saved(lambda: {"ema": network()}), {}),
    "target_encoder alone": (saved(lambda: {"target_encoder": network()}), {}),
    "three wrappers": (saved(lambda: {"checkpoint": {"model": {"state_dict": network()}}}), {}),
    "a list": (saved(lambda: [network(), {"lr": 0.1}]), {}),
    "lightning": (
        saved(lambda: {"state_dict": prefixed("backbone.", network()), "hparams": {}}),
        {},
    ),
    "dino": (
        saved(
            lambda: {
                "student": prefixed("module.backbone.", other()) | prefixed("module.", head()),
                "teacher": prefixed("backbone.", network()) | head(),
            }
        ),
        {},
    ),
    "dinov2's trainer": (saved(chunked), {}),
    "model, state_dict_ema": (saved(pair("state_dict_ema", "state_dict")), {}),
    "model, model_ema": (saved(pair("model_ema", "model")), {}),
    "moments of an optimiser beside it": (
        saved(lambda: prefixed("model.", network()) | prefixed("optim.exp_avg.", other())),
        {},
    ),
    "moments by name": (
        saved(lambda: {"model": network(), "optimizer": {"exp_avg": other(), "step": 3}}),
        {},
    ),
    "a buffer of momentum": (saved(pair("model", "momentum_buffer")), {}),
    "MMEngine's average, by its name": (
        saved(pair("state_dict", "ema_state_dict")),
        {"part": "state_dict"},
    ),
    "a momentum encoder": (saved(pair("momentum_encoder", "encoder")), {}),
    "model, ema": (saved(pair("ema", "model")), {}),
    "ema, inside": (saved(lambda: {"model": other(), "ema": {"shadow": network()}}), {}),
    "modelEMA": (saved(pair("modelEMA", "model")), {}),
    "a teacher of a method called after momentum": (
        saved(
            lambda: {
                "momentum_training": prefixed("teacher.", network()) | prefixed("student.", other())
            }
        ),
        {},
    ),
    "i-jepa": (
        saved(
            lambda: {
                "encoder": prefixed("module.", other()),
                "predictor": {"module.predictor_blocks.0.norm1.weight": torch.ones(8)},
                "target_encoder": prefixed("module.", network()),
            }
        ),
        {},
    ),
    "moco v3": (saved(flat_pair("module.momentum_encoder.", "module.base_encoder.")), {}),
    "the student, as asked": (saved(pair("student", "teacher")), {"part": "student"}),
    "a word of the part": (
        saved(flat_pair("module.base_encoder.", "module.momentum_encoder.")),
        {"part": "base_encoder"},
    ),
    "one of two encoders, as asked": (saved(flat_pair("s2.", "s1.")), {"part": "state_dict.s2"}),
    "twice the same": (saved(lambda: {"model": network(), "state_dict": network()}), {}),
    "half precision": (tensors(lambda: {n: v.half() for n, v in network().items()}), {}),
    "bfloat16": (saved(lambda: {n: v.bfloat16() for n, v in network().items()}), {}),
    "double": (saved(lambda: {n: v.double() for n, v in network().items()}), {}),
    "parameters": (
        saved(lambda: {n: torch.nn.Parameter(v) for n, v in network().items()}),
        {},
    ),
    "tensors that require gradients": (
        saved(lambda: {n: v.requires_grad_() for n, v in network().items()}),
        {},
    ),
    "views": (saved(strided), {}),
    "one storage": (saved(shared), {}),
    "an ordered dict": (saved(lambda: collections.OrderedDict(network())), {}),
    "argparse.Namespace": (saved(beside(argparse.Namespace(lr=0.1, out=pathlib.Path("o")))), {}),
    "NumPy scalars": (
        saved(beside([np.float64(0.5), np.int64(3), np.float32(1), np.bool_(1)])),
        {},
    ),
    "NumPy arrays": (saved(beside({"seen": np.arange(4), "names": np.array(["a", "b"])})), {}),
    "paths": (saved(beside([pathlib.Path("a/b"), pathlib.PureWindowsPath("c:/d")])), {}),
    "NumPy scalars of an older NumPy": (raw(lambda: older(beside([np.float64(1)])())), {}),
    "paths of Windows": (raw(lambda: older(beside(pathlib.PureWindowsPath("c:/d"))())), {}),
    "other plain values": (
        saved(beside([frozenset({1}), range(3), slice(1, 2), b"", b"ab", 1 + 2j, {"s"}, None])),
        {},
    ),
    "types and devices": (saved(beside([torch.float16, torch.device("cpu"), torch.Size([1])])), {}),
    "dates": (saved(beside([datetime.datetime(2024, 1, 2), datetime.timedelta(days=1)])), {}),
    "default dicts": (saved(beside(collections.defaultdict(list, loss=[1.0]))), {}),
    "deques and counters": (
        saved(beside([collections.deque([1, 2], maxlen=3), collections.Counter("aab")])),
        {},
    ),
    "an optimiser": (
        saved(
            lambda: {
                "model": network(),
                "optimizer": {"state": {0: {"exp_avg": torch.zeros(2), "step": torch.tensor(3.0)}}},
            }
        ),
        {},
    ),
    "known heads": (tensors(with_heads), {}),
    "heads, as assumed": (tensors(network), {"heads": "2"}),
}


class Harmful:
    """A pickle that would run code."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('pickle ran code')",))


def quantised():
    state = network()
    name = "blocks.0.mlp.fc1.weight"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state[name] = torch.quantize_per_tensor(state[name], 0.1, 0, torch.qint8)
    return state


def changed(name, change):
    def content():
        state = network()
        state[name] = change(state[name])
        return state

    return content


def with_nan(value):
    value[3] = float("nan")
    return value


def without(*names):
    return lambda: {n: v for n, v in network().items() if n not in names}


def flipped():
    data = bytearray(bytes_of(network()))
    data[len(data) // 2] ^= 1
    return bytes(data)


FC1 = "blocks.0.mlp.fc1.weight"
NUMPY = io.BytesIO()
np.savez(NUMPY, w=np.zeros(3))

# name: maker, answers, what its one line says beside the file's name.
REFUSED = {
    "two encoders": (
        saved(flat_pair("s1.", "s2.")),
        {},
        "holds 2 networks: state_dict.s1, state_dict.s2",
    ),
    "MMEngine's, which is swapped": (
        saved(pair("state_dict", "ema_state_dict")),
        {},
        "holds 2 networks: state_dict, ema_state_dict",
    ),
    "a bare momentum": (saved(pair("model", "momentum")), {}, "holds 2 networks: model, momentum"),
    "source and target of an adaptation": (
        saved(pair("source_encoder", "target_encoder")),
        {},
        "holds 2 networks: source_encoder, target_encoder",
    ),
    "a network called after its pooling": (
        saved(pair("model", "avg_pool_model")),
        {},
        "holds 2 networks: model, avg_pool_model",
    ),
    "two averages": (saved(pair("ema", "teacher")), {}, "holds 2 networks: ema, teacher"),
    "a teacher of another size": (
        saved(lambda: {"teacher": other(dim=64, mlp_dim=128), "student": network()}),
        {},
        "holds 2 networks: teacher, student",
    ),
    "an unknown part": (
        saved(pair("student", "teacher")),
        {"part": "teacher2"},
        "Did you mean 'teacher'",
    ),
    "a part that could be two": (
        saved(flat_pair("a.enc.", "b.enc.")),
        {"part": "enc"},
        "'enc' could be state_dict.a.enc, state_dict.b.enc",
    ),
    "heads that do not divide": (tensors(network), {"heads": 5}, "5 attention heads do not divide"),
    "a git-LFS pointer": (
        raw(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"),
        {},
        "git-LFS pointer",
    ),
    "a git-LFS pointer called safetensors": (
        raw(b"version https://git-lfs.github.com/spec/v1\n", "w.safetensors"),
        {},
        "git-LFS pointer",
    ),
    "a web page": (raw(b"\n<!DOCTYPE html><html>404</html>"), {}, "web page"),
    "XML": (raw(b"<?xml version='1.0'?><Error>AccessDenied</Error>"), {}, "XML"),
    "JSON": (raw(b'{"error": "not found"}'), {}, "JSON"),
    "gzip": (raw(lambda: gzip.compress(bytes_of(network()))), {}, "gzip"),
    "HDF5": (raw(b"\x89HDF\r\n\x1a\n" + bytes(64), "w.h5"), {}, "HDF5"),
    "GGUF": (raw(b"GGUF\x03\0\0\0" + bytes(64), "w.gguf"), {}, "GGUF"),
    "npz": (raw(NUMPY.getvalue(), "w.npz"), {}, "NumPy archive"),
    "npy": (raw(b"\x93NUMPY\x01\x00v\x00{", "w.npy"), {}, "NumPy array"),
    "ONNX": (raw(b"\x08\x08\x12\x07pytorch" + bytes(64), "w.onnx"), {}, "ONNX"),
    "SavedModel": (raw(b"\x08\x01\x12\x9b\x01\n" + bytes(64), "saved_model.pb"), {}, "TensorFlow"),
    "TFLite": (raw(b"\x1c\0\0\0TFL3" + bytes(64), "w.tflite"), {}, "TensorFlow Lite"),
    "Keras": (raw(zipped(**{"config.json": "{}", "model.weights.h5": "x"})), {}, "Keras"),
    "a zip archive": (raw(zipped(readme="x")), {}, "zip archive that torch.save did not write"),
    "TorchScript": (
        raw(zipped(m__data=b"", m__code__x=b"", **{"m__data.pkl": b"", "m__constants.pkl": b""})),
        {},
        "TorchScript",
    ),
    "an empty file": (raw(b""), {}, "it is empty"),
    "text": (raw(b"not weights at all"), {}, "starts with b'not weig'"),
    "a picture": (raw(b"\x89PNG\r\n\x1a\n"), {}, "PNG"),
    "a plain pickle": (raw(pickle.dumps({"a": np.zeros(3)})), {}, "Python pickle"),
    "a pickle that runs code": (raw(pickle.dumps(Harmful(), protocol=2)), {}, "Python pickle"),
    "a torch file that runs code": (saved(lambda: {"model": Harmful()}), {}, "exec"),
    "a legacy torch file that runs code": (
        saved(lambda: Harmful(), _use_new_zipfile_serialization=False),
        {},
        "exec",
    ),
    "a whole module": (saved(lambda: torch.nn.Linear(2, 2)), {}, "torch.nn.modules.linear.Linear"),
    "a class of one's own": (saved(beside(Harmful)), {}, "made_weights.Harmful"),
    "pickle protocol 4": (saved(network, pickle_protocol=4), {}, "instructions"),
    "a cut torch file": (raw(lambda: bytes_of(network())[:-300]), {}, "cut short or damaged"),
    "a cut legacy file": (
        raw(lambda: bytes_of(network(), _use_new_zipfile_serialization=False)[:-300]),
        {},
        "cut short or damaged",
    ),
    "a cut safetensors file": (
        raw(lambda: (8).to_bytes(8, "little") + b'{"a":{}}'),
        {},
        "cut short or damaged",
    ),
    "an optimiser's state": (
        saved(lambda: {"optimizer": {0: torch.zeros(2)}}),
        {},
        "holds no cls_token",
    ),
    "integer keys": (
        saved(lambda: {0: torch.zeros(2), 1: torch.ones(2)}),
        {},
        "its keys are no names",
    ),
    "a tensor without a name beside named ones": (
        saved(lambda: {**network(), 7: torch.ones(2)}),
        {},
        "has a tensor called 7, a int",
    ),
    "a program in a list's place": (
        saved(beside([torch.nn.GELU()])),
        {},
        "torch.nn.modules.activation.GELU",
    ),
    "two encoders of one teacher": (
        saved(lambda: {"teacher": prefixed("a.", network()) | prefixed("b.", other())}),
        {},
        "holds 2 networks: teacher.a, teacher.b",
    ),
    "names that are bytes": (
        saved(lambda: {n.encode(): v for n, v in network().items()}),
        {},
        "its keys are no names but bytes",
    ),
    "a name that a terminal would obey": (
        tensors(lambda: {**network(), "blocks\x1b[31m\n": torch.ones(2)}),
        {},
        r"control characters, 'blocks\\x1b\[31m\\n'",
    ),
    "a torch file with one flipped bit": (
        raw(lambda: flipped()),
        {},
        "zip file that is cut short or damaged",
    ),
    "a tensor": (saved(lambda: torch.zeros(3)), {}, "it is a Tensor"),
    "another network": (
        tensors(lambda: {"conv1.weight": torch.ones(2), "layer1.0.bn1.bias": torch.ones(2)}),
        {},
        "its tensors are called conv1.weight",
    ),
    "quantised": (saved(quantised), {}, f"'{FC1}' is quantised"),
    "a few numbers that stand for gigabytes": (
        saved(changed("norm.bias", lambda v: v[:1].expand(1 << 34))),
        {},
        "'norm.bias' tells 17,179,869,184 numbers, of which the file holds",
    ),
    "whole numbers": (
        tensors(changed(FC1, lambda v: (v * 10).to(torch.int8))),
        {},
        f"'{FC1}' is of int8",
    ),
    "float8": (
        tensors(changed(FC1, lambda v: v.to(torch.float8_e4m3fn))),
        {},
        f"'{FC1}' is of float8_e4m3fn",
    ),
    "complex": (saved(changed(FC1, lambda v: v.to(torch.complex64))), {}, "complex64"),
    "sparse": (saved(changed(FC1, lambda v: v.to_sparse())), {}, "sparse_coo"),
    "no numbers": (saved(changed(FC1, lambda v: v.to("meta"))), {}, "device meta"),
    "NaN": (tensors(changed("norm.bias", with_nan)), {}, "'norm.bias' holds NaN"),
    "infinity": (
        tensors(changed(FC1, lambda v: v * 1e38 * 1e5)),
        {},
        f"'{FC1}' holds NaN or infinity",
    ),
    "all zero": (
        tensors(lambda: {n: torch.zeros_like(v) for n, v in network().items()}),
        {},
        "is 0 throughout",
    ),
    "constant": (
        tensors(lambda: {n: torch.full_like(v, 0.5) for n, v in network().items()}),
        {},
        "is 0.5 throughout",
    ),
    "one matrix of zeros": (
        tensors(changed(FC1, torch.zeros_like)),
        {},
        f"'{FC1}' is 0 throughout",
    ),
    "a norm of zeros": (
        tensors(changed("norm.weight", torch.zeros_like)),
        {},
        "'norm.weight' is 0",
    ),
    "a matrix of another shape": (
        tensors(changed("blocks.1.mlp.fc1.weight", lambda v: v.T)),
        {},
        r"'blocks.1.mlp.fc1.weight' has shape \(32, 64\); expected \(64, 32\)",
    ),
    "a bias of another shape": (
        tensors(changed("blocks.1.attn.qkv.bias", lambda v: v[:-1])),
        {},
        r"'blocks.1.attn.qkv.bias' has shape \(95,\); expected \(96,\)",
    ),
    "oblong patches": (
        tensors(changed("patch_embed.proj.weight", lambda v: v[..., :2])),
        {},
        "its patches are 4 × 2 px",
    ),
    "patches as a matrix": (
        tensors(changed("patch_embed.proj.weight", lambda v: v.flatten(1))),
        {},
        r"'patch_embed.proj.weight' has shape \(32, 48\); expected 4 axes",
    ),
    "another width": (tensors(lambda: network(dim=64, heads=2)), {}, "its features are 64 wide"),
    "positions of no square": (
        tensors(changed("pos_embed", lambda v: v[:, :16])),
        {},
        "its position embedding has 15 patches",
    ),
    "a block too few": (
        tensors(lambda: network(depth=1)),
        {},
        r"lacks 12 tensors \(blocks.1.attn.proj.bias",
    ),
    "a tensor too few": (tensors(without("norm.bias")), {}, r"lacks 1 tensors \(norm.bias\)"),
    "no patch embedding": (
        tensors(without("patch_embed.proj.weight")),
        {},
        r"lacks 1 tensors \(patch_embed.proj.weight\)",
    ),
    "a distillation token": (
        tensors(lambda: {**network(), "dist_token": torch.zeros(1, 1, 32)}),
        {},
        r"has 1 others \(dist_token\)",
    ),
    "adapters inside its blocks": (
        tensors(lambda: {**network(), "blocks.0.adapter.weight": torch.ones(2, 2)}),
        {},
        r"has 1 others \(blocks.0.adapter.weight\)",
    ),
}
