"""The same in PyTorch."""
import torch
from torch import nn


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 32, 3, padding=1), nn.Linear(32 * 32 * 32, 10)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


with torch.no_grad():
    print(Cnn()(torch.randn(1, 3, 32, 32)))
