"""Compares whole networks with torchvision's and timm's at their own resolution:

    python3 tests/golden/full_parity.py --bench build/release/bin/radial-bench [--models resnet50 ...] [--markdown FILE]

Both programs get the same random weights, images and labels. The images consist of blocks of equal pixels, because
pools average noise of single pixels away. Batch norms have random weights, which are small at the end of a residual
branch, as in trained networks; their statistics are computed from other images. The exact values are PyTorch's in
float64. Errors are |found - true| / |true| in the Euclidean norm. The worst tensor is chosen without the tensors whose
true gradient is 0, such as a bias before a batch norm.

If the input of a rectifier is within float32's rounding of 0, one program may pass its gradient on and the other may
not; a single such number can be a hundredth of a tensor's gradient. Therefore the table shows the whole gradient in
addition to the worst tensor, and PyTorch's errors in float32 in addition to Radial's. A smaller batch is compared in
float64, where this does not happen. With --apart, one network of each family is compared, with norms that have smaller
weights and biases of either sign of about 1, so that few inputs of rectifiers are near 0. Then Radial's float32 has to
meet the limits for gradients whatever PyTorch's error is. The images of --apart are smooth, so that no two pixels in
the window of a maximum are equal.
Exits with 1 if Radial exceeds a limit: logits 1e-4, the losses of SGD steps 1e-3, gradients 1e-3 or (without --apart)
ten times PyTorch's own error; all of them 1e-9 in float64, except the gradients of MobileNetV3."""
import argparse
import copy
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from torch import nn

import reference_models

BATCHES = {"resnet50": 4, "vgg16-bn": 2, "densenet121": 4, "efficientnet-b0": 4, "regnet-x-400mf": 4,
           "regnet-y-400mf": 2, "mobilenet-v3-large": 2, "mobilenet-v3-small": 4, "resnet20": 8, "vgg16-cifar": 8,
           "densenet-bc-100-12": 8}
# The last norms of the two branches of a residual block, the norm of the longer branch first.
BRANCH_ENDS = {"resnet50": ("bn3", "downsample.1"), "resnet20": ("bn2",), "regnet-x-400mf": ("f.c.1", "proj.1"),
               "regnet-y-400mf": ("f.c.1", "proj.1")}
BARS = {"evaluation": 1e-4, "training": 1e-4, "gradient": 1e-3, "worst": 1e-3, "losses": 1e-3}
FAMILIES = ["resnet20", "vgg16-cifar", "densenet-bc-100-12", "efficientnet-b0"]  # one of each family
DOUBLE_BAR = 1e-9
# The gradient of PyTorch's hardsigmoid has the float32 number 1 / 6 as a factor, in float64 too: an error of 3e-8.
DOUBLE_GRADIENT_BARS = {"mobilenet-v3-large": 1e-7, "mobilenet-v3-small": 1e-7}
STEPS, LR, MOMENTUM = 5, 0.001, 0.9
LRS = {"vgg16-bn": 1e-5}  # with LR the loss would not decrease steadily
DOUBLE_BATCH, DOUBLE_STEPS = 2, 2  # Radial's plain loops in float64 are slow


