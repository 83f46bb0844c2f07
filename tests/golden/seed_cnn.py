"""The design page's CNN on Fashion-MNIST in PyTorch: what make.py writes to seed_cnn.safetensors.

Numbers are drawn in this order: manual_seed(0); the model (convolution, then linear); then for each epoch the
training loader's two draws (workers' seed, sampler's seed) and, when it is validated, the test loader's one.
"""
import gzip
import pathlib

import numpy
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
OPTIMIZERS = {"adam": lambda p: torch.optim.Adam(p, lr=1e-3),
              "sgd": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)}


def read(which):
    images = gzip.open(DATA / f"{which}-images-idx3-ubyte.gz").read()[16:]
    labels = gzip.open(DATA / f"{which}-labels-idx1-ubyte.gz").read()[8:]
    return (torch.from_numpy(numpy.frombuffer(images, numpy.uint8).reshape(-1, 28, 28).copy()),
            torch.from_numpy(numpy.frombuffer(labels, numpy.uint8).astype(numpy.int64)))


def prepare(images, dtype):
    """28 x 28 bytes to 3 x 32 x 32: padded with black, scaled to -1 ... 1 (black is -1), grey repeated."""
    padded = F.pad(images, (2, 2, 2, 2))
    return (padded.to(dtype) / 127.5 - 1).unsqueeze(1).expand(-1, 3, -1, -1)


def start(dtype):
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module("conv", nn.Conv2d(3, 32, 3, padding=1))
    model.add_module("relu", nn.ReLU())
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc", nn.Linear(32 * 32 * 32, 10))
    return model.to(dtype)


def fingerprint(tensor):
    """Sum of (position + 1) * bits of each float32, modulo 2^63: equal only for equal bits, as good as."""
    bits = tensor.detach().numpy().view(numpy.uint32).ravel().astype(numpy.uint64)
    position = numpy.arange(1, bits.size + 1, dtype=numpy.uint64)
    with numpy.errstate(over="ignore"):
        return torch.tensor(int((bits * position).sum() & numpy.uint64(2**63 - 1)))


def loader(labels):
    return DataLoader(TensorDataset(torch.arange(len(labels)), labels), batch_size=64, shuffle=True)


def train_step(model, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def short_run(file, images, labels, name, dtype, steps):
    model = start(dtype)
    optimizer, losses = OPTIMIZERS[name](model.parameters()), []
    for index, y in loader(labels):
        losses.append(train_step(model, optimizer, prepare(images[index], dtype), y))
        if len(losses) == steps:
            break
    file.add(f"{name}_{str(dtype)[6:]}", {"steps": steps}, loss=torch.tensor(losses, dtype=torch.float64))


@torch.no_grad()
def evaluate(model, images, labels):
    loss, right = 0.0, 0
    for index, y in DataLoader(TensorDataset(torch.arange(len(labels)), labels), batch_size=64):
        out = model(prepare(images[index], torch.float32))
        loss += F.cross_entropy(out, y, reduction="sum").item()
        right += (out.argmax(1) == y).sum().item()
    return loss / len(labels), right / len(labels)


def whole_run(file, train, test, name, epochs=5):
    model = start(torch.float32)
    optimizer, rows = OPTIMIZERS[name](model.parameters()), []
    for epoch in range(epochs):
        total = 0.0
        for index, y in loader(train[1]):
            total += len(y) * train_step(model, optimizer, prepare(train[0][index], torch.float32), y)
        rows.append([total / len(train[1]), *evaluate(model, *test)])
        print(name, epoch + 1, rows[-1], flush=True)
    rows = torch.tensor(rows, dtype=torch.float64).T
    file.add(f"{name}_epochs", {"epochs": epochs}, train_loss=rows[0], val_loss=rows[1], val_accuracy=rows[2])


def batch_order(labels):
    """The first four batches of two epochs, after a validation in between."""
    start(torch.float32)
    epochs = []
    for _ in range(2):
        epochs.append(torch.stack([b[0] for b, _ in zip(loader(labels), range(4))]))
        iter(DataLoader(labels[:64], batch_size=64))
    return torch.stack(epochs)


def run(file):
    train, test = read("train"), read("t10k")
    model = start(torch.float32)
    file.add("model", {}, **{f"first__{n}".replace(".", "__"): p.flatten()[:8] for n, p in model.named_parameters()},
             **{f"fingerprint__{n}".replace(".", "__"): fingerprint(p) for n, p in model.named_parameters()})
    file.add("batches", {"batch_size": 64}, order=batch_order(train[1]))
    for name in OPTIMIZERS:
        short_run(file, *train, name, torch.float32, 20)
        short_run(file, *train, name, torch.float64, 200)
        whole_run(file, train, test, name)
