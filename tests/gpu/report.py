"""Writes the results of a run: summary.json for programs, summary.md for people."""
import json


def parsed(text):
    """The JSON value in a program's output; if there is none, the end of the output."""
    try:
        return json.loads(text)
    except ValueError:
        return {"output": text[-2000:]}


def number(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def benchmark_table(data):
    yield ("| model | batch | precision | Radial, ms | as a graph, ms | PyTorch eager, ms | compiled, ms | to eager | "
           "bar | reached | to compiled |")
    yield "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |"
    for row in data["rows"]:
        reached = {None: "not measured", True: "yes", False: "**no**"}[row["reached"]]
        cells = [row["model"], str(row["batch"]), row["precision"], number(row["radial"]), number(row["radial graph"]),
                 number(row["eager"]), number(row["compile"]), number(row["ratio to eager"]), f"{row['bar']}", reached,
                 number(row["ratio to compile"])]
        yield "| " + " | ".join(cells) + " |"
    errors = [(row["model"], row["precision"], name, cell["error"]) for row in data["rows"]
              for name, cell in row["cells"].items() if "error" in cell]
    if errors:
        yield ""
        yield from (f"- {model} {precision} {name} {error}" for model, precision, name, error in errors)
    if data["left out"]:
        yield ""
        yield f"Not measured for want of time: {', '.join(data['left out'])}."


def markdown(args, sections, seconds):
    found = {section.name: section for section in sections}
    yield f"# Radial on {args.device}"
    yield ""
    if "environment" in found:
        yield from (f"- {key}: {value}" for key, value in found["environment"].data.items())
        yield ""
    yield "| section | result | seconds | |"
    yield "| --- | --- | ---: | --- |"
    for section in sections:
        note = section.note.replace("|", "\\|").replace("\n", " ")
        yield f"| {section.name} | {section.status} | {section.seconds:.0f} | {note} |"
    yield ""
    yield f"{seconds:.0f} seconds in all."
    if "suite" in found and found["suite"].data.get("failed at"):
        yield "\n## Failed tests\n"
        yield from (f"- {place}" for place in found["suite"].data["failed at"])
    if "parity" in found and found["parity"].data:
        yield "\n## Parity with the CPU\n"
        yield f"```json\n{json.dumps(found['parity'].data, indent=1)[:4000]}\n```"
    if "sanitizers" in found and found["sanitizers"].data:
        yield "\n## Sanitizers\n"
        for tool, result in found["sanitizers"].data.items():
            yield f"- {tool} {result['ended']}: {'; '.join(result['found']) or 'no summary'}"
    if "benchmarks" in found and found["benchmarks"].data:
        yield "\n## Benchmarks\n"
        yield "Milliseconds a training step, medians. A ratio above 1 means that Radial is that many times as fast.\n"
        yield from benchmark_table(found["benchmarks"].data)


def write(out, args, sections, seconds):
    summary = {"device": args.device, "quick": args.quick, "seconds": round(seconds, 1),
               "sections": {s.name: {"status": s.status, "seconds": round(s.seconds, 1), "note": s.note,
                                     "data": s.data} for s in sections}}
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    (out / "summary.md").write_text("\n".join(markdown(args, sections, seconds)) + "\n")
