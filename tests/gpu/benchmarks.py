"""The benchmarks: compare Radial's training step with PyTorch's, and the speed-up with the required one."""
import pathlib

import report
from commands import FAILED, PASSED

STEP = pathlib.Path(__file__).resolve().parents[2] / "apps/bench/pytorch_step.py"
PRECISIONS = ("float32", "tf32", "bf16")
# The required speed-up of a step over PyTorch's eager mode.
BARS = {"lenetpp": 1.5, "resnet20": 1.5, "resnet50": 1.05}
TASKS = {"cuda": [("lenetpp", "rbf-softmax", 128, []), ("resnet20", "softmax", 128, []),
                  ("resnet50", "softmax", 64, [])],
         # Small enough for a rehearsal on two cores.
         "cpu": [("lenetpp", "rbf-softmax", 8, []), ("resnet20", "softmax", 8, []),
                 ("resnet50", "softmax", 2, ["--image", "64"])]}
STEPS = {("cuda", "quick"): ("60", "10"), ("cuda", "full"): ("200", "20"),
         ("cpu", "quick"): ("2", "1"), ("cpu", "full"): ("5", "2")}


def contestants(args, task, precision):
    """Name and command of each program for one row of the table. PyTorch's compiled ones are last, because they are
    slow."""
    model, loss, batch, extra = task
    kind = "cpu" if args.device == "cpu" else "cuda"
    steps, warmup = STEPS[kind, args.pace]
    common = ["--model", model, "--loss", loss, "--batch", str(batch), "--device", args.device, "--precision",
              precision, "--threads", str(args.threads), "--steps", steps, "--warmup", warmup, *extra]
    radial = [args.radial("radial-bench"), "step", *common, "--json"]
    yield "radial", radial
    yield "radial graph", [*radial, "--graph", "on"]
    if not args.torch:
        return
    torch = [args.python, str(STEP), *common]
    yield "eager", torch
    yield "eager channels-last", [*torch, "--channels-last"]
    yield "compile", [*torch, "--channels-last", "--compile"]


def attempt(args, section, command):
    """A program's JSON object, or its error. In a rehearsal, options that the CPU does not support are no failure."""
    radial = command[0] == args.radial("radial-bench")
    done = args.runner.run(command, section, env=args.radial_env() if radial else None)
    if done.code == 0:
        return {"result": report.parsed(done.out)}
    lines = done.error.strip().splitlines() or [""]
    said = lines[0] if radial else lines[-1]
    refused = args.device == "cpu" and ("--precision" in said or "--graph" in said)
    return {"error": f"{done.ended()}: {said}", "failed": radial and not refused}


def milliseconds(cell):
    return cell["result"]["milliseconds"] if cell and "result" in cell else None


def least(*times):
    known = [t for t in times if t is not None]
    return min(known) if known else None


def row(model, batch, precision, cells):
    """One row of the table; a ratio above 1 means that Radial is that many times as fast."""
    radial = least(milliseconds(cells.get("radial")), milliseconds(cells.get("radial graph")))
    eager = least(milliseconds(cells.get("eager")), milliseconds(cells.get("eager channels-last")))
    compiled = milliseconds(cells.get("compile"))
    ratio = eager / radial if radial and eager else None
    return {"model": model, "batch": batch, "precision": precision, "radial": milliseconds(cells.get("radial")),
            "radial graph": milliseconds(cells.get("radial graph")), "eager": eager, "compile": compiled,
            "ratio to eager": ratio, "ratio to compile": compiled / radial if radial and compiled else None,
            "bar": BARS[model], "reached": None if ratio is None else ratio >= BARS[model], "cells": cells}


def summarise(section, tasks, cells, left_out, queue):
    rows = [row(task[0], task[2], precision, cells[task[0], precision]) for task in tasks for precision in PRECISIONS]
    section.data = {"rows": rows, "left out": left_out}
    failed = [f"{model} {precision} {name}: {cell['error']}" for (model, precision), programs in cells.items()
              for name, cell in programs.items() if cell.get("failed")]
    missing = [entry for entry in left_out if "radial" in entry]
    note = "; ".join(failed + ([f"no time for {len(left_out)} of {len(queue)}"] if left_out else []))
    section.finish(FAILED if failed or missing else PASSED, note)


def benchmarks(args, section):
    tasks = TASKS["cpu" if args.device == "cpu" else "cuda"]
    cells = {(task[0], precision): {} for precision in PRECISIONS for task in tasks}
    queue = [(name, task, precision, command) for precision in PRECISIONS for task in tasks
             for name, command in contestants(args, task, precision)]
    queue.sort(key=lambda entry: entry[0] == "compile")  # the sort is stable: the order of the others does not change
    left_out = []
    for name, task, precision, command in queue:
        if section.left() < (45 if name == "compile" else 5):
            left_out.append(f"{task[0]} {precision} {name}")
            continue
        cells[task[0], precision][name] = attempt(args, section, command)
        summarise(section, tasks, cells, left_out, queue)
        section.fail("not finished")
        args.write_report()  # keeps the results if the machine is taken away
    summarise(section, tasks, cells, left_out, queue)
