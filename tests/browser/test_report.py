"""The report of a run, as a browser shows it: what it says against the run's files, and how it behaves."""
import math
import os
import time
from pathlib import Path

from browser import PageTest, main
from run_files import RunFiles, real, weights

NAMES = ["seed-cnn", "resnet", "transformer"]
SHOTS = os.environ.get("ESPALIER_SCREENSHOTS")


def grouped(n):
    return f"{n:,}"


def shape_text(shape):
    return "[" + ", ".join(map(str, shape)) + "]"


def value(text):
    """The number that a cell shows."""
    return float(text.replace(",", "").replace(" %", ""))


class Report(PageTest):
    def page(self, name, fragment=""):
        self.browser.open(self.folder / name / "report.html", fragment)
        return RunFiles(self.folder / name)

    def views(self):
        return self.browser.js("return [...document.querySelectorAll('[role=tabpanel]')].map((e) => e.id)")

    def visible_views(self):
        return self.browser.js("return [...document.querySelectorAll('[role=tabpanel]')].filter((e) => e.checkVisibility()).map((e) => e.id)")

    # What the views show

    def test_structure_shows_every_module_with_its_settings_and_parameters(self):
        for name in NAMES:
            with self.subTest(name):
                run = self.page(name)
                total = sum(math.prod(p["shape"]) for p in run.parameters())
                self.assertIn(f"{grouped(total)} parameters", self.browser.text("#structure .lead")[0])
                tree = self.browser.text("#structure .tree")[0]
                for module in run.modules():
                    if "layers." in module["path"]:
                        continue  # rolled up
                    own = f"({module['name']}): {module['kind']}" if module["path"] else module["kind"]
                    self.assertIn(own, tree)
                    if not module["children"]:
                        self.assertIn(f"{own}({module['settings']})", tree)

    def test_equal_modules_of_a_list_are_one_line(self):
        self.page("transformer")
        self.assertIn("(0-2): 3 x TransformerEncoderLayer", self.browser.text("#structure .tree")[0])

    def test_the_graph_has_each_stage_and_rolls_up_repeats(self):
        run = self.page("seed-cnn")
        names = self.browser.text("#structure .graph .box .name")
        self.assertEqual(names, ["input", "conv", "relu", "flatten", "fc", "cross_entropy"])
        details = self.browser.text("#structure .graph .box .detail")
        outputs = [run.record["calls"][s]["outputs"][0] for s in run.stages()]
        for text, tensor in zip(details[1:], outputs):
            self.assertIn(shape_text(run.shape(tensor)), text)
        self.page("resnet-50")
        self.assertEqual(self.browser.text("#structure .graph .group text"), ["×8", "×7", "×7"])

    def test_what_is_rolled_up_is_framed_and_nothing_else(self):
        self.page("transformer")
        self.assertEqual(self.browser.text("#structure .graph .group text"), ["×3"])
        frame, boxes = self.browser.js("""
            const sides = (e) => { const box = e.getBoundingClientRect(); return [box.top, box.bottom]; };
            return [sides(document.querySelector('#structure .graph .group rect')),
                    [...document.querySelectorAll('#structure .graph .box')].map((e) => [e.querySelector('.name').textContent, ...sides(e)])]""")
        inside = [name for name, top, bottom in boxes if top >= frame[0] and bottom <= frame[1]]
        self.assertEqual([name for name, _, _ in boxes if name not in inside], ["input", "embedding", "mean", "fc", "cross_entropy"])

    def test_the_drawing_can_be_saved_as_a_file_of_its_own(self):
        self.page("resnet")
        link = self.browser.js("return document.querySelector('a[download=\"structure.svg\"]').href")
        self.assertTrue(link.startswith("data:image/svg+xml;base64,"))
        errors = self.browser.js("return new DOMParser().parseFromString(atob(arguments[0].split(',')[1]), 'image/svg+xml')"
                                 ".querySelectorAll('parsererror').length", link)
        self.assertEqual(errors, 0)

    def test_data_flow_has_a_row_for_each_stage_with_its_shapes(self):
        for name in NAMES:
            with self.subTest(name):
                run = self.page(name, "#data-flow")
                rows = self.browser.rows("#data-flow table")
                stages = [run.record["calls"][s] for s in run.stages()]
                self.assertEqual(len(rows), 1 + len(stages))
                for row, call in zip(rows[1:], stages):
                    own = call["path"] if call["module"] else f"{call['path']}.{call['kind']}".lstrip(".")
                    self.assertEqual(row[0].split("\n")[0], own)
                    self.assertEqual(row[1].split("\n")[0], shape_text(run.shape(call["inputs"][0])))
                    self.assertEqual(row[3].split("\n")[0], shape_text(run.shape(call["outputs"][0])))
        self.page("seed-cnn", "#data-flow")
        rows = self.browser.rows("#data-flow table")
        self.assertIn("32 batch × 3 channels × 32 height × 32 width", rows[0][3].replace("\u00a0", " "))
        self.assertIn("32 batch × 3 classes", rows[4][3].replace("\u00a0", " "))
        self.page("transformer", "#data-flow")
        self.assertIn("16 batch × 12 steps", self.browser.rows("#data-flow table")[0][3].replace("\u00a0", " "))

    def test_the_training_trace_shows_the_figures_of_each_epoch(self):
        for name in NAMES:
            with self.subTest(name):
                run = self.page(name, "#training")
                rows = self.browser.rows("#training > .wide > table")
                self.assertEqual(len(rows), len(run.history))
                for row, epoch in zip(rows, run.history):
                    self.assertEqual(row[0], str(epoch["epoch"]))
                    self.assertEqual(row[1], f"{epoch['train_loss']:.4f}")
                    self.assertEqual(row[2], f"{epoch['train_accuracy']:.3f}")
                    self.assertEqual(row[3], "–" if epoch["val_loss"] is None else f"{epoch['val_loss']:.4f}")
                    self.assertTrue(row[7])

    def test_the_charts_of_a_training_have_their_figures_behind_them(self):
        run = self.page("seed-cnn", "#training")
        self.browser.one("#chart-loss summary").click()
        rows = self.browser.rows("#chart-loss table")
        for row, epoch in zip(rows, run.history):
            self.assertAlmostEqual(value(row[1]), epoch["train_loss"], delta=2e-3 * epoch["train_loss"])
            self.assertAlmostEqual(value(row[2]), epoch["val_loss"], delta=2e-3 * epoch["val_loss"])
        points = self.browser.js("return document.querySelectorAll('#chart-loss .chart .mark').length")
        self.assertEqual(points, 2 * len(run.history))

    def test_cost_adds_up_the_times_and_the_arithmetic_of_the_record(self):
        for name in NAMES:
            with self.subTest(name):
                run = self.page(name, "#cost")
                rows = self.browser.rows("#cost table")
                self.assertEqual(len(rows), len(run.stages()) + 1)
                for row, stage in zip(rows, run.stages()):
                    operations = run.operations(stage)
                    self.assertAlmostEqual(value(row[1]), 1e3 * sum(o["seconds"] for o in operations), delta=6e-4)
                    self.assertAlmostEqual(value(row[2]), 1e3 * sum(o["backward_seconds"] for o in operations), delta=6e-4)
                    self.assertAlmostEqual(value(row[4]), sum(o["flops"] for o in operations) / 1e6, delta=0.06)
                self.assertEqual(rows[-1][0], "Sum")
                self.assertAlmostEqual(value(rows[-1][1]), sum(value(r[1]) for r in rows[:-1]), delta=1e-3 * len(rows))

    def test_parameters_have_the_statistics_of_the_weights(self):
        for name in NAMES:
            with self.subTest(name):
                run = self.page(name, "#parameters")
                now, before = weights(run.folder / "weights.safetensors"), weights(run.folder / "initial.safetensors")
                rows = self.browser.rows("#parameters > .wide > table")
                self.assertEqual([r[0] for r in rows], [p["name"] for p in run.parameters()])
                for row in rows[:8]:
                    values, first = now[row[0]], before[row[0]]
                    self.assertEqual(row[2], grouped(len(values)))
                    mean = math.fsum(values) / len(values)
                    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))
                    for cell, expected in ((row[4], mean), (row[5], spread), (row[6], min(values)), (row[7], max(values))):
                        self.assertAlmostEqual(value(cell), expected, delta=0.006 * abs(expected) + 1e-9)
                    base = math.sqrt(math.fsum(v * v for v in first))
                    if base > 0:
                        moved = math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(values, first)))
                        self.assertAlmostEqual(value(row[10]) / 100, moved / base, delta=0.006)

    def test_filters_of_the_first_convolution_are_pictures(self):
        run = self.page("seed-cnn", "#parameters")
        pictures = self.browser.js("return [...document.querySelectorAll('.filters img')].map((i) => [i.naturalWidth, i.naturalHeight, i.alt])")
        self.assertEqual(len(pictures), 2 * run.parameters()[0]["shape"][0])
        self.assertTrue(all(p[:2] == [3, 3] and p[2].startswith("Filter") for p in pictures))

    # How the page behaves

    def test_nothing_is_fetched_and_nothing_fails(self):
        for name in sorted(p.name for p in self.folder.iterdir()):
            with self.subTest(name):
                self.page(name)
                for view in self.views():
                    self.browser.one(f"#tab-{view}").click()
                self.assertEqual(self.browser.log(), [])
                asked = [r for r in self.browser.requests() if not r.startswith(("data:", "about:"))]
                self.assertEqual(len(asked), 1, asked)
                self.assertTrue(asked[0].startswith("file:"))

    def test_tabs_are_links_that_show_one_view(self):
        self.page("seed-cnn")
        views = self.views()
        self.assertEqual(self.visible_views(), views[:1])
        for view in views:
            self.browser.one(f"#tab-{view}").click()
            self.assertEqual(self.visible_views(), [view])
            self.assertTrue(self.browser.driver.current_url.endswith(f"#{view}"))
        self.browser.driver.back()
        self.assertEqual(self.visible_views(), [views[-2]])
        self.page("seed-cnn", f"#{views[2]}")
        self.assertEqual(self.visible_views(), [views[2]])

    def test_tabs_follow_the_arrow_keys(self):
        self.page("seed-cnn")
        views = self.views()
        self.browser.one(f"#tab-{views[0]}").send_keys("\ue014")  # right
        self.assertEqual(self.visible_views(), [views[1]])
        self.browser.one(f"#tab-{views[1]}").send_keys("\ue012\ue012")  # left, left: around
        self.browser.js("return document.activeElement").send_keys("\ue012")
        self.assertEqual(len(self.visible_views()), 1)
        self.browser.js("return document.activeElement").send_keys("\ue010")  # end
        self.assertEqual(self.visible_views(), [views[-1]])
        self.browser.js("return document.activeElement").send_keys("\ue011")  # home
        self.assertEqual(self.visible_views(), [views[0]])

    def test_modules_fold_by_the_keyboard(self):
        self.page("resnet")
        summary = self.browser.one("#structure .tree summary")
        before = self.browser.js("return document.querySelector('#structure .tree details').open")
        summary.send_keys("\ue007")
        self.assertNotEqual(self.browser.js("return document.querySelector('#structure .tree details').open"), before)

    def test_the_page_is_dark_where_the_system_is_and_by_its_button(self):
        def brightness():
            return self.browser.js("return getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).map(Number)[0]")
        self.browser.media("dark")
        self.page("seed-cnn")
        self.assertLess(brightness(), 60)
        self.browser.one("#theme").click()
        self.assertGreater(brightness(), 200)
        self.browser.media("light")
        self.page("seed-cnn")
        self.browser.js("try { localStorage.clear(); } catch (e) {} document.documentElement.dataset.theme = '';")
        self.assertGreater(brightness(), 200)

    def test_print_shows_all_views_one_after_another(self):
        self.page("seed-cnn")
        self.browser.media(kind="print")
        self.assertEqual(self.visible_views(), self.views())
        self.assertFalse(self.browser.one(".tabs").is_displayed())

    def test_without_scripts_all_views_are_there(self):
        self.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
        try:
            self.browser.open(self.folder / "seed-cnn" / "report.html")
            self.assertTrue(all(e.is_displayed() for e in self.browser.all("[role=tabpanel]")))
        finally:
            self.browser.cdp("Emulation.setScriptExecutionDisabled", value=False)

    def test_a_narrow_screen_scrolls_only_down(self):
        self.browser.size(390, 844)
        for name in NAMES:
            self.page(name)
            for view in self.views():
                self.browser.one(f"#tab-{view}").click()
                wide = self.browser.js("return document.documentElement.scrollWidth - innerWidth")
                self.assertLessEqual(wide, 0, f"{name} {view}")

    def test_accessibility(self):
        for name in NAMES:
            for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)):
                self.browser.media(scheme)
                self.browser.size(width, 844)
                self.page(name)
                for view in self.views():
                    self.browser.one(f"#tab-{view}").click()
                    self.browser.js("document.querySelectorAll('.current details').forEach((d) => { d.open = true; })")
                    self.assertEqual(self.browser.faults(), [], f"{name}, {view}, {scheme}, {width}")
            self.browser.size(1280, 900)
            self.browser.media("light", kind="print")
            self.assertEqual(self.browser.faults(), [], f"{name}, printed")

    def test_hostile_names_stay_text(self):
        names = [p.name for p in self.folder.iterdir() if "<" in p.name]
        self.assertTrue(names)
        run = self.page(names[0])
        self.assertEqual(self.browser.text("h1"), names)
        self.assertEqual(self.browser.driver.title, f"{names[0]} · Espalier")
        self.assertEqual(self.browser.js("return document.querySelectorAll('[onerror], [onmouseover], img:not([src^=\"data:\"])').length"), 0)
        self.assertEqual(self.browser.js("return document.scripts.length"), 3)
        self.assertEqual(self.browser.log(), [])
        self.assertEqual(len(run.settings["classes"]), 3)

    def test_inline_scripts_and_styles_are_refused(self):
        self.page("seed-cnn")
        ran = self.browser.js("""
            const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);
            const d = document.createElement('div'); d.innerHTML = '<img src="data:," onerror="window.ran = 2"><p style="color: red">x</p>';
            document.body.append(d);
            return [window.ran, getComputedStyle(d.querySelector('p')).color === 'rgb(255, 0, 0)'];""")
        self.assertEqual(ran, [None, False])
        self.assertTrue(self.browser.log())

    def test_size_and_first_paint(self):
        for name, most in (("seed-cnn", 2e6), ("resnet-50", 8e6)):
            size = (self.folder / name / "report.html").stat().st_size
            self.assertLess(size, most, name)
            paints = []
            for _ in range(3):  # the machine may be busy
                self.page(name)
                paints.append(self.browser.first_paint())
            print(f"{name}: {size} bytes, first paint after {', '.join(f'{p:.0f}' for p in paints)} ms")
            self.assertLess(min(paints), 500 if name == "seed-cnn" else 1500)

    def test_a_deep_model_has_samples_and_steps(self):
        run = self.page("resnet-50", "#prediction")
        self.assertEqual(len(run.history), 100)
        self.assertEqual(sum(m["kind"] in ("Conv2d", "Linear") and "downsample" not in m["path"] for m in run.modules()), 50)
        self.assertTrue(self.browser.all("#sample-0 figure[data-kernel] img"))
        self.assertGreater(len(self.browser.all("#sample-0 .stage")), 50)
        self.page("resnet-50", "#training")
        self.assertEqual(len(self.browser.rows("#training > .wide > table")), 100)
        self.assertTrue(self.browser.all("#chart-step-loss svg"))
        self.page("resnet-50", "#gradients")
        self.assertGreaterEqual(len(self.browser.rows("#gradients > .wide > table")), 50)

    def test_screenshots(self):
        if not SHOTS:
            self.skipTest("ESPALIER_SCREENSHOTS names no folder")
        out = Path(SHOTS)
        out.mkdir(parents=True, exist_ok=True)
        for view, scheme in (("structure", "light"), ("training", "light"), ("parameters", "dark")):
            self.browser.media(scheme)
            self.page("seed-cnn")
            self.browser.one(f"#tab-{view}").click()
            self.browser.js("document.activeElement.blur()")
            time.sleep(0.5)  # the colours of tabs move
            self.browser.shot(out / f"report-{view}.png")
        self.browser.media("light")
        self.page("seed-cnn", "#prediction")
        image = self.browser.one("#sample-0 figure[data-kernel] img")
        self.browser.js("arguments[0].scrollIntoView({block: 'start'})", image)
        self.browser.click_at(image, 14, 20)
        self.browser.shot(out / "report-prediction.png")


if __name__ == "__main__":
    main()
