# Records the steps of PyTorch's optimizers for a parameter of five elements: python optim.py > optim.h
import torch

CASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd_decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.02),
    "adam_decay": lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
}
RECORDED = (1, 2, 10)


def values(tensor):
    return ", ".join(repr(v) for v in tensor.tolist())


def run(make, dtype):
    w = torch.tensor([0.1, -0.2, 0.3, -0.4, 0.5], dtype=torch.float64).to(dtype).requires_grad_()
    optimizer = make([w])
    for step in range(1, max(RECORDED) + 1):
        w.grad = torch.tensor([((7 * step + 3 * i) % 11 - 5) / 4 for i in range(5)], dtype=dtype)
        optimizer.step()
        if step in RECORDED:
            yield f"{{{step}, {{{values(w.detach())}}}}}"


print(f"// Written by optim.py with PyTorch {torch.__version__}: parameters after some steps of each optimizer.")
print("#pragma once\n\n#include <vector>\n\nnamespace radial::test::golden {\n")
print("struct Recorded {\n    int step;\n    std::vector<double> parameter;\n};\n")
for name, make in CASES.items():
    for dtype in (torch.float32, torch.float64):
        rows = ",\n    ".join(run(make, dtype))
        print(f"inline const std::vector<Recorded> {name}_{str(dtype)[6:]}{{\n    {rows}}};")
print("\n}  // namespace radial::test::golden")
