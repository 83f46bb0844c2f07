"""docs/speed.md from records: bench/speed.md with its tables filled in."""
import json
import math
import sys

import suite
import table


def reached(value, wanted, text, at_least):
    met = value >= wanted if at_least else value <= wanted
    return f"{text} {'✓' if met else '✗'}"


def peer_ratio(group, wanted, peers=table.PEERS):
    own, peer = table.best(group, "Espalier"), table.best(group, *peers)
    if not own or not peer:
        return "not measured"
    return reached(table.ratio(peer, own)[0], wanted, table.times(peer, own), at_least=True)


def floor_ratio(group, wanted):
    own, floor = table.best(group, "Espalier"), table.best(group, "floor")
    if not own or not floor:
        return "not measured"
    return reached(table.ratio(own, floor)[0], wanted, table.times(own, floor), at_least=False)


# Work: times faster than the better of LibTorch and PyTorch, and times the floor's time.
STEPS = {"W1": (1.3, 1.1), "W2": (1.8, 1.05), "W3": (2.0, 1.0), "W4": (1.5, 1.15), "W5": (8, None),
         "W6-lstm": (1.8, None), "W6-encoder": (1.15, None)}


def step_bars(groups):
    for work, (peer, floor) in STEPS.items():
        group = groups.get((work, "train", suite.BATCH[work], 2, "float32"), [])
        yield (f"{work} step", f"≥ {peer}", peer_ratio(group, peer, table.PEERS[:2]), f"≤ {floor}" if floor else "",
               floor_ratio(group, floor) if floor else "")
    for work in ("W2", "W3", "W4"):
        group = groups.get((work, "train", suite.BATCH[work], 2, "bfloat16"), [])
        yield f"{work} step, bfloat16", "≥ 1.3", peer_ratio(group, 1.3, table.PEERS[:2]), "", ""


def inference_bars(groups):
    for work in ("W1", "W2", "W3", "W4"):
        for batch in (1, suite.BATCH[work]):
            wanted = 1.7 if (work, batch) == ("W3", 64) else 1.0
            group = groups.get((work, "infer", batch, 2, "float32"), [])
            yield f"{work} inference, batch {batch}", f"≥ {wanted}", peer_ratio(group, wanted), "", ""


def one_and_two_threads(groups):
    """Of each work that was measured with one and with two threads: its key, and (best peer, Espalier) for one and for two,
    of the settings that both have."""
    for key, one in groups.items():
        two = groups.get((*key[:3], 2, key[4]), [])
        settings = {(r["who"], r["setting"]) for r in one}
        two = [r for r in two if (r["who"], r["setting"]) in settings]
        pairs = [(table.best(g, *table.PEERS), table.best(g, "Espalier")) for g in (one, two)]
        if key[3] == 1 and key[0].startswith("W") and all(a and b for a, b in pairs):
            yield key, pairs


def kept(pairs):
    """What is left of the ratio to the best peer with one thread."""
    return table.ratio(*pairs[0])[0] / table.ratio(*pairs[1])[0]


def one_thread(groups):
    worst = min(((kept(pairs), key) for key, pairs in one_and_two_threads(groups)), default=None)
    if not worst:
        return "not measured"
    return reached(worst[0], 0.9, f"{worst[0]:.2f} ({' '.join(map(str, worst[1][:3]))})", at_least=True)


def gains(groups):
    """What a second thread brings, beside what it brings the best peer."""
    for key, pairs in one_and_two_threads(groups):
        (peer1, own1), (peer2, own2) = pairs
        yield (" ".join(map(str, key[:3])), table.times(peer2, own2), table.times(peer1, own1), f"{kept(pairs):.2f}",
               f"{own1['median_ms'] / own2['median_ms']:.2f}", f"{peer1['median_ms'] / peer2['median_ms']:.2f}")


