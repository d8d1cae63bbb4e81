"""Writes schedules.json: python3 tests/golden/schedule_cases.py (PyTorch).

For each case it contains the learning rates of a scheduler of torch.optim.lr_scheduler at its steps, the first one being
step 0, and the options of Radial's schedule with the same rates when a step is an epoch."""
import json
import pathlib

import torch
from torch.optim import lr_scheduler as schedulers


def rates(make, lr, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


def cosine(lr, final_lr, epochs):
    return {"schedule": "cosine", "lr": lr, "final_lr": final_lr, "epochs": epochs,
            "rates": rates(lambda o: schedulers.CosineAnnealingLR(o, epochs, eta_min=final_lr), lr, epochs + 1)}


def linear(lr, final_lr, epochs):
    return {"schedule": "linear", "lr": lr, "final_lr": final_lr, "epochs": epochs,
            "rates": rates(lambda o: schedulers.LinearLR(o, 1, final_lr / lr, epochs), lr, epochs + 3)}


def polynomial(lr, epochs, power):
    return {"schedule": "poly", "lr": lr, "final_lr": 0.0, "epochs": epochs, "power": power,
            "rates": rates(lambda o: schedulers.PolynomialLR(o, epochs, power), lr, epochs + 3)}


def exponential(lr, factor, epochs):
    return {"schedule": "exponential", "lr": lr, "final_lr": lr * factor**epochs, "epochs": epochs,
            "rates": rates(lambda o: schedulers.ExponentialLR(o, factor), lr, epochs + 1)}


def one_cycle(lr, steps, rise, start, end):
    def make(optimizer):
        return schedulers.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=rise, div_factor=1 / start,
                                     final_div_factor=start / end)

    # PyTorch's cycle rises during rise * steps - 1 steps and ends with its last step.
    return {"schedule": "one-cycle", "lr": lr, "final_lr": lr * end, "epochs": steps - 1,
            "warmup_epochs": rise * steps - 1, "warmup_start": start, "rates": rates(make, lr, steps - 1)}


CASES = [
    cosine(0.2, 0.02, 10),
    linear(0.4, 0.1, 12),
    polynomial(0.3, 15, 0.9),
    polynomial(0.3, 7, 1.0),
    polynomial(1e-3, 20, 3.0),
    exponential(0.5, 0.8, 12),
    exponential(2.0, 0.1, 5),
    one_cycle(0.1, 20, 0.3, 1 / 25, 1 / 25e4),
    one_cycle(3.0, 50, 0.5, 0.1, 0.01),
]

if __name__ == "__main__":
    text = ",\n".join(json.dumps(case) for case in CASES)
    (pathlib.Path(__file__).parent / "schedules.json").write_text(f"[\n{text}\n]\n")
