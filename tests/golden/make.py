#!/usr/bin/env python3
"""Writes what PyTorch computes to tests/golden/*.safetensors, for the tests beside them.

    tests/golden/make.py [autocast] [layers] [losses] [optim] [random] [seed_cnn] [sequences]     (all without arguments)

Needs PyTorch (2.13 from PyPI made the files; Debian's python3-torch gives the same to the tests' tolerances).
A file holds cases. A case has tensors "case/input.x", "case/param.weight", "case/buffer.running_mean", "case/output",
"case/grad.x", "case/grad.weight", "case/after.running_mean", in float64 unless it says otherwise, and its settings as
JSON in the file's metadata.
"""
import json
import pathlib
import sys
import warnings
import zlib

import torch
from torch import nn
from torch.nn import functional as F

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).resolve().parent
DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


class File:
    """Tensors and settings by name; a safetensors file in the end."""

    def __init__(self):
        self.tensors, self.metadata = {}, {"made_by": f"PyTorch {torch.__version__.split('+')[0]}"}

    def add(self, case, settings, **tensors):
        """Tensors' names are given with "__" for "."."""
        self.metadata[case] = json.dumps(settings)
        for name, value in tensors.items():
            self.tensors[f"{case}/{name.replace('__', '.')}"] = value.detach().clone().contiguous()

    def write(self, name):
        header, data = {"__metadata__": self.metadata}, b""
        for key, value in self.tensors.items():
            raw = value.numpy().tobytes()
            header[key] = {"dtype": DTYPES[value.dtype], "shape": list(value.shape),
                           "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        (HERE / name).write_bytes(len(text).to_bytes(8, "little") + text + data)
        print(f"{name}: {len(self.tensors)} tensors, {8 + len(text) + len(data)} bytes")


def seeded(case):
    """A case's numbers depend on its name alone."""
    torch.manual_seed(zlib.crc32(case.encode()))


def randn(*shape):
    return torch.randn(shape, dtype=torch.float64)


# ---- layers

def layer_cases():
    """(name, module, input) of each."""
    def image(*shape): return lambda: randn(*shape)

    conv = nn.Conv2d
    yield "conv2d", conv(3, 4, 3), image(2, 3, 7, 6)
    yield "conv2d_padding", conv(3, 5, 3, padding=1), image(2, 3, 7, 6)
    yield "conv2d_stride", conv(4, 6, 3, stride=2, padding=1), image(2, 4, 9, 8)
    yield "conv2d_rectangular", conv(3, 4, (3, 1), stride=(1, 2), padding=(1, 0)), image(2, 3, 6, 7)
    yield "conv2d_dilation", conv(2, 3, 3, padding=2, dilation=2), image(2, 2, 7, 7)
    yield "conv2d_groups", conv(4, 6, 3, padding=1, groups=2), image(2, 4, 5, 5)
    yield "conv2d_depthwise", conv(4, 4, 3, padding=1, groups=4), image(2, 4, 5, 5)
    yield "conv2d_no_bias", conv(3, 4, 2, bias=False), image(1, 3, 5, 5)
    yield "conv2d_1x1", conv(8, 5, 1), image(2, 8, 4, 4)
    yield "conv2d_wide", conv(16, 16, 3, padding=1), image(2, 16, 10, 9)
    yield "linear", nn.Linear(7, 5), image(4, 7)
    yield "linear_no_bias", nn.Linear(7, 5, bias=False), image(4, 7)
    yield "linear_sequence", nn.Linear(7, 5), image(2, 3, 7)
    yield "relu", nn.ReLU(), image(3, 5)
    yield "flatten", nn.Flatten(), image(2, 3, 4, 5)
    yield "flatten_middle", nn.Flatten(1, 2), image(2, 3, 4, 5)
    yield "max_pool2d", nn.MaxPool2d(2), image(2, 3, 6, 7)
    yield "max_pool2d_overlapping", nn.MaxPool2d(3, stride=2, padding=1), image(2, 3, 7, 8)
    yield "max_pool2d_ceil_mode", nn.MaxPool2d(3, stride=2, ceil_mode=True), image(2, 3, 6, 8)
    yield "max_pool2d_dilation", nn.MaxPool2d(2, stride=1, dilation=2), image(2, 3, 6, 6)
    yield "avg_pool2d", nn.AvgPool2d(2), image(2, 3, 6, 7)
    yield "avg_pool2d_padding", nn.AvgPool2d(3, stride=2, padding=1), image(2, 3, 7, 8)
    yield "avg_pool2d_exclude_padding", nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), \
        image(2, 3, 7, 8)
    yield "avg_pool2d_ceil_mode", nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), image(2, 3, 6, 8)
    yield "adaptive_avg_pool2d_one", nn.AdaptiveAvgPool2d(1), image(2, 3, 5, 7)
    yield "adaptive_avg_pool2d", nn.AdaptiveAvgPool2d((3, 2)), image(2, 3, 5, 7)
    yield "batch_norm1d_train", nn.BatchNorm1d(5), image(6, 5)
    yield "batch_norm1d_eval", nn.BatchNorm1d(5).eval(), image(6, 5)
    yield "batch_norm1d_sequence", nn.BatchNorm1d(5), image(4, 5, 3)
    yield "batch_norm2d_train", nn.BatchNorm2d(4), image(3, 4, 5, 6)
    yield "batch_norm2d_eval", nn.BatchNorm2d(4).eval(), image(3, 4, 5, 6)
    yield "batch_norm2d_momentum", nn.BatchNorm2d(4, eps=1e-3, momentum=0.3), image(3, 4, 5, 6)
    yield "batch_norm2d_no_affine", nn.BatchNorm2d(4, affine=False), image(3, 4, 5, 6)
    yield "layer_norm", nn.LayerNorm(6), image(4, 6)
    yield "layer_norm_two", nn.LayerNorm((3, 6)), image(2, 4, 3, 6)
    yield "layer_norm_no_affine", nn.LayerNorm(6, elementwise_affine=False), image(4, 6)
    yield "dropout_eval", nn.Dropout(0.5).eval(), image(4, 6)
    yield "embedding", nn.Embedding(9, 4), lambda: torch.randint(0, 9, (3, 5))
    yield "embedding_padding_idx", nn.Embedding(9, 4, padding_idx=2), lambda: torch.arange(10).reshape(2, 5) % 4
    yield "gelu", nn.GELU(), image(5, 6)
    yield "gelu_tanh", nn.GELU(approximate="tanh"), image(5, 6)
    yield "sigmoid", nn.Sigmoid(), image(5, 6)
    yield "tanh", nn.Tanh(), image(5, 6)
    yield "softmax", nn.Softmax(dim=1), image(4, 6)
    yield "softmax_channels", nn.Softmax(dim=1), image(2, 5, 3)


