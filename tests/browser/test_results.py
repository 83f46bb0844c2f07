"""What a run's results look like in a browser: predictions layer by layer, gradients, mistakes, the quiz."""
import json
import math

from browser import PageTest, main
from run_files import RunFiles, arrays

HOSTILE = "<b onmouseover=alert(3)>run"


def number(text):
    return float(text.replace(",", "").replace("\u2212", "-").replace("\u00a0", " ").replace(" %", ""))


class Results(PageTest):
    def page(self, name, fragment=""):
        self.browser.open(self.folder / name / "report.html", fragment)
        return RunFiles(self.folder / name)

    # Mistakes

    def test_the_confusion_matrix_counts_the_predictions(self):
        for name in "seed-cnn", "resnet":
            with self.subTest(name):
                run = self.page(name, "#mistakes")
                kept = arrays(run.folder / "predictions.safetensors")
                classes, per = len(run.settings["classes"]), len(kept["top"]) // len(kept["label"])
                counts = [[0] * classes for _ in range(classes)]
                for i, label in enumerate(kept["label"]):
                    counts[label][kept["top"][i * per]] += 1
                shown = [[int(cell) for cell in row[1:]] for row in self.browser.rows("#confusion")]
                self.assertEqual(shown, counts)

    def test_precision_and_recall_follow_from_the_matrix(self):
        self.page("seed-cnn", "#mistakes")
        counts = [[int(cell) for cell in row[1:]] for row in self.browser.rows("#confusion")]
        rows = self.browser.rows("#mistakes > .wide:last-of-type > table")
        for c, row in enumerate(rows):
            taken = sum(line[c] for line in counts)
            self.assertAlmostEqual(number(row[2]), 100 * counts[c][c] / taken if taken else 0, delta=0.06)
            self.assertAlmostEqual(number(row[3]), 100 * counts[c][c] / sum(counts[c]), delta=0.06)

    # Gradients

    def test_gradients_show_the_last_look_of_the_training(self):
        run = self.page("seed-cnn", "#gradients")
        looks = [s for s in map(json.loads, (run.folder / "steps.jsonl").read_text().splitlines()) if s.get("layers")]
        rows = self.browser.rows("#gradients > .wide > table")
        for row, layer in zip(rows, looks[-1]["layers"]):
            self.assertEqual(row[0], layer["name"])
            self.assertAlmostEqual(number(row[3]), layer["gradient"], delta=0.006 * layer["gradient"])
            self.assertAlmostEqual(number(row[4]), layer["update"] / layer["weight"], delta=0.006 * layer["update"] / layer["weight"])
        self.assertIn("units", self.browser.text("#gradients .finding")[0])
        self.assertTrue(self.browser.all("#gradient-size svg"))

    # Prediction

    def shown_sample(self):
        return self.browser.js("return [...document.querySelectorAll('.followed')].filter((e) => e.checkVisibility()).map((e) => e.id)")

    def test_one_image_is_shown_at_a_time_and_keys_choose_it(self):
        self.page("seed-cnn", "#prediction")
        self.assertEqual(self.shown_sample(), ["sample-0"])
        self.browser.js("document.querySelectorAll('#sample-list a')[1].focus()")
        self.browser.key("ENTER")
        self.assertEqual(self.shown_sample(), ["sample-1"])

    def test_probabilities_sum_to_one(self):
        self.page("seed-cnn", "#prediction")
        rows = self.browser.rows("#sample-0 > .wide:last-of-type > table")
        self.assertAlmostEqual(sum(number(row[1]) for row in rows), 100, delta=0.3)

    def test_a_click_on_a_pixel_shows_the_arithmetic_that_made_it(self):
        self.page("seed-cnn", "#prediction")
        figure = "#sample-0 figure[data-kernel]"
        image = self.browser.one(f"{figure} img")
        self.browser.js("arguments[0].scrollIntoView({block: 'center'})", image)
        columns = int(self.browser.one(figure).get_attribute("data-columns"))
        natural = self.browser.js("return [arguments[0].naturalWidth, arguments[0].clientWidth]", image)
        scale = natural[1] / natural[0]
        for map_, row, column in (0, 0, 0), (3, 9, 20), (columns, 31, 31):
            x = ((map_ % columns) * 33 + column + 0.5) * scale
            y = ((map_ // columns) * 33 + row + 0.5) * scale
            self.browser.click_at(image, x, y)
            sum_ = self.browser.one(f"{figure} .result")
            self.assertIn(f"Map {map_}, row {row}, column {column}: 27 products", sum_.text)
            result, recorded = (float(sum_.get_attribute(f"data-{k}")) for k in ("result", "recorded"))
            self.assertAlmostEqual(result, recorded, delta=1e-3)
            cells = self.browser.js("return [...document.querySelectorAll(arguments[0] + ' .grids')].map((g) =>"
                                    " [...g.querySelectorAll('table')].map((t) => [...t.querySelectorAll('td')].map((c) => c.textContent)))", figure)
            for patch, kernel, products in cells:
                for a, b, c in zip(patch, kernel, products):
                    self.assertAlmostEqual(number(a) * number(b), number(c), delta=2e-3 * abs(number(c)) + 1e-5)
        self.assertEqual(self.browser.log(), [])

    def test_the_arithmetic_of_a_pixel_is_read_by_rows_and_columns(self):
        figure = "#sample-0 figure[data-kernel]"
        for scheme, width in (("light", 1280), ("dark", 390)):
            self.browser.media(scheme)
            self.browser.size(width, 844)
            self.page("seed-cnn", "#prediction")
            self.browser.js("document.querySelector(arguments[0]).focus()", f"{figure} img")
            for key in "ENTER", "ARROW_RIGHT", "ARROW_RIGHT", "ARROW_DOWN":
                self.browser.key(key)
            heads = self.browser.js("""
                return [...document.querySelector(arguments[0] + ' .grids').querySelectorAll('table')].map((t) =>
                  ['col', 'row'].map((scope) => [...t.querySelectorAll(`th[scope=${scope}]`)].map((h) => h.textContent)))""", figure)
            self.assertEqual(heads[0], [["row", "1", "2", "3"], ["0", "1", "2"]])  # around row 1, column 2
            for taps in heads[1:]:
                self.assertEqual(taps, [["row", "0", "1", "2"], ["0", "1", "2"]])
            self.assertEqual(self.browser.faults(), [])
            self.assertLessEqual(self.browser.js("return document.documentElement.scrollWidth - innerWidth"), 0)

    def test_the_keyboard_reaches_each_pixel(self):
        self.page("seed-cnn", "#prediction")
        figure = "#sample-0 figure[data-kernel]"
        self.browser.js("document.querySelector(arguments[0]).focus()", f"{figure} img")
        for key in "ENTER", "ARROW_RIGHT", "ARROW_DOWN":
            self.browser.key(key)
        self.assertIn("row 1, column 1:", self.browser.one(f"{figure} .result").text)

    def test_the_largest_parts_the_rest_and_the_bias_sum_to_the_score(self):
        self.page("seed-cnn", "#prediction")
        tables = self.browser.all("#sample-0 .stage")[-1].find_elements("css selector", "table")
        rows = self.browser.js("return [...arguments[0].tBodies[0].rows].map((r) => [...r.cells].map((c) => c.innerText.trim()))", tables[0])
        parts = [number(row[3]) for row in rows]
        self.assertAlmostEqual(sum(parts[:-1]), parts[-1], delta=2e-3 * sum(map(abs, parts)))

    # The quiz

    def test_the_quiz_says_what_is_right_and_why(self):
        self.page("seed-cnn", "#quiz")
        questions = self.browser.all(".question")
        self.assertEqual(len(questions), 3)
        for wrong, question in enumerate(questions):
            right = int(question.get_attribute("data-right"))
            question.find_elements("css selector", "input")[right if wrong == 0 else (right + wrong) % 4].click()
            question.find_element("css selector", "button").click()
            self.assertEqual(question.find_element("css selector", ".verdict").text, "Not so." if wrong else "Right.")
            self.assertTrue(question.find_element("css selector", "details p").is_displayed())
        self.assertEqual(self.browser.text("#quiz-score"), ["1 of 3 right."])
        self.assertTrue(self.browser.text("#key-insight")[0].startswith("In 4 epochs"))

    def test_the_quiz_wants_a_choice_first(self):
        self.page("seed-cnn", "#quiz")
        self.browser.one(".question button").click()
        self.assertEqual(self.browser.one(".verdict").text, "Choose an answer first.")

    # All of it

    def test_nothing_is_wrong_for_those_who_do_not_see_it(self):
        for view in "prediction", "gradients", "mistakes", "quiz":
            for scheme in "light", "dark":
                with self.subTest(view=view, scheme=scheme):
                    self.browser.media(scheme)
                    self.page("seed-cnn", f"#{view}")
                    self.assertEqual(self.browser.faults(), [])

    def test_hostile_names_stay_text(self):
        self.page(HOSTILE, "#mistakes")
        self.assertEqual(self.browser.js("return document.querySelectorAll('img[src=\"x\"], [onmouseover], [onerror]').length"), 0)
        self.assertEqual(self.browser.js("return document.scripts.length"), 3)
        self.assertIn("<img src=x onerror=alert(1)>", " ".join(self.browser.text("#confusion th")))
        self.assertEqual(self.browser.log(), [])

    def test_pages_are_small(self):
        self.assertLess((self.folder / "seed-cnn" / "report.html").stat().st_size, 2 << 20)
        self.assertLess((self.folder / "resnet" / "report.html").stat().st_size, 8 << 20)


if __name__ == "__main__":
    main()