def pictures(batch, image, smooth):
    """Random images of 8 x 8 blocks of equal pixels; if `smooth`, 8 x 8 pixels that are interpolated."""
    channels, height, width = image
    seeds = torch.randn(batch, channels, 8, 8)
    if smooth:
        return nn.functional.interpolate(seeds, size=(height, width), mode="bilinear")
    scale = (-(-height // 8), -(-width // 8))
    return nn.functional.interpolate(seeds, scale_factor=scale)[..., :height, :width]


def start_norm(m, branch_end, apart):
    """Sets random weights and biases of a batch norm; `branch_end`: it is the last of a residual branch."""
    if apart:
        nn.init.uniform_(m.weight, 0.2, 0.5)
        nn.init.uniform_(m.bias, 0.8, 1.6)
        if not branch_end:  # with mixed signs, the sum of two branches could be near 0
            with torch.no_grad():
                m.bias *= 2 * torch.randint(2, m.bias.shape) - 1
        return
    nn.init.uniform_(m.weight, *((0.05, 0.2) if branch_end else (0.5, 1.5)))
    nn.init.normal_(m.bias, std=0.2)


def prepared(name, batch, seed, apart=False):
    """The network, images and labels."""
    torch.manual_seed(seed)
    net, image = reference_models.build(name)
    norms = {key: m for key, m in net.named_modules() if isinstance(m, nn.BatchNorm2d)}
    ends = BRANCH_ENDS.get(name, ())
    for key, m in norms.items():
        start_norm(m, key.endswith(ends) if apart else key.endswith(ends[:1]), apart)
        m.momentum = None  # the mean over all batches
    with torch.no_grad():
        for _ in range(2):
            net.train()(pictures(batch, image, apart))
    for m in norms.values():
        m.momentum = 0.1
    classes = reference_models.classifier_of(net).out_features
    return net, pictures(batch, image, apart), torch.randint(classes, (batch,))


def names_of(net):
    """Radial's name of each parameter, by the parameter's id."""
    names = {id(value): f"model.{key}" for key, value in reference_models.trunk_state(net).items()}
    last = reference_models.classifier_of(net)
    return names | {id(last.weight): "classifier.weight", id(last.bias): "classifier.bias"}


def lr_of(name):
    return LRS.get(name, LR)


def run_torch(net, images, labels, lr, steps=STEPS):
    with torch.no_grad():
        results = {"eval.logits": net.eval()(images)}
    net.train()
    names, optimizer = names_of(net), torch.optim.SGD(net.parameters(), lr=lr, momentum=MOMENTUM)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        logits = net(images)
        loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        if step == 0:
            results["train.logits"] = logits.detach()
            results |= {f"gradient.{names[id(p)]}": p.grad.clone() for p in net.parameters()}
        optimizer.step()
        losses.append(loss.item())
    return results | {"losses": torch.tensor(losses, dtype=torch.float64)}


def run_radial(bench, name, net, images, labels, threads, dtype="float32", steps=STEPS):
    last = reference_models.classifier_of(net)
    inputs = {f"model.{key}": value.detach() for key, value in reference_models.trunk_state(net).items()}
    inputs |= {"classifier.weight": last.weight.detach(), "classifier.bias": last.bias.detach(), "images": images,
               "labels": labels}
    with tempfile.TemporaryDirectory() as folder:
        given, written = pathlib.Path(folder) / "in.safetensors", pathlib.Path(folder) / "out.safetensors"
        save_file({key: value.contiguous() for key, value in inputs.items()}, given)
        flags = {"model": name, "input": given, "output": written, "lr": lr_of(name), "momentum": MOMENTUM,
                 "steps": steps, "threads": threads, "dtype": dtype}
        words = [word for flag, value in flags.items() for word in (f"--{flag}", str(value))]
        subprocess.run([bench, "replay", *words], check=True, stdout=subprocess.DEVNULL)
        return load_file(written)


def error(found, true):
    return (torch.linalg.vector_norm(found.double() - true) / torch.linalg.vector_norm(true)).item()


def errors(found, true):
    gradients = [key for key in true if key.startswith("gradient.")]
    whole = torch.sqrt(sum(true[key].square().sum() for key in gradients))
    zero = [key for key in gradients if torch.linalg.vector_norm(true[key]) < 1e-9 * whole]
    worst = max((key for key in gradients if key not in zero), key=lambda key: error(found[key], true[key]))
    losses = ((found["losses"].double() - true["losses"]).abs() / true["losses"].abs()).max().item()
    return {"evaluation": error(found["eval.logits"], true["eval.logits"]),
            "training": error(found["train.logits"], true["train.logits"]),
            "gradient": (torch.sqrt(sum((found[key].double() - true[key]).square().sum() for key in gradients)) /
                         whole).item(),
            "worst": error(found[worst], true[worst]), "losses": losses, "where": worst,
            "part": (torch.linalg.vector_norm(true[worst]) / whole).item(),
            "zero": max((torch.linalg.vector_norm(found[key].double()) / whole).item() for key in zero) if zero else 0}


def check_names(name, radial, true):
    missing = set(true) ^ (set(radial) - {"eval.feature"})
    if missing:
        raise SystemExit(f"{name}: only one side has {sorted(missing)}")


def compare(name, batch, bench, threads, seed, apart):
    """The float32 errors of Radial and of PyTorch, and the shape of the images."""
    net, images, labels = prepared(name, batch, seed, apart)
    radial = run_radial(bench, name, net, images, labels, threads)
    true = run_torch(copy.deepcopy(net).double(), images.double(), labels, lr_of(name))
    check_names(name, radial, true)
    single = run_torch(net, images, labels, lr_of(name))
    return {"Radial": errors(radial, true), "PyTorch": errors(single, true)}, images.shape


def compare_double(name, bench, threads, seed, apart):
    net, images, labels = prepared(name, DOUBLE_BATCH, seed, apart)
    radial = run_radial(bench, name, net, images, labels, threads, "float64", DOUBLE_STEPS)
    true = run_torch(net.double(), images.double(), labels, lr_of(name), DOUBLE_STEPS)
    return {"Radial in float64": errors(radial, true)}, images.shape


def misses(name, found, apart):
    """Yields a message for each limit that Radial exceeds."""
    own = found.get("PyTorch", dict.fromkeys(BARS, 0))
    bars = BARS if apart else BARS | {key: max(BARS[key], 10 * own[key]) for key in ("gradient", "worst")}
    for program, errors_of in found.items():
        for key, bar in bars.items():
            if program.endswith("float64"):
                bar = DOUBLE_GRADIENT_BARS.get(name, DOUBLE_BAR) if key in ("gradient", "worst") else DOUBLE_BAR
            if program != "PyTorch" and not errors_of[key] < bar:
                yield f"{name}, {program}: {key} {errors_of[key]:.1e}, expected below {bar:.1e}"


HEADER = ("| network | images | program | logits, evaluation | logits, training | whole gradient | worst "
          "tensor's gradient | losses of steps |\n| --- | --- | --- | --- | --- | --- | --- | --- |")


def row(name, shape, program, found):
    figures = " | ".join(f"{found[key]:.1e}" for key in BARS)
    return f"| {name} | {' x '.join(str(n) for n in shape)} | {program} | {figures} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/bin/radial-bench")
    parser.add_argument("--models", nargs="*", help="when not given: all, or with --apart one of each family")
    parser.add_argument("--batch", type=int, help="images; a number of the network's own when not given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20204)
    parser.add_argument("--single", action="store_true", help="in float32 alone")
    parser.add_argument("--apart", action="store_true", help="keep rectifiers' inputs away from 0")
    parser.add_argument("--markdown", type=pathlib.Path, help="file to write the table to")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    lines, missed = [HEADER], []
    print(HEADER)
    for name in args.models or (FAMILIES if args.apart else BATCHES):
        runs = [compare(name, args.batch or BATCHES.get(name, 2), args.bench, args.threads, args.seed, args.apart)]
        if not args.single:
            runs.append(compare_double(name, args.bench, args.threads, args.seed, args.apart))
        for found, shape in runs:
            for program, results in found.items():
                lines.append(row(name, shape, program, results))
                print(lines[-1], f" worst {results['where']} ({results['part']:.1e} of the whole), where 0 is true "
                      f"{results['zero']:.1e}", flush=True)
            missed += misses(name, found, args.apart)
    if args.markdown:
        args.markdown.write_text("\n".join(lines) + "\n")
    print("\n".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
