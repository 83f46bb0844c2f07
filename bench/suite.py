"""The contestants, what they are asked, and how: in turn, round after round."""
import dataclasses
import glob
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
BUILD = pathlib.Path(os.environ.get("ESPALIER_BUILD", ROOT / "build/bench")).resolve()

BATCH = {"W1": 64, "W2": 64, "W3": 64, "W4": 128, "W5": 16, "W6-lstm": 32, "W6-encoder": 16, "tape": 1, "loader": 64}
IMAGES = ("W1", "W2", "W3")
# What torch.compile takes part in: it needs a minute for each when it is new.
COMPILED = {("train", "float32"): [work for work in BATCH if work.startswith("W")],
            ("infer", "float32"): ["W1", "W2", "W3", "W4"], ("train", "bfloat16"): ["W2", "W3", "W4"]}
# glibc's malloc gives large blocks back at once and each step faults them in again; this keeps them.
KEPT_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_MMAP_THRESHOLD_": "4000000000"}
SECONDS = 0.1  # of one contestant's turn; a step that takes longer is run once
PATIENCE = 20  # seconds; a measurement that has taken as long ends after three rounds
QUIET = 0.15  # of a processor: more taken by others during a turn, and the turn is repeated, twice at most


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One line of the table, but for who and setting."""
    work: str
    phase: str
    batch: int
    threads: int
    dtype: str

    def request(self, seconds):
        return f"{self.work} {self.phase} {self.batch} {self.threads} {self.dtype} {seconds}\n"


def measurements(works, phases, threads, dtypes):
    """Threads that are not given are two and one, for bfloat16 two: a full run is to end within a quarter of an hour."""
    for work in works:
        for dtype in dtypes:
            for phase in phases:
                for batch in [BATCH[work]] if phase == "train" else sorted({1, BATCH[work]}):
                    for n in threads or ((2, 1) if dtype == "float32" else (2,)):
                        if work.startswith("W") or (phase, dtype) == ("train", "float32"):
                            yield Measurement(work, phase, batch, n, dtype)


class Contestant:
    """A program and its setting. `when` says which measurements it takes part in."""

    def __init__(self, who, setting, command, environment=None, when=lambda m: True):
        self.who, self.setting, self.command = who, setting, [str(word) for word in command]
        self.environment, self.takes_part = environment or {}, when
        if "malloc" in setting:
            self.environment = {**self.environment, **KEPT_MEMORY}
        self.process = None

    def start(self):
        if not self.process:
            self.process = subprocess.Popen(self.command, env={**plain_environment(), **self.environment}, text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
                                            stderr=open(BUILD / f"{self.who}.log", "a", encoding="utf-8"))

    def ask(self, m, seconds):
        """The answer as a dictionary; None when the contestant does not know the work."""
        self.start()
        try:
            self.process.stdin.write(m.request(seconds))
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):  # it crashed
            self.process.kill()
            self.stop()
            return {"error": "the process ended"}

    def ask_in_quiet(self, m, seconds):
        for _ in range(3):
            begin, others = time.monotonic(), others_seconds(self.process.pid)
            answer = self.ask(m, seconds)
            if failed([answer]) or others_seconds(self.process.pid) - others < QUIET * (time.monotonic() - begin):
                break
        return answer

    def stop(self):
        if self.process:
            self.process.communicate()
            self.process = None


def plain_environment():
    """Without settings of threads and memory that would make results differ."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "MKL_", "MALLOC_"))}


def others_seconds(pid):
    """Processor time that all processes but this one have taken; what a virtual machine was kept waiting is in it."""
    everything = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    own = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    idle, waiting = everything[3:5]
    busy = sum(map(int, everything[:8])) - int(idle) - int(waiting)
    return (busy - sum(map(int, own))) / os.sysconf("SC_CLK_TCK")


def stop(contestants):
    for c in contestants:
        c.stop()


@dataclasses.dataclass
class Torch:
    """An installed PyTorch: the environment that holds it, and LibTorch, which is a part of it."""
    python: pathlib.Path
    package: pathlib.Path

    @classmethod
    def at(cls, folder):
        found = glob.glob(f"{folder}/lib/python*/site-packages/torch")
        if not found:
            sys.exit(f"{folder}: there is no lib/python*/site-packages/torch; "
                     f"make one by `python3 -m venv {folder} && {folder}/bin/pip install torch`")
        return cls(pathlib.Path(folder) / "bin/python", pathlib.Path(found[0]))

    def environment(self):
        """A wheel that was built for GPUs has libraries beside it."""
        beside = glob.glob(f"{self.package.parent}/nvidia/*/lib")
        paths = [str(self.package / "lib"), *beside, os.environ.get("LD_LIBRARY_PATH", "")]
        compiled = os.environ.get("TORCHINDUCTOR_CACHE_DIR", str(BUILD / "inductor"))
        return {"LD_LIBRARY_PATH": ":".join(filter(None, paths)), "TORCHINDUCTOR_CACHE_DIR": compiled}

    def has(self, module):
        return (self.package.parent / module).exists()


def run(*command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(done.args)}\n{done.stdout[-4000:]}")


def build(options, torch):
    if (BUILD / "CMakeCache.txt").exists():
        run("cmake", BUILD, "-DESPALIER_BENCH=ON", *options)
    else:
        run("cmake", "--preset", "release", "-B", BUILD, "-DESPALIER_BENCH=ON", *options)
    run("cmake", "--build", BUILD, "--target", "bench")
    if torch:
        build_libtorch(torch)


