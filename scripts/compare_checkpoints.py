"""The part of compare_checkpoints that runs in Python: compare_checkpoints.py ESPALIER FOLDER."""
import json
import pathlib
import subprocess
import sys

import numpy
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/golden"))
tool, folder = sys.argv[1:]
import make_checkpoints  # noqa: E402

# weights_only of 1.13 reads no real numbers and no quantised tensors, those of its own files neither.
SAFE = {} if torch.__version__.startswith("1.") else {"weights_only": True}
failed = 0


def check(what, good):
    global failed
    failed += not good
    print(("same    " if good else "DIFFERS ") + what)


def raw(t):
    if not t.numel():
        return b""
    t = t.detach().reshape(-1).contiguous().clone()
    return (t.view(torch.uint8) if t.dtype != torch.bool else t.to(torch.uint8)).numpy().tobytes()


def same(a, b):
    return list(a) == list(b) and all(
        a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and raw(a[k]) == raw(b[k]) for k in a)


def convert(source, target):
    run = subprocess.run([tool, "convert", source, target], capture_output=True, text=True)
    if run.returncode:
        print(run.stderr)
    return run.returncode == 0


def state():
    names = """float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool complex64
               complex128 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz""".split()
    out = {}
    for name in names:
        dtype = getattr(torch, name, None)
        if dtype is None:
            continue
        bytes_ = torch.randint(0, 2 if name == "bool" else 256, (16 * 6,), dtype=torch.uint8)
        values = bytes_.to(torch.bool) if name == "bool" else bytes_.view(dtype)
        out[name] = values[:6].reshape(2, 3)
        out[name + ".scalar"] = values[5].clone()
        out[name + ".empty"] = torch.empty(0, 3, dtype=dtype)
    base = torch.randn(4, 5)
    return {**out, "base": base, "tied": base, "view": base[1:3, 2:], "transposed": base.t(),
            "spread": base[0, :1].expand(3),
            "channels_last": torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)}


def round_trips(values):
    """Both formats: its name, whether all was converted, and PyTorch's file, Espalier's, and Espalier's of that."""
    for legacy in False, True:
        source, target, again = (f"{folder}/{name}.pt" for name in ("source", "target", "again"))
        torch.save(values, source, _use_new_zipfile_serialization=not legacy)
        good = convert(source, target) and convert(target, again)
        yield "the old format" if legacy else "zip", good, source, target, again


def files():
    values = state()
    for what, good, _, target, again in round_trips(values):
        back = torch.load(target, weights_only=True)
        check(f"{what}, all types and views", good and same(values, back))
        check(f"{what}, twice through Espalier", good and same(values, torch.load(again, weights_only=True)))
        check(f"{what}, ties", back["base"].data_ptr() == back["tied"].data_ptr() == back["transposed"].data_ptr())
        check(f"{what}, strides", back["channels_last"].is_contiguous(memory_format=torch.channels_last))
    arrays = {k: v.numpy() for k, v in values.items()
              if v.dtype in (torch.float32, torch.float64, torch.float16, torch.int64, torch.bool)}
    numpy.savez_compressed(f"{folder}/source.npz", **arrays)
    good = convert(f"{folder}/source.npz", f"{folder}/target.npz")
    back = numpy.load(f"{folder}/target.npz")
    check("NumPy", good and all(back[k].tobytes() == v.tobytes() for k, v in arrays.items()))
    good = convert(f"{folder}/source.npz", f"{folder}/target.pt")
    back = torch.load(f"{folder}/target.pt", weights_only=True)
    check("NumPy to PyTorch", good and all(back[k].numpy().tobytes() == v.tobytes() for k, v in arrays.items()))


def quantised():
    x, scales, zeros = torch.randn(4, 6), torch.rand(4, dtype=torch.float64), torch.arange(4)
    out = {"empty": torch.quantize_per_tensor(torch.empty(0, 3), 0.1, 3, torch.qint8)}
    for dtype in torch.qint8, torch.quint8, torch.qint32:
        whole = torch.quantize_per_tensor(x, 0.1, 3, dtype)
        sliced = torch.quantize_per_channel(x, scales, zeros, 0, dtype)
        out |= {f"{dtype}": whole, f"{dtype}.tied": whole, f"{dtype}.view": whole[1:3, 2:], f"{dtype}.t": whole.t(),
                f"{dtype}.scalar": whole[0, 0], f"{dtype}.rows": sliced,
                f"{dtype}.columns": torch.quantize_per_channel(x.t(), scales, zeros, 1, dtype)}
    out["floats"] = torch.quantize_per_channel(x, scales.float(), zeros + 0.5, 0, torch.quint8)
    return out


def same_quantised(a, b):
    def facts(t):
        whole = t.qscheme() == torch.per_tensor_affine
        how = ((t.q_scale(), t.q_zero_point()) if whole else
               (t.q_per_channel_axis(), *(raw(p) + str(p.dtype).encode() for p in
                                          (t.q_per_channel_scales(), t.q_per_channel_zero_points()))))
        return t.dtype, t.shape, t.stride(), t.qscheme(), how, raw(t.int_repr())
    return list(a) == list(b) and all(facts(a[k]) == facts(b[k]) for k in a)


