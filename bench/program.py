"""What a user's program costs: to compile it, to start it, and what has to be installed for it."""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import suite

SOURCES = suite.BENCH / "program"


def timed(command, environment=None):
    """Milliseconds and the peak of memory in MB, of the largest process among it and its children."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], env={**suite.plain_environment(), **(environment or {})},
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command}: {errors.decode()}")
    return (time.perf_counter() - begin) * 1e3, usage.ru_maxrss / 1024


def record(phase, who, command, environment=None, rounds=5):
    if phase == "start":
        timed(command, environment)  # its files come into memory
    each = [timed(command, environment) for _ in range(rounds)]
    ms = [m for m, _ in each]
    return {"work": "program", "phase": phase, "batch": 1, "threads": 2, "dtype": "float32", "who": who,
            "setting": "default", "median_ms": statistics.median(ms), "min_ms": min(ms), "max_ms": max(ms),
            "peak_mb": max(mb for _, mb in each), "rounds_ms": ms}


def stripped_mb(library):
    with tempfile.NamedTemporaryFile() as out:
        suite.run("strip", "-o", out.name, library)
        return pathlib.Path(out.name).stat().st_size / 1e6


def size(who, mb):
    return {"work": "program", "phase": "size", "who": who, "setting": "default", "size_mb": mb}


def folder_mb(*folders):
    """Without what is for GPUs."""
    files = [f for folder in folders for f in folder.rglob("*") if f.is_file()]
    return sum(f.stat().st_size for f in files if not re.search("cuda|nvshmem|nvrtc", f.name)) / 1e6


def measure(torch):
    """Records of Espalier, and of LibTorch and PyTorch where there are any."""
    work = suite.BUILD / "program"
    work.mkdir(exist_ok=True)
    compile_ = ["g++", "-std=c++20", "-O2", "-c"]
    own = [*compile_, SOURCES / "espalier.cpp", f"-I{suite.ROOT}", "-o", work / "espalier.o"]
    (work / "empty.cpp").write_text("int main() {}\n")
    yield record("compile", "empty file", [*compile_, work / "empty.cpp", "-o", work / "empty.o"])
    yield record("compile", "Espalier", own)
    suite.run("g++", work / "espalier.o", "-o", work / "espalier", f"-L{suite.BUILD}", "-lespalier",
              f"-Wl,-rpath,{suite.BUILD}")
    yield record("start", "Espalier", [work / "espalier"])
    yield size("Espalier", stripped_mb((suite.BUILD / "libespalier.so").resolve()))
    if torch:
        yield from measure_torch(torch, work, compile_)


def measure_torch(torch, work, compile_):
    lib, include = torch.package / "lib", torch.package / "include"
    yield record("compile", "LibTorch",
                 [*compile_, SOURCES / "libtorch.cpp", f"-I{include}", f"-I{include}/torch/csrc/api/include",
                  "-o", work / "libtorch.o"], rounds=2)
    suite.run("g++", work / "libtorch.o", "-o", work / "libtorch", f"-L{lib}", "-ltorch", "-ltorch_cpu", "-lc10",
              "-Wl,--allow-shlib-undefined")
    yield record("start", "LibTorch", [work / "libtorch"], torch.environment(), rounds=3)
    yield record("start", "PyTorch", [torch.python, SOURCES / "pytorch.py"], torch.environment(), rounds=3)
    yield size("LibTorch", folder_mb(lib, include))