def layers():
    file = File()
    for case, module, make_input in layer_cases():
        seeded(case)
        module.double()
        with torch.no_grad():
            if isinstance(module, nn.Embedding):
                module.reset_parameters()
            else:
                for p in module.parameters():
                    p.copy_(torch.randn_like(p) * 0.5)
            for b in module.buffers():
                if b.is_floating_point():
                    b.copy_(torch.rand_like(b) + 0.5)
        before = {f"buffer__{n}": b.clone() for n, b in module.named_buffers()}
        x = make_input()
        if x.is_floating_point():
            x.requires_grad_()
        y = module(x)
        cotangent = randn(*y.shape)
        y.backward(cotangent)
        grads = {f"grad__{n}": p.grad for n, p in module.named_parameters()}
        if x.is_floating_point():
            grads["grad__x"] = x.grad
        file.add(case, {"module": repr(module)}, input__x=x, input__cotangent=cotangent, output=y,
                 **{f"param__{n}": p for n, p in module.named_parameters()}, **grads,
                 **before, **{f"after__{n}": b for n, b in module.named_buffers()})
    file.write("layers.safetensors")


# ---- losses

def loss_cases():
    """(name, function, settings, input, target)."""
    def labels(classes, *shape): return lambda: torch.randint(0, classes, shape)

    def mostly_ignored():
        return torch.tensor([1, -100, 4, -100, 0, 2])

    def with_twos():
        return torch.tensor([1, 2, 4, 2, 0, 3])

    def soft(*shape): return lambda: torch.softmax(randn(*shape), 1)
    def like(*shape): return lambda: randn(*shape)
    def zero_to_one(*shape): return lambda: torch.rand(*shape, dtype=torch.float64)
    weight = torch.tensor([0.2, 1.0, 3.0, 0.5, 1.5], dtype=torch.float64)

    for reduction in "none", "mean", "sum":
        how = {"reduction": reduction}
        yield f"cross_entropy_{reduction}", F.cross_entropy, how, (6, 5), labels(5, 6)
        yield f"cross_entropy_weight_{reduction}", F.cross_entropy, {"weight": weight, **how}, (6, 5), labels(5, 6)
        yield f"cross_entropy_smoothing_{reduction}", F.cross_entropy, {"label_smoothing": 0.1, **how}, \
            (6, 5), labels(5, 6)
        yield f"cross_entropy_ignore_{reduction}", F.cross_entropy, how, (6, 5), mostly_ignored
        yield f"cross_entropy_all_{reduction}", F.cross_entropy, \
            {"weight": weight, "label_smoothing": 0.2, "ignore_index": 2, **how}, (6, 5), with_twos
        yield f"cross_entropy_soft_{reduction}", F.cross_entropy, how, (6, 5), soft(6, 5)
        yield f"cross_entropy_soft_all_{reduction}", F.cross_entropy, \
            {"weight": weight, "label_smoothing": 0.2, **how}, (6, 5), soft(6, 5)
        yield f"cross_entropy_image_{reduction}", F.cross_entropy, {"weight": weight, **how}, \
            (2, 5, 3, 4), labels(5, 2, 3, 4)
        yield f"nll_loss_{reduction}", F.nll_loss, how, (6, 5), labels(5, 6)
        yield f"nll_loss_all_{reduction}", F.nll_loss, {"weight": weight, "ignore_index": 2, **how}, (6, 5), with_twos
        yield f"mse_loss_{reduction}", F.mse_loss, how, (4, 3), like(4, 3)
        yield f"l1_loss_{reduction}", F.l1_loss, how, (4, 3), like(4, 3)
        bce = F.binary_cross_entropy_with_logits
        yield f"bce_with_logits_{reduction}", bce, how, (4, 5), zero_to_one(4, 5)
        yield f"bce_with_logits_all_{reduction}", bce, {"weight": weight.flip(0), "pos_weight": weight, **how}, \
            (4, 5), zero_to_one(4, 5)


