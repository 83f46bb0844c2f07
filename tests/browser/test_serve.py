"""espalier serve in a browser: a page that follows a training in another process, and an image of one's own."""
import json
import os
import random
import re
import signal
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

from browser import PageTest, main

TOOL = os.environ.get("ESPALIER_TOOL", "")
HOSTILE = "<img src=x onerror=alert(1)>"


def write_mnist(folder, which, n):
    """Squares in one of four places: MNIST's files."""
    draw = random.Random(n)
    pixels, labels = bytearray(), bytearray()
    for i in range(n):
        label = i % 4
        image = bytearray(draw.randrange(60) for _ in range(784))
        for y in range(10):
            for x in range(10):
                image[(y + 2 + 14 * (label // 2)) * 28 + x + 2 + 14 * (label % 2)] = 200
        pixels += image
        labels.append(label)
    (folder / f"{which}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, n, 28, 28) + pixels)
    (folder / f"{which}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, n) + labels)


def png(size=28):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + bytes(200 if x < 12 and 2 < y < 12 else 10 for x in range(size)) for y in range(size))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def cpu(process):
    """Seconds of a processor that a process has taken."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, runs, port=0):
        self.process = subprocess.Popen([TOOL, "serve", str(runs), "--port", str(port)], stdout=subprocess.PIPE, text=True)
        self.address = re.search(r"http://127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        self.port = int(self.address[1])
        self.address = self.address[0]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


class Serve(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.temporary = tempfile.TemporaryDirectory()
        cls.place = Path(cls.temporary.name)
        write_mnist(cls.place, "train", 1600)
        write_mnist(cls.place, "t10k", 100)
        (cls.place / "runs").mkdir()

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()
        super().tearDownClass()

    def train(self, name, epochs):
        return subprocess.Popen([TOOL, "train", "--quiet", "--threads", "1", "--data", f"mnist:{self.place}/", "--epochs", str(epochs),
                                 "--out", str(self.place / "runs" / name)], stdout=subprocess.DEVNULL)

    def steps(self, name):
        path = self.place / "runs" / name / "steps.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def shown_step(self):
        """The last step that the page's chart has, by its own words."""
        words = " ".join(self.browser.text("#chart-step-loss desc"))
        found = re.search(r"to \S+ at step ([\d,]+), lowest", words)
        return float(found[1].replace(",", "")) if found else 0

    def parts_unlike(self, name):
        """Parts of the training's view that the page has otherwise than the server would write them now."""
        return self.browser.js("""
            const parts = (...roots) => roots.flatMap((r) => [r, ...r.querySelectorAll('*')])
                .filter((e) => e.matches('.facts, .finding, figure svg, .wide') && !e.closest('details')).map((e) => e.outerHTML);
            return fetch(arguments[0]).then((answer) => answer.text()).then((text) => {
              const place = document.createElement('div');
              place.innerHTML = text;
              const now = parts(place), page = parts(document.querySelector('.facts'), document.getElementById('training'));
              return now.length < 7 ? ['too few parts'] : page.length !== now.length ? ['not so many'] : page.filter((part, i) => part !== now[i]);
            });""", f"/run/{name}/view/training")

    def listened(self):
        return [r for r in self.browser.requests() if "/follow/" in r]

    def test_a_page_follows_a_training_and_outlives_the_server(self):
        training = self.train("live", 400)
        server = None
        try:
            self.browser.wait(lambda: len(self.steps("live")) > 3)
            server = Server(self.place / "runs")
            self.browser.open(f"{server.address}/run/live", "#training")
            self.browser.wait(lambda: self.shown_step() > 0)
            waits, taken, since = [], cpu(server.process), time.monotonic()
            for _ in range(3):
                shown = self.shown_step()
                self.browser.wait(lambda: self.steps("live")[-1]["step"] > shown)
                newest, began = self.steps("live")[-1]["step"], time.monotonic()
                self.browser.wait(lambda: self.shown_step() >= newest)
                waits.append(time.monotonic() - began)
            print(f"new points were shown after {', '.join(f'{w:.1f}' for w in waits)} s")
            self.assertLess(sorted(waits)[1], 2)
            taken, since = cpu(server.process) - taken, time.monotonic() - since
            print(f"the server took {1000 * taken / since:.1f} ms of a processor each second")
            self.assertLess(taken, 0.02 * since)

            # What single edits have made of the page is what the server would write.
            training.send_signal(signal.SIGSTOP)
            time.sleep(4)
            self.assertEqual(self.parts_unlike("live"), [])
            training.send_signal(signal.SIGCONT)

            # The table behind a chart is made when it is opened, and grows from then on.
            self.browser.one("#chart-step-loss summary").click()
            def last_row():
                return float(self.browser.text("#chart-step-loss tbody tr:last-child th")[0].replace(",", ""))
            self.browser.wait(lambda: last_row() >= newest)
            opened = last_row()
            self.browser.wait(lambda: last_row() > opened)
            # What is as it was is not drawn again.
            self.browser.js("document.querySelector('#training h2').dataset.kept = document.querySelector('#chart-step-loss svg').dataset.kept = 1")
            shown = self.shown_step()
            self.browser.wait(lambda: self.shown_step() > shown)
            self.assertEqual(len(self.browser.all("#training [data-kept]")), 2)
            # Nothing is sent while nobody looks, and one stream brings all the rest.
            self.assertLessEqual(len(self.listened()), 2)
            self.browser.js("Object.defineProperty(document, 'hidden', { get: () => window.away, configurable: true })")
            self.browser.js("window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
            shown = self.shown_step()
            time.sleep(3)
            self.assertEqual(self.shown_step(), shown)
            self.assertEqual(self.listened(), [])
            self.browser.js("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
            newest = self.steps("live")[-1]["step"]
            self.browser.wait(lambda: self.shown_step() >= newest)

            server.close()
            self.browser.wait(lambda: "does not answer" in self.browser.text("#live-status")[0])
            server = Server(self.place / "runs", server.port)
            newest = self.steps("live")[-1]["step"]
            self.browser.wait(lambda: self.shown_step() >= newest)
            self.assertIsNone(training.poll(), "the training must go on")
            self.assertEqual([r for r in self.browser.requests() if not r.startswith(server.address) and not r.startswith("data:")], [])
        finally:
            training.kill()
            training.wait()
            if server:
                server.close()

    def test_an_image_of_ones_own_goes_through_the_model(self):
        self.assertEqual(self.train("done", 2).wait(), 0)
        self.assertEqual(self.train(HOSTILE, 1).wait(), 0)
        image = self.place / "<b>own.png"
        image.write_bytes(png())
        broken = self.place / "broken.png"
        broken.write_bytes(png()[:60])
        server = Server(self.place / "runs")
        try:
            self.browser.open(f"{server.address}/run/done", "#prediction")
            self.browser.one(".drop input").send_keys(str(image))
            self.browser.wait(lambda: self.browser.all("#dropped"))
            self.assertIn("This image:", self.browser.text("#dropped h3")[0])
            figure = "#dropped figure[data-kernel]"
            picture = self.browser.one(f"{figure} img")
            self.browser.js("arguments[0].scrollIntoView({block: 'center'})", picture)
            self.browser.click_at(picture, 30, 30)
            self.browser.wait(lambda: self.browser.all(f"{figure} .result"))
            sum_ = self.browser.one(f"{figure} .result")
            self.assertAlmostEqual(float(sum_.get_attribute("data-result")), float(sum_.get_attribute("data-recorded")), delta=1e-3)
            self.assertEqual(self.browser.log(), [])
            self.browser.one(".drop input").send_keys(str(broken))
            self.browser.wait(lambda: "can't be shown" in self.browser.text(".drop [role=status]")[0])

            self.browser.open(f"{server.address}/")
            self.assertIn(HOSTILE, self.browser.text("td, th"))
            self.assertEqual(self.browser.faults(), [])
            for box in self.browser.all("input[type=checkbox]"):
                box.click()
            self.browser.one("form button").click()
            self.browser.wait(lambda: self.browser.all("#compare-loss svg"))
            self.assertIn("differs", self.browser.text("td"))
            self.assertEqual(self.browser.faults(), [])
            self.assertEqual(self.browser.log(), [])
            self.assertEqual(self.browser.js("return document.querySelectorAll('img[src=\"x\"]').length"), 0)
        finally:
            server.close()


if __name__ == "__main__":
    main()
