"""A headless Chromium for tests of pages, what it logged, and checks of accessibility.

Test programs end with `main()`: without Chromium or Selenium they say so and end with 77, which ctest takes for skipped.
"""
import json
import os
import shutil
import sys
import unittest
from pathlib import Path
from urllib.parse import quote

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.wait import WebDriverWait
except ImportError:
    webdriver = None

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
CHECKS = (Path(__file__).parent / "accessibility.js").read_text()


def main():
    missing = [name for name, there in (("chromium", CHROMIUM), ("chromium-driver", DRIVER), ("python3-selenium", webdriver)) if not there]
    if missing:
        print(f"skipped: not installed: {', '.join(missing)} (scripts/install_needs --tests installs them)")
        sys.exit(77)
    unittest.main(verbosity=2)


class Browser:
    """One browser window; every page in it is watched."""

    def __init__(self, width=1280, height=900):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                         "--disable-background-networking", "--disable-component-update", "--no-first-run",
                         "--force-device-scale-factor=1"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(300)  # a machine may be busy
        self.size(width, height)

    def close(self):
        self.driver.quit()

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def media(self, scheme="light", kind="screen"):
        self.cdp("Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, target, fragment=""):
        """A file's path or an address; forgets what was logged before."""
        self.driver.get("about:blank")
        self.log(), self.requests()
        address = str(target) if "://" in str(target) else "file://" + quote(str(target))
        self.driver.get(address + fragment)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def text(self, selector):
        """Of all elements that match, also where they are not shown, without blanks around."""
        return self.js("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent.trim())", selector)

    def rows(self, selector):
        """The cells of the body of a table, row by row."""
        return self.js("return [...document.querySelectorAll(arguments[0] + ' > tbody > tr')]"
                       ".map((r) => [...r.cells].map((c) => c.innerText.trim()))", selector)

    def key(self, name):
        """Presses a key where the focus is: "ENTER", "ARROW_RIGHT"."""
        ActionChains(self.driver).send_keys(getattr(Keys, name)).perform()

    def click_at(self, element, x, y):
        """Clicks on a place counted from the element's upper left corner."""
        left, top = self.js("const box = arguments[0].getBoundingClientRect(); return [box.left, box.top]", element)
        for kind in "mousePressed", "mouseReleased":
            self.cdp("Input.dispatchMouseEvent", type=kind, x=left + x, y=top + y, button="left", clickCount=1)

    def wait(self, condition, seconds=20):
        """Until condition() is true; gives what it gave."""
        return WebDriverWait(self.driver, seconds, poll_frequency=0.1).until(lambda _: condition())

    def shot(self, path):
        self.driver.save_screenshot(str(path))

    def first_paint(self):
        """When the page first showed something, in milliseconds after it was asked for."""
        script = "return performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)"
        return WebDriverWait(self.driver, 10).until(lambda _: self.js(script))[0]

    def log(self):
        """Warnings and errors that the page gave since it was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def requests(self):
        """Addresses that were asked for since the page was opened."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def faults(self):
        """What accessibility.js finds wrong in the page as it stands."""
        return self.js(CHECKS)


class PageTest(unittest.TestCase):
    """Tests that share one browser. Pages are in the folder that ESPALIER_REPORTS names."""

    folder = Path(os.environ.get("ESPALIER_REPORTS", "."))

    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def setUp(self):
        self.browser.media()
        self.browser.size(1280, 900)