def losses():
    file = File()
    for case, function, settings, shape, make_target in loss_cases():
        seeded(case)
        x = (randn(*shape) * 2).requires_grad_()
        target = make_target()
        loss = function(F.log_softmax(x, 1) if function is F.nll_loss else x, target, **settings)
        cotangent = randn(*loss.shape)
        loss.backward(cotangent)
        plain = {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in settings.items()}
        given = {f"input__{k}": v for k, v in settings.items() if isinstance(v, torch.Tensor)}
        file.add(case, plain, input__x=x, input__target=target, **given, input__cotangent=cotangent, output=loss,
                 grad__x=x.grad)
    file.write("losses.safetensors")


# ---- optimizers and schedules

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "sgd_weight_decay": (torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.05}),
    "sgd_momentum": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "sgd_dampening": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    "sgd_nesterov": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    "sgd_maximize": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05, "maximize": True}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adam_settings": (torch.optim.Adam, {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1}),
    "adam_slow": (torch.optim.Adam, {"lr": 0.02, "betas": (0.3, 0.5)}),
    "adam_amsgrad": (torch.optim.Adam, {"lr": 0.01, "amsgrad": True}),
    "adam_maximize": (torch.optim.Adam, {"lr": 0.01, "maximize": True}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01}),
    "adamw_weight_decay": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.3}),
    "adamw_amsgrad": (torch.optim.AdamW, {"lr": 0.01, "amsgrad": True}),
}
STEPS = 10


def optimizer_case(file, case, kind, settings, dtype):
    """Gradients are given, so that a rounding doesn't grow; those of `b` are absent at the third step."""
    seeded("optimizers")
    start = {"a": randn(5, 3).to(dtype), "b": randn(17).to(dtype)}
    grads = {n: (randn(STEPS, *p.shape) * torch.linspace(0.1, 3, STEPS).double().reshape(-1, *[1] * p.dim())).to(dtype)
             for n, p in start.items()}
    params = {n: p.clone().requires_grad_() for n, p in start.items()}
    optimizer = kind(list(params.values()), foreach=False, **settings)
    after = {n: [] for n in params}
    for step in range(STEPS):
        for n, p in params.items():
            p.grad = None if n == "b" and step == 2 else grads[n][step].clone()
        optimizer.step()
        for n, p in params.items():
            after[n].append(p.detach().clone())
    file.add(case, settings, **{f"param__{n}": p for n, p in start.items()},
             **{f"grad__{n}": g for n, g in grads.items()}, **{f"after__{n}": torch.stack(a) for n, a in after.items()})


