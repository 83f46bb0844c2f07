"""Writes the files of PyTorch's for tests/io: every format that torch.save has had, and what TorchScript saves. Each holds
w = [[0, 1, 2], [3, 4, 5]] and b = [0.5, -1.5]. Made with PyTorch 2.13, from a copy elsewhere (files hold the path of this one): make_torch.py FOLDER"""
import os, sys

import torch
from torch import nn

here = sys.argv[1]
w, b = torch.arange(6.0).reshape(2, 3), torch.tensor([0.5, -1.5])
state = {"w": w, "turned": w.t(), "b": b.to(torch.bfloat16), "epoch": 3}


def path(name):
    return os.path.join(here, "torch_" + name)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        with torch.no_grad():
            self.fc.weight.copy_(w)
            self.fc.bias.copy_(b)

    def forward(self, x):
        return self.fc(x)


torch.save(state, path("zip.pt"))
for protocol in (0, 5):
    torch.save(state, path(f"zip_protocol{protocol}.pt"), pickle_protocol=protocol)
for protocol in range(6):
    torch.save(state, path(f"protocol{protocol}.pt"), pickle_protocol=protocol, _use_new_zipfile_serialization=False)
torch.save(Net(), path("module.pt"))
torch.save(Net(), path("module_old.pt"), _use_new_zipfile_serialization=False)
torch.jit.script(Net()).save(path("script.pt"))
torch.save(nn.DataParallel(Net()).state_dict(), path("parallel.pt"))
