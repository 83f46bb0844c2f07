"""The works in PyTorch. Usage: pytorch.py [channels_last] [fused] [compile] [torchscript]"""
import sys

import torch
import torch.nn.functional as F
from torch import nn

import contestant

SETTINGS = set(sys.argv[1:])


def conv3(n_in, n_out, stride=1, bias=True):
    return nn.Conv2d(n_in, n_out, 3, stride, 1, bias=bias)


class Cnn(nn.Module):  # W1
    def __init__(self):
        super().__init__()
        self.conv, self.fc = conv3(3, 32), nn.Linear(32 * 32 * 32, 10)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).flatten(1))


def vgg():  # W2
    return nn.Sequential(
        conv3(3, 32), nn.BatchNorm2d(32), nn.ReLU(), conv3(32, 32), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        conv3(32, 64), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 8 * 8, 128), nn.ReLU(), nn.Linear(128, 10))


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1, self.bn1 = conv3(n_in, n_out, stride, bias=False), nn.BatchNorm2d(n_out)
        self.conv2, self.bn2 = conv3(n_out, n_out, bias=False), nn.BatchNorm2d(n_out)
        self.shortcut = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


def resnet18():  # W3
    blocks = [Block(64, 64), Block(64, 64), Block(64, 128, 2), Block(128, 128),
              Block(128, 256, 2), Block(256, 256), Block(256, 512, 2), Block(512, 512)]
    return nn.Sequential(conv3(3, 64, bias=False), nn.BatchNorm2d(64), nn.ReLU(), *blocks,
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def mlp():  # W4
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def tiny():  # W5
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))


class Lstm(nn.Module):  # W6
    def __init__(self):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(128, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])


class Encoder(nn.Module):  # W6
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, batch_first=True)
        self.encoder, self.fc = nn.TransformerEncoder(layer, 4), nn.Linear(256, 10)

    def forward(self, x):
        return self.fc(self.encoder(x).mean(1))


# The model, the shape of an example, and the optimizer. W5 has one number as its target, the others ten classes.
WORKS = {
    "W1": (Cnn, (3, 32, 32), torch.optim.SGD),
    "W2": (vgg, (3, 32, 32), torch.optim.Adam),
    "W3": (resnet18, (3, 32, 32), torch.optim.SGD),
    "W4": (mlp, (784,), torch.optim.Adam),
    "W5": (tiny, (2,), torch.optim.SGD),
    "W6-lstm": (Lstm, (64, 128), torch.optim.Adam),
    "W6-encoder": (Encoder, (128, 256), torch.optim.Adam),
}


def model_and_input(work, batch):
    torch.manual_seed(0)
    make, shape, _ = WORKS[work]
    return make(), torch.randn(batch, *shape)


def training_step(model, optimizer, x, y, autocast):
    loss_of = F.cross_entropy if y.dtype == torch.int64 else F.mse_loss

    def step():
        optimizer.zero_grad()
        with autocast():
            loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
    return step


def forward_step(model, x, autocast):
    model.eval()
    if "torchscript" in SETTINGS:
        with torch.no_grad(), autocast():
            model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))

    def step():
        with torch.inference_mode() if "compile" not in SETTINGS else torch.no_grad(), autocast():
            model(x)
    return step


def tape():
    """A hundred small additions and their way back."""
    x = torch.randn(16, requires_grad=True)

    def step():
        y = x
        for _ in range(100):
            y = y + x
        x.grad = None
        y.sum().backward()
    return step


class Images(torch.utils.data.Dataset):
    """Small grey images, made ready as for W1."""
    images = torch.zeros(2048, 1, 28, 28, dtype=torch.uint8)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return (F.pad(self.images[i], (2, 2, 2, 2)).expand(3, -1, -1) / 255 - 0.5) / 0.5, 0


def loader(batch, workers):
    epoch = torch.utils.data.DataLoader(Images(), batch, shuffle=True, num_workers=workers, persistent_workers=True)

    def step():
        for _ in epoch:
            pass
    return step


def optimizer_for(work, model):
    make, options = WORKS[work][2], {"fused": True} if "fused" in SETTINGS else {}
    if make is torch.optim.SGD:
        return make(model.parameters(), lr=1e-3, momentum=0.9, **options)
    return make(model.parameters(), lr=1e-4, **options)


def prepare(request):
    torch.set_num_threads(request.threads)
    bfloat16, train = request.dtype == "bfloat16", request.phase == "train"
    if request.work in ("tape", "loader"):
        return tape() if request.work == "tape" else loader(request.batch, request.threads)
    if request.work not in WORKS:
        return None
    model, x = model_and_input(request.work, request.batch)
    if "channels_last" in SETTINGS and x.dim() == 4:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if "compile" in SETTINGS:
        torch.compiler.reset()
        torch._inductor.config.freezing = not train  # weights are packed
        model = torch.compile(model)

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=bfloat16)
    if not train:
        return forward_step(model, x, autocast)
    y = torch.randn(len(x), 1) if request.work == "W5" else torch.randint(10, (len(x),))
    return training_step(model, optimizer_for(request.work, model), x, y, autocast)


if __name__ == "__main__":
    contestant.serve(prepare)
