"""Records cases (inputs, PyTorch's results and gradients, attributes) and writes them as one safetensors file."""
import json
import struct

import numpy as np
import torch

DTYPES = {"float32": "F32", "float64": "F64", "int64": "I64"}


class Recorder:
    """Inputs are rounded to float32. PyTorch computes in float64, so that the results, which are stored as float32, are
    correctly rounded and do not contain PyTorch's own rounding errors."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.tensors, self.cases, self.counts = {}, [], {}

    def normal(self, *shape, scale=1.0, shift=0.0):
        return (self.rng.standard_normal(shape) * scale + shift).astype(np.float32)

    def uniform(self, *shape, low=0.0, high=1.0):
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def labels(self, count, classes):
        return self.rng.integers(0, classes, count).astype(np.int64)

    def case(self, op, inputs, function, no_grad=(), **attributes):
        """function(**inputs) returns a tensor, or a dict of tensors whose "y" is differentiated. Stored under
        "op/index": in/NAME, seed (dL/dy), grad/NAME for each floating input not in no_grad, out/y and the other
        results. A result called after_NAME is the value of the input NAME after the call."""
        index = self.counts[op] = self.counts.get(op, -1) + 1
        name = f"{op}/{index}"
        self.cases.append({"name": name, "op": op, **attributes})
        leaves = {}
        for key, value in inputs.items():
            self.tensors[f"{name}/in/{key}"] = value
            leaf = torch.from_numpy(value.copy())
            if leaf.dtype == torch.float32:
                leaf = leaf.double().requires_grad_(key not in no_grad)
            leaves[key] = leaf
        results = function(**leaves)
        results = results if isinstance(results, dict) else {"y": results}
        wanted = {key: leaf for key, leaf in leaves.items() if leaf.requires_grad}
        y = results["y"]
        if wanted and y.requires_grad:
            seed = np.ones((), np.float32) if y.dim() == 0 else self.normal(*y.shape)
            self.tensors[f"{name}/seed"] = seed
            grads = torch.autograd.grad(y, list(wanted.values()), torch.from_numpy(seed).double())
            for key, grad in zip(wanted, grads):
                self.tensors[f"{name}/grad/{key}"] = grad.numpy().astype(np.float32)
        for key, value in results.items():
            value = torch.as_tensor(value).detach().numpy()
            self.tensors[f"{name}/out/{key}"] = value if value.dtype == np.int64 else value.astype(np.float32)

    def write(self, path):
        """Writes the safetensors format: length of the header, header (JSON), elements."""
        header = {"__metadata__": {"cases": json.dumps(self.cases), "pytorch": torch.__version__}}
        offset, chunks = 0, []
        for name, value in self.tensors.items():
            data = np.ascontiguousarray(value).tobytes()
            header[name] = {"dtype": DTYPES[str(value.dtype)], "shape": list(value.shape),
                            "data_offsets": [offset, offset + len(data)]}
            offset += len(data)
            chunks.append(data)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))
        print(f"{path}: {len(self.cases)} cases, {offset + len(text) + 8} bytes")
