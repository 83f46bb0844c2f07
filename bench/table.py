"""Records as a table: Espalier beside the best of each peer."""
import statistics

KEYS = ("work", "phase", "batch", "threads", "dtype")
PEERS = ("LibTorch", "PyTorch", "ONNX Runtime")


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
    """How many times b's time a takes: the median, least and most over the rounds, which were run in turn."""
    each = [x / y for x, y in zip(a["rounds_ms"], b["rounds_ms"])]
    return statistics.median(each), min(each), max(each)


def number(x):
    return f"{x:.{4 if x < 0.1 else 3 if x < 1 else 2 if x < 10 else 1}f}"


def ms(r):
    return number(r["median_ms"]) if r else "–"


def times(a, b):
    return "{:.2f} ({:.2f}–{:.2f})".format(*ratio(a, b)) if a and b else "–"


HEADER = ("work", "phase", "batch", "threads", "dtype", "Espalier", *PEERS, "best peer", "times faster", "floor",
          "of the floor")


def row(key, records):
    own, floor, peer = best(records, "Espalier"), best(records, "floor"), best(records, *PEERS)
    return (*map(str, key), ms(own), *(ms(best(records, who)) for who in PEERS),
            f"{peer['who']} {peer['setting']}" if peer else "–", times(peer, own), ms(floor), times(own, floor))


def rows(records):
    return [row(key, group) for key, group in groups(records).items()]


def aligned(lines):
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def text(records):
    absent = [f"absent: {' '.join(str(r[k]) for k in ('who', 'setting', *KEYS) if k in r)}: {r['absent']}"
              for r in records if "absent" in r]
    sizes = [f"{r['who']}: {r['size_mb']:.1f} MB installed" for r in records if "size_mb" in r]
    return "\n".join([aligned([HEADER, *rows(records)]), *sizes, *absent])


def markdown(header, lines):
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines))