def build_libtorch(torch):
    sources = [BENCH / "libtorch.cpp", BENCH / "contestant.cpp"]
    program = BUILD / "bench/libtorch"
    needed = [*sources, BENCH / "contestant.h"]
    compiler = ["ccache", "g++"] if shutil.which("ccache") else ["g++"]
    if program.exists() and program.stat().st_mtime > max(file.stat().st_mtime for file in needed):
        return
    print("Compiling bench/libtorch.cpp …", file=sys.stderr)
    lib, include = torch.package / "lib", torch.package / "include"
    objects = [BUILD / f"{source.stem}_libtorch.o" for source in sources]
    for source, object_ in zip(sources, objects):
        run(*compiler, "-std=c++20", "-O2", "-c", source.relative_to(ROOT), "-o", object_, f"-I{include}",
            f"-I{include}/torch/csrc/api/include")
    run("g++", *objects, "-o", program, f"-L{lib}", "-ltorch", "-ltorch_cpu", "-lc10", "-Wl,--allow-shlib-undefined")


def contestants(torch, peers):
    """Those asked for, and records that say why the others are absent."""
    programs = BUILD / "bench"
    found, absent = [Contestant("Espalier", "default", [programs / "espalier"])], []

    def lacks(name, why):
        absent.append({"who": name, "absent": why})
    for name in peers:
        if name == "floor" and (programs / "floor").exists():
            found += [Contestant("floor", "default", [programs / "floor"], when=is_training),
                      Contestant("floor", "winograd", [programs / "floor", "winograd"], when=is_training)]
        elif name == "floor":
            lacks(name, "it needs oneDNN 2")
        elif not torch:
            lacks(name, "no --torch")
        elif name == "onnxruntime" and not torch.has("onnxruntime"):
            lacks(name, "pip install onnx onnxruntime beside torch")
        else:
            found += {"libtorch": libtorch, "pytorch": pytorch, "onnxruntime": onnx_runtime}[name](torch)
    return found, absent


def is_training(m):
    return m.phase == "train"


def is_inference(m):
    return m.phase == "infer"


def has_images(m):
    return m.work in IMAGES


# The weaker settings, and compiled inference, are measured with two threads only.
def has_two_threads(m):
    return m.threads == 2


def is_compiled(m):
    return m.work in COMPILED.get((m.phase, m.dtype), ()) and (is_training(m) or has_two_threads(m))


def libtorch(torch):
    program, environment = BUILD / "bench/libtorch", torch.environment()
    return [Contestant("LibTorch", "default", [program], environment, has_two_threads),
            Contestant("LibTorch", "malloc", [program], environment),
            Contestant("LibTorch", "channels_last", [program, "channels_last"], environment,
                       lambda m: has_images(m) and has_two_threads(m)),
            Contestant("LibTorch", "channels_last+malloc", [program, "channels_last"], environment, has_images)]


def pytorch(torch):
    def python(setting, *when):
        words = [word for word in setting.split("+") if word not in ("default", "malloc")]
        return Contestant("PyTorch", setting, [torch.python, BENCH / "pytorch.py", *words], torch.environment(), *when)
    return [python("default", has_two_threads), python("fused+malloc"), python("channels_last+fused+malloc", has_images),
            python("compile+fused+malloc", is_compiled),
            python("torchscript+malloc", lambda m: is_inference(m) and has_two_threads(m) and m.dtype == "float32")]


def onnx_runtime(torch):
    command = [torch.python, BENCH / "onnx_runtime.py", BUILD / "onnx"]
    return [Contestant("ONNX Runtime", "default", command, torch.environment(), is_inference)]


def measure(m, players, rounds):
    """Asks each contestant once a round; gives a record for each that knows the work."""
    players = [c for c in players if c.takes_part(m)]
    for c in players:
        c.start()
    begin = time.monotonic()
    answers = {c: [first] for c in players if (first := c.ask(m, 0))}
    for i in range(rounds):
        if i < 3 or time.monotonic() - begin < PATIENCE:
            for c, given in answers.items():
                if not failed(given):
                    given.append(c.ask_in_quiet(m, SECONDS))
    return [record(m, c, given) for c, given in answers.items()]


def failed(answers):
    return "error" in answers[-1]


def record(m, contestant, answers):
    about_it = {**dataclasses.asdict(m), "who": contestant.who, "setting": contestant.setting}
    if failed(answers):
        return {**about_it, "absent": answers[-1]["error"]}
    times = [a["median_ms"] for a in answers[1:]]
    return {**about_it, "median_ms": statistics.median(times), "min_ms": min(times), "max_ms": max(times),
            "peak_mb": max(a["peak_mb"] for a in answers), "first_ms": answers[0]["first_ms"], "rounds_ms": times}


def about(torch):
    """The record of what was measured, and where."""
    def line(*command):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return (done.stdout.splitlines() or ["?"])[0]

    def version(module):
        return line(torch.python, "-c", f"import {module}; print({module}.__version__)") if torch else "absent"
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"about": {
        "processor": processor[1] if processor else platform.machine(), "cores": os.cpu_count(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"], "compiler": line("g++", "--version"),
        "onednn": line("dpkg-query", "-W", "-f", "${Version}", "libdnnl-dev"), "torch": version("torch"),
        "onnxruntime": version("onnxruntime"), "commit": line("git", "rev-parse", "--short", "HEAD"),
        "date": time.strftime("%Y-%m-%d")}}