def quantised_files():
    """Scales and zero points; safetensors and NumPy have no place for them."""
    values = quantised()
    for what, good, source, target, again in round_trips(values):
        for path, how in (target, "quantised"), (again, "quantised, twice through Espalier"):
            check(f"{what}, {how}", good and same_quantised(values, torch.load(path, **SAFE)))
    run = subprocess.run([tool, "diff", source, again], capture_output=True)
    check("quantised, by espalier diff", run.returncode == 0)
    for end in "safetensors", "npz":
        run = subprocess.run([tool, "convert", source, f"{folder}/x.{end}"], capture_output=True, text=True)
        check(f"quantised, refused for {end}", run.returncode == 1 and "quantised" in run.stderr)


def models():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    target = f"{folder}/back.pt"
    torch.save(model.state_dict(), f"{folder}/model.pt")
    good = convert(f"{folder}/model.pt", target)
    model.load_state_dict(torch.load(target, weights_only=True))
    check("a state_dict", good and same(model.state_dict(), torch.load(target, weights_only=True)))
    torch.jit.script(model).save(f"{folder}/script.pt")
    good = convert(f"{folder}/script.pt", target)
    back = torch.load(target, weights_only=True)
    check("TorchScript", good and all(torch.equal(back[k], v) for k, v in model.state_dict().items()))
    torch.save(model, f"{folder}/whole.pt")
    good = convert(f"{folder}/whole.pt", target)
    check("a module saved whole", good and same(model.state_dict(), torch.load(target, weights_only=True)))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.bn = nn.Linear(2, 3, bias=False), nn.Linear(2, 3), nn.BatchNorm1d(3)
        self.a.weight = self.b.weight


def tied():
    """A model that Espalier saved."""
    state, model = torch.load(f"{folder}/tied.pt", weights_only=True), Tied()
    model.load_state_dict(state)
    check("a model with a tie", same(model.state_dict(), state) and state["a.weight"].data_ptr() == state["b.weight"].data_ptr())
    check("its metadata", state._metadata == model.state_dict()._metadata)
    try:
        from safetensors.torch import load_file, load_model
    except ImportError:
        return
    missing, unexpected = load_model(model, f"{folder}/tied.safetensors")
    check("the same from safetensors", not missing and not unexpected and same(model.state_dict(), state))
    index = json.loads(pathlib.Path(f"{folder}/tied.safetensors.index.json").read_text())
    parts = {}
    for file in set(index["weight_map"].values()):
        part = load_file(f"{folder}/{file}")
        assert all(index["weight_map"][name] == file for name in part)
        parts |= part
    size = sum(t.numel() * t.element_size() for t in parts.values())
    check("the same from several files", {k: raw(v) for k, v in parts.items()} == {
        k: raw(v) for k, v in state.items() if k != "b.weight"} and size == index["metadata"]["total_size"])


def safetensors():
    """The bytes of the reference implementation, where there is one."""
    try:
        from safetensors.torch import load_file, save_file
    except ImportError:
        return
    names = ("float32", "float64", "bfloat16", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "float8_e4m3fn")
    values = {f"layer.{n}": torch.randint(0, 2, (2, 3)).to(getattr(torch, n)) for n in names}
    values |= {"layer.scalar": torch.tensor(1.5), "layer.empty": torch.empty(0, 3)}
    source, target = f"{folder}/source.safetensors", f"{folder}/target.safetensors"
    save_file(values, source)
    good = convert(source, target)
    check("safetensors, byte for byte", good and pathlib.Path(source).read_bytes() == pathlib.Path(target).read_bytes())
    good = convert(source, f"{folder}/target.pt") and convert(f"{folder}/target.pt", target)
    check("safetensors through .pt", good and same(dict(sorted(values.items())), dict(sorted(load_file(target).items()))))


def training():
    """What Espalier went on from goes on in PyTorch to the numbers of PyTorch alone."""
    before = torch.load(f"{folder}/trained.pt")
    after = torch.load(f"{folder}/went_on.pt", **SAFE)
    for kind, ours in after.items():
        theirs = before[kind]
        close = lambda a, b: all(torch.allclose(x, y, rtol=0, atol=1e-12) for x, y in zip(a, b))
        check(f"{kind} goes on in Espalier", close(ours["parameters"], theirs["after"]) and ours["epoch"] == 6)
        results = []
        for parameters, grads in (theirs["parameters"], theirs["grads"] * 2), (ours["parameters"], theirs["grads"]):
            parameters = [p.clone().requires_grad_() for p in parameters]
            optimizer = make_checkpoints.KINDS[kind](parameters)
            schedule = make_checkpoints.SCHEDULES[kind](optimizer)
            saved = theirs if len(grads) == 6 else ours
            optimizer.load_state_dict(saved["optimizer"])
            schedule.load_state_dict(saved["schedule"])
            make_checkpoints.run(parameters, optimizer, schedule, grads)
            results.append(parameters)
        check(f"{kind} goes on in PyTorch", close(*results))
        lacking = {k for g in theirs["optimizer"]["param_groups"] for k in g} - {k for g in ours["optimizer"]["param_groups"] for k in g}
        check(f"{kind} has all of PyTorch's settings", not lacking)


print(f"PyTorch {torch.__version__}")
torch.manual_seed(0)
files()
quantised_files()
models()
safetensors()
tied()
training()
sys.exit(failed > 0)