def cost_bars(groups, records):
    def ms(phase, who):
        found = table.best(groups.get(("program", phase, 1, 2, "float32"), []), who)
        return found["median_ms"] if found else float("nan")

    def line(what, wanted, value, unit, bar):
        if math.isnan(value):
            return what, wanted, "not measured"
        return what, wanted, reached(value, bar, f"{value:.{2 if value < 10 else 1}f}{unit}", at_least=False)
    step = groups.get(("W5", "train", 16, 2, "float32"), [])
    memory = groups.get(("W2", "train", 64, 2, "float32"), [])
    peaks = {who: min((r["peak_mb"] for r in memory if r["who"] == who), default=float("nan"))
             for who in ("Espalier", "LibTorch")}
    size = [r["size_mb"] for r in records if r.get("phase") == "size" and r["who"] == "Espalier"]
    own = table.best(step, "Espalier")
    yield line("W5 step", "≤ 8 µs", own["median_ms"] * 1e3 if own else float("nan"), " µs", 8)
    yield line("peak memory of W2's training, of LibTorch's", "≤ 0.6", peaks["Espalier"] / peaks["LibTorch"], "", 0.6)
    yield line("compile a user's file, of LibTorch's time", "≤ 0.15", ms("compile", "Espalier") / ms("compile", "LibTorch"),
               "", 0.15)
    over = (ms("compile", "Espalier") - ms("compile", "empty file")) / 1e3
    yield line("compile a user's file, over an empty one", "≤ 1 s", over, " s", 1)
    yield line("installed size", "< 10 MB", size[0] if size else float("nan"), " MB", 10)
    yield line("start to first forward", "≤ 30 ms", ms("start", "Espalier"), " ms", 30)
    yield "one thread: the ratio to the peer, of that with two", "≥ 0.9", one_thread(groups)


def settings(groups):
    """Every setting of every contestant, for the training steps."""
    for key, group in groups.items():
        if key[1:] == ("train", suite.BATCH.get(key[0]), 2, "float32"):
            for r in sorted(group, key=lambda r: r["median_ms"]):
                low, high = table.number(r["min_ms"]), table.number(r["max_ms"])
                yield (key[0], r["who"], r["setting"], f"{table.ms(r)} ({low}–{high})", f"{r.get('first_ms', 0):.0f}",
                       f"{r['peak_mb']:.0f}")


def everything(groups):
    """A table for each dtype and number of threads."""
    for kind in sorted({key[3:] for key in groups}, key=lambda kind: (kind[1] != "float32", -kind[0])):
        found = [(f"{key[0]} {key[1]}, {key[2]}", *table.row(key, group)[5:]) for key, group in groups.items()
                 if key[3:] == kind and key[0].startswith("W")]
        if found:
            yield f"### {kind[1]}, threads: {kind[0]}\n\n" + table.markdown(("", *table.HEADER[5:]), found)


def costs(groups, records):
    for phase in ("compile", "start"):
        for r in groups.get(("program", phase, 1, 2, "float32"), []):
            spread = f"{r['min_ms']:.0f}–{r['max_ms']:.0f}"
            yield phase, r["who"], f"{r['median_ms']:.0f} ms ({spread}), {r['peak_mb']:.0f} MB"
    for r in records:
        if r.get("phase") == "size":
            yield "installed", r["who"], f"{r['size_mb']:.1f} MB"
    for r in groups.get(("tape", "train", 1, 2, "float32"), []):
        if r["setting"] == "default":
            yield "an addition on the tape and its way back", r["who"], f"{r['median_ms'] * 10:.2f} µs"
    for r in groups.get(("loader", "train", 64, 2, "float32"), []):
        if r["setting"] == "default":
            yield "the loader with two workers", r["who"], f"{2048 / r['median_ms'] * 1000:,.0f} images/s"


def fill(template, records):
    groups = table.groups(records)
    about = next((r["about"] for r in records if "about" in r), {})
    parts = {
        "about": "; ".join(f"{k}: {v}" for k, v in about.items()),
        "bars": table.markdown(("", "times faster than the peer: bar", "reached", "of the floor's time: bar", "reached"),
                               [*step_bars(groups), *inference_bars(groups)]),
        "cost_bars": table.markdown(("", "bar", "reached"), list(cost_bars(groups, records))),
        "gains": table.markdown(("", "times faster with two threads", "with one", "one / two", "a second thread brings Espalier",
                                 "the best peer"), list(gains(groups))),
        "all": "\n\n".join(everything(groups)),
        "settings": table.markdown(("work", "", "setting", "ms a step", "first step, ms", "peak memory, MB"),
                                   list(settings(groups))),
        "costs": table.markdown(("", "", ""), list(costs(groups, records))),
    }
    for name, part in parts.items():
        template = template.replace(f"{{{{{name}}}}}", part)
    return template


def write(records):
    if not records:
        sys.exit("There are no results to make a page of: run scripts/bench first, or name them by --out.")
    docs = suite.ROOT / "docs"
    (docs / "speed.md").write_text(fill((suite.BENCH / "speed.md").read_text(), records))
    (docs / "speed.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    print("docs/speed.md and docs/speed.jsonl are written.")