def schedule_case(file, case, settings, make, steps=25):
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.02}], lr=0.5)
    schedule, lrs = make(optimizer), []
    for _ in range(steps):
        lrs.append(schedule.get_last_lr())
        optimizer.step()
        schedule.step()
    file.add(case, settings, output=torch.tensor(lrs, dtype=torch.float64))


def optim():
    file, lr = File(), torch.optim.lr_scheduler
    for case, (kind, settings) in OPTIMIZERS.items():
        optimizer_case(file, case, kind, settings, torch.float64)
        optimizer_case(file, case + "_float32", kind, settings, torch.float32)
    schedule_case(file, "step_lr", {"step_size": 3, "gamma": 0.1}, lambda o: lr.StepLR(o, 3))
    schedule_case(file, "step_lr_half", {"step_size": 4, "gamma": 0.5}, lambda o: lr.StepLR(o, 4, gamma=0.5))
    schedule_case(file, "cosine", {"T_max": 10}, lambda o: lr.CosineAnnealingLR(o, 10))
    schedule_case(file, "cosine_eta_min", {"T_max": 7, "eta_min": 0.01},
                  lambda o: lr.CosineAnnealingLR(o, 7, eta_min=0.01))
    file.write("optim.safetensors")


# ---- random numbers: each case starts from manual_seed(0)

