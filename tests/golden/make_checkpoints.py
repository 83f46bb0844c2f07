#!/usr/bin/env python3
"""Writes the checkpoint that optimizers_test.cpp goes on from: make_checkpoints.py FILE, by PyTorch 1.13 and 2.13.

For each kind of optimizer: parameters and the states of optimizer and schedule after three steps, the gradients of the
three steps that follow, and what the parameters and rates are after them.
"""
import sys

import torch

F64 = torch.float64
KINDS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.99), amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW([{"params": p[:1]}, {"params": p[1:], "lr": 0.05}], lr=0.1, weight_decay=0.1),
}
SCHEDULES = {
    "SGD": lambda o: torch.optim.lr_scheduler.StepLR(o, 2, gamma=0.5),
    "Adam": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, eta_min=0.01),
    "AdamW": lambda o: torch.optim.lr_scheduler.StepLR(o, 3),
}


def run(parameters, optimizer, schedule, grads):
    for step in grads:
        for p, g in zip(parameters, step):
            p.grad = g.clone()
        optimizer.step()
        schedule.step()


def checkpoint(kind):
    parameters = [torch.randn(4, 3, dtype=F64).requires_grad_(), torch.randn(3, dtype=F64).requires_grad_()]
    grads = [[torch.randn_like(p) for p in parameters] for _ in range(6)]
    optimizer = KINDS[kind](parameters)
    schedule = SCHEDULES[kind](optimizer)
    run(parameters, optimizer, schedule, grads[:3])
    out = {"epoch": 3, "parameters": [p.detach().clone() for p in parameters], "optimizer": optimizer.state_dict(),
           "schedule": schedule.state_dict()}
    out["optimizer"]["state"] = {i: {k: v.clone() for k, v in s.items()} for i, s in out["optimizer"]["state"].items()}
    out["optimizer"]["param_groups"] = [dict(g) for g in out["optimizer"]["param_groups"]]
    out["schedule"] = dict(out["schedule"])
    run(parameters, optimizer, schedule, grads[3:])
    return {**out, "grads": grads[3:], "after": [p.detach() for p in parameters],
            "rates": [g["lr"] for g in optimizer.param_groups]}


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.save({kind: checkpoint(kind) for kind in KINDS}, sys.argv[1])
