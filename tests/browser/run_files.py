"""What is in the folder of a run, read without Espalier, to compare a page with."""
import json
import math
import struct
import tomllib
from pathlib import Path


def real(value):
    return math.nan if value is None else value


class RunFiles:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.settings = tomllib.loads((self.folder / "settings.toml").read_text())
        self.record = json.loads((self.folder / "record.json").read_text())
        self.structure = json.loads((self.folder / "structure.json").read_text())
        self.history = [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]

    def modules(self):
        def walk(module):
            yield module
            for child in module["children"]:
                yield from walk(child)
        return list(walk(self.structure))

    def parameters(self):
        """Each tensor once."""
        return [p for m in self.modules() for p in m["parameters"] if "same_as" not in p]

    def children(self, parent):
        return [i for i, c in enumerate(self.record["calls"]) if c["parent"] == parent]

    def stages(self, parent=-1):
        """Modules without modules inside, and operations beside modules, in order."""
        found = []
        for i in self.children(parent):
            call = self.record["calls"][i]
            if call["module"] and any(self.record["calls"][c]["module"] for c in self.children(i)):
                found += self.stages(i)
            else:
                found.append(i)
        return found

    def operations(self, call):
        """Of a call: itself, or all that ran inside."""
        if not self.record["calls"][call]["module"]:
            return [self.record["calls"][call]]
        return [o for c in self.children(call) for o in self.operations(c)]

    def shape(self, tensor):
        return self.record["tensors"][tensor]["shape"]


FORMATS = {"F32": "f", "I32": "i", "I64": "q", "U8": "B"}


def arrays(path):
    """Tensors of a safetensors file by name, each as a flat tuple."""
    data = Path(path).read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    out = {}
    for name, entry in header.items():
        if entry["dtype"] in FORMATS:
            begin, end = entry["data_offsets"]
            code = FORMATS[entry["dtype"]]
            out[name] = struct.unpack_from(f"<{(end - begin) // struct.calcsize(code)}{code}", data, 8 + size + begin)
    return out


weights = arrays