def random():
    file = File()

    def case(name, settings, draw):
        torch.manual_seed(0)
        file.add(name, settings, **draw())

    sizes = [1, 2, 3, 15, 16, 17, 31, 32, 33, 40]
    for dtype in torch.float32, torch.float64:
        suffix = str(dtype).replace("torch.", "_")
        case("rand" + suffix, {"sizes": sizes}, lambda: {f"output__{n}": torch.rand(n, dtype=dtype) for n in sizes})
        case("randn" + suffix, {"sizes": sizes}, lambda: {f"output__{n}": torch.randn(n, dtype=dtype) for n in sizes})
        case("uniform" + suffix, {"from": -0.3, "to": 0.7},
             lambda: {"output": torch.empty(40, dtype=dtype).uniform_(-0.3, 0.7)})
    case("randint", {"low": -5, "high": 12}, lambda: {"output": torch.randint(-5, 12, (40,))})
    case("randint_wide", {"low": 0, "high": 2**40}, lambda: {"output": torch.randint(0, 2**40, (10,))})
    case("randperm", {"sizes": [10, 100]}, lambda: {f"output__{n}": torch.randperm(n) for n in (10, 100)})
    for name, make in {"linear": lambda: nn.Linear(20, 3), "conv2d": lambda: nn.Conv2d(3, 4, 3),
                       "embedding": lambda: nn.Embedding(10, 3, padding_idx=1),
                       "lstm": lambda: nn.LSTM(3, 2, num_layers=2, bidirectional=True), "gru": lambda: nn.GRU(3, 2),
                       "lstm_cell": lambda: nn.LSTMCell(3, 2),
                       "attention": lambda: nn.MultiheadAttention(4, 2, add_bias_kv=True),
                       "attention_kdim": lambda: nn.MultiheadAttention(4, 2, kdim=3, vdim=5),
                       "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5), 2, nn.LayerNorm(4)),
                       }.items():
        case(name, {}, lambda: {f"output__{n}": p for n, p in make().named_parameters()})

    def init(function, **settings):
        case(function.__name__.rstrip("_"), settings, lambda: {"output": function(torch.empty(6, 4, 3, 3), **settings)})
    init(nn.init.xavier_uniform_, gain=1.5)
    init(nn.init.xavier_normal_)
    init(nn.init.kaiming_uniform_, nonlinearity="relu")
    init(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")
    file.write("random.safetensors")


# ---- recurrent layers and attention

def sequence_cases():
    """(name, module, inputs by name, call) of each; a call gives a list of results."""
    def flat(results):
        return [t for r in results for t in (flat(r) if isinstance(r, tuple) else [r]) if t is not None]

    def plain(m, *inputs): return flat((m(*inputs),))
    def with_state(m, x, h, c): return flat((m(x, (h, c)),))

    for name, kind in ("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN):
        yield name, kind(5, 3), {"x": randn(4, 2, 5)}, plain
        yield f"{name}_all", kind(3, 5, num_layers=2, bidirectional=True, batch_first=True), {"x": randn(2, 3, 3)}, plain
        yield f"{name}_no_bias", kind(2, 17, bias=False), {"x": randn(3, 1, 2)}, plain
        yield f"{name}_unbatched", kind(3, 4, batch_first=True), {"x": randn(5, 3)}, plain
    yield "rnn_relu", nn.RNN(4, 3, nonlinearity="relu"), {"x": randn(3, 2, 4)}, plain
    yield "lstm_state", nn.LSTM(3, 4, num_layers=2), \
        {"x": randn(3, 2, 3), "h": randn(2, 2, 4), "c": randn(2, 2, 4)}, with_state
    yield "gru_state", nn.GRU(3, 4, bidirectional=True), {"x": randn(3, 2, 3), "h": randn(2, 2, 4)}, plain
    yield "lstm_cell", nn.LSTMCell(3, 4), {"x": randn(2, 3), "h": randn(2, 4), "c": randn(2, 4)}, with_state
    yield "gru_cell", nn.GRUCell(3, 4), {"x": randn(2, 3), "h": randn(2, 4)}, plain
    yield "gru_cell_no_bias", nn.GRUCell(3, 4, bias=False), {"x": randn(3)}, plain

    def attend(**settings):
        def call(m, *inputs): return flat(m(*(inputs * 3)[:3], **settings))
        return call
    attention, causal = nn.MultiheadAttention, torch.ones(4, 4).triu(1).bool()
    padding = torch.tensor([[False] * 4, [False, False, True, True], [True, False, False, False]])
    yield "attention", attention(6, 2, batch_first=True), {"x": randn(3, 4, 6)}, attend(need_weights=False)
    yield "attention_weights", attention(6, 3), {"x": randn(4, 3, 6)}, attend()
    yield "attention_of_each_head", attention(6, 2, bias=False), {"x": randn(4, 3, 6)}, \
        attend(average_attn_weights=False)
    yield "attention_causal", attention(6, 2, batch_first=True), {"x": randn(3, 4, 6)}, \
        attend(attn_mask=causal, need_weights=False, is_causal=True)
    yield "attention_padding", attention(6, 2, batch_first=True), {"x": randn(3, 4, 6)}, \
        attend(key_padding_mask=padding, need_weights=False)
    yield "attention_both_masks", attention(6, 2), {"x": randn(4, 3, 6), "mask": randn(6, 4, 4)}, \
        lambda m, x, mask: flat(m(x, x, x, attn_mask=mask, key_padding_mask=padding))
    yield "attention_cross", attention(6, 2, kdim=3, vdim=5), \
        {"q": randn(4, 2, 6), "k": randn(5, 2, 3), "v": randn(5, 2, 5)}, attend()
    yield "attention_memory", attention(6, 2, batch_first=True), {"q": randn(2, 3, 6), "k": randn(2, 4, 6)}, \
        lambda m, q, k: flat(m(q, k, k, need_weights=False))
    yield "attention_bias_kv", attention(6, 2, add_bias_kv=True, add_zero_attn=True), {"x": randn(4, 3, 6)}, \
        attend(key_padding_mask=padding, attn_mask=causal)
    yield "attention_unbatched", attention(6, 2), {"x": randn(4, 6)}, attend()

    layer = nn.TransformerEncoderLayer
    yield "encoder_layer", layer(6, 2, 7, dropout=0.0), {"x": randn(4, 3, 6)}, plain
    yield "encoder_layer_norm_first", layer(6, 2, 7, dropout=0.0, activation="gelu", norm_first=True, batch_first=True), \
        {"x": randn(3, 4, 6)}, lambda m, x: [m(x, src_key_padding_mask=padding)]
    yield "encoder", nn.TransformerEncoder(layer(4, 2, 5, dropout=0.0, bias=False, batch_first=True), 2, nn.LayerNorm(4)), \
        {"x": randn(3, 4, 4)}, lambda m, x: [m(x, mask=causal.float().masked_fill(causal, -torch.inf).double())]


def sequences():
    file = File()
    seeded("sequences")
    for case, module, inputs, call in sequence_cases():
        seeded(case)
        module.double()
        with torch.no_grad():
            for p in module.parameters():
                p.copy_(torch.randn_like(p) * 0.5)
        for x in inputs.values():
            x.requires_grad_()
        results = call(module, *inputs.values())
        cotangents = [randn(*y.shape) for y in results]
        torch.autograd.backward(results, cotangents)
        file.add(case, {"module": repr(module), "keys": list(module.state_dict())},
                 **{f"input__{n}": x for n, x in inputs.items()}, **{f"grad__{n}": x.grad for n, x in inputs.items()},
                 **{f"output__{i}": y for i, y in enumerate(results)},
                 **{f"cotangent__{i}": c for i, c in enumerate(cotangents)},
                 **{f"param__{n}": p for n, p in module.named_parameters()},
                 **{f"grad__{n}": p.grad for n, p in module.named_parameters()})
    file.write("sequences.safetensors")


# ---- the dtypes of results under autocast, from float32 and from bfloat16
def autocast_cases():
    def to_classes(f): return lambda x: f(x, torch.tensor([1, 2]))
    def like(f): return lambda x: f(x, torch.ones(x.shape))
    image, matrix = (2, 3, 6, 6), (2, 6)
    yield "conv2d", image, lambda x: F.conv2d(x, torch.randn(4, 3, 3, 3), torch.randn(4))
    yield "linear", matrix, lambda x: F.linear(x, torch.randn(5, 6), torch.randn(5))
    yield "matmul", matrix, lambda x: torch.matmul(x, torch.randn(6, 5))
    yield "mm", matrix, lambda x: torch.mm(x, torch.randn(6, 5))
    yield "bmm", (2, 4, 6), lambda x: torch.bmm(x, torch.randn(2, 6, 5))
    yield "dot", (6,), lambda x: torch.dot(x, x)
    yield "attention", (2, 2, 4, 6), lambda x: F.scaled_dot_product_attention(x, x, x)
    yield "relu", image, F.relu
    yield "add", image, lambda x: x + torch.randn(6)
    yield "square", image, lambda x: x * x
    yield "exp", matrix, torch.exp
    yield "gelu", matrix, F.gelu
    yield "softmax", matrix, lambda x: F.softmax(x, 1)
    yield "log_softmax", matrix, lambda x: F.log_softmax(x, 1)
    yield "batch_norm", image, lambda x: F.batch_norm(x, torch.zeros(3), torch.ones(3), torch.ones(3), torch.zeros(3), True)
    yield "layer_norm", matrix, lambda x: F.layer_norm(x, (6,), torch.ones(6), torch.zeros(6))
    yield "max_pool2d", image, lambda x: F.max_pool2d(x, 2)
    yield "adaptive_avg_pool2d", image, lambda x: F.adaptive_avg_pool2d(x, 1)
    yield "sum", matrix, torch.sum
    yield "mean", matrix, torch.mean
    yield "cat", matrix, lambda x: torch.cat([x, torch.randn(2, 6)])
    yield "cross_entropy", matrix, to_classes(F.cross_entropy)
    yield "nll_loss", matrix, to_classes(F.nll_loss)
    yield "mse_loss", matrix, like(F.mse_loss)
    yield "l1_loss", matrix, like(F.l1_loss)
    yield "binary_cross_entropy_with_logits", matrix, like(F.binary_cross_entropy_with_logits)


def autocast():
    file = File()
    for case, shape, run in autocast_cases():
        with torch.autocast("cpu", torch.bfloat16):
            dtypes = [run(torch.randn(shape).to(d)).dtype for d in (torch.float32, torch.bfloat16)]
        file.add(case, " ".join(str(d).removeprefix("torch.") for d in dtypes))
    file.write("autocast.safetensors")


def seed_cnn():
    import seed_cnn as whole
    file = File()
    whole.run(file)
    file.write("seed_cnn.safetensors")


if __name__ == "__main__":
    for part in sys.argv[1:] or ["autocast", "layers", "losses", "optim", "random", "seed_cnn", "sequences"]:
        {"autocast": autocast, "layers": layers, "losses": losses, "optim": optim, "random": random, "seed_cnn": seed_cnn,
         "sequences": sequences}[part]()
