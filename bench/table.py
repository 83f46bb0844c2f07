"""Records as a table: Espalier beside the best of each peer."""
import statistics

KEYS = ("work", "phase", "batch", "threads", "dtype")


def groups(records):
    """{(work, phase, batch, threads, dtype): its records}, in the order of the records."""
    found = {}
    for r in records:
        if "median_ms" in r:
            found.setdefault(tuple(r[k] for k in KEYS), []).append(r)
    return found


def best(records, *who):
    return min((r for r in records if r["who"] in who), key=lambda r: r["median_ms"], default=None)


def ratio(a, b):
    """How many times a's time is of b's: the median, least and most over the rounds, which were run in turn."""
    each = [x / y for x, y in zip(a["rounds_ms"], b["rounds_ms"])]
    return statistics.median(each), min(each), max(each)


def ms(r):
    if not r:
        return "–"
    digits = 3 if r["median_ms"] < 0.1 else 2 if r["median_ms"] < 10 else 1
    return f"{r['median_ms']:.{digits}f}"


def times(a, b):
    if not a or not b:
        return "–"
    return "{:.2f} ({:.2f}–{:.2f})".format(*ratio(a, b))


HEADER = ("work", "phase", "batch", "threads", "dtype", "Espalier", "LibTorch", "PyTorch", "ONNX Runtime", "best peer",
          "times faster", "floor", "of the floor")


def row(key, records):
    own, floor = best(records, "Espalier"), best(records, "floor")
    peer = best(records, "LibTorch", "PyTorch", "ONNX Runtime")
    return (*map(str, key), ms(own), *(ms(best(records, who)) for who in ("LibTorch", "PyTorch", "ONNX Runtime")),
            f"{peer['who']} {peer['setting']}" if peer else "–", times(peer, own), ms(floor), times(own, floor))


def aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(r, widths)).rstrip() for r in rows)


def table(records):
    return aligned([HEADER, *(row(key, group) for key, group in groups(records).items())])
