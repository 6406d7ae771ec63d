"""Pages of vidi-ask --html in Chromium, for the cases. They are skipped where chromium, chromium-driver or python3-selenium is missing.

Screenshots for the eye are left in the build folder, tests/page/."""
import json
import pathlib
import random
import shutil
import tempfile
import unittest

import cases

try:
    from selenium import webdriver
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = Keys = TimeoutException = None

PROGRAM = cases.BUILD / "examples/vidi-ask"
WRITE_PAGE = cases.BUILD / "tests/write-page"
PICTURES = cases.BUILD / "tests/page"
QUESTIONS = ["a phone", "a dog", "someone saying goal", "a cat"]
PATIENCE_S = 60


def what_is_missing():
    if webdriver is None:
        return "python3-selenium is not installed"
    return next((f"{program} is not installed" for program in ("chromium", "chromedriver") if not shutil.which(program)), "")


def ask(*arguments, **options):
    return cases.run([PROGRAM, *arguments], **options)


def hits(*rows):
    """Of (question, start in seconds, stop, confidence)."""
    made = [{"query": query, "start": round(start * 1e9), "stop": round(stop * 1e9), "confidence": confidence} for query, start, stop, confidence in rows]
    return sorted(made, key=lambda hit: hit["start"])


def many_hits(n):
    chance = random.Random(7)
    starts = [chance.randrange(39000) / 1000 for _ in range(n)]
    return hits(*[(chance.choice(QUESTIONS), start, start + chance.randrange(100, 900) / 1000, chance.random()) for start in starts])


def open_browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=webdriver.ChromeService(shutil.which("chromedriver")) if hasattr(webdriver, "ChromeService")
                            else webdriver.chrome.service.Service(shutil.which("chromedriver")), options=options)


@unittest.skipIf(what_is_missing(), what_is_missing())
class BrowserCase(unittest.TestCase):
    """Each class has a browser, and each case pages in a folder of its own."""

    @classmethod
    def setUpClass(cls):
        cls.browser = open_browser()
        cls.addClassCleanup(cls.browser.quit)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.asked = pathlib.Path(folder.name) / "asked.html"
        result = ask("--html", cls.asked, cases.CLIP, *QUESTIONS)
        assert result.returncode == 0, result.stderr
        PICTURES.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.resize(1280, 800)

    # ---- Hands and eyes ----

    def resize(self, width, height, scale=1, scheme="light"):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def write(self, found, film=cases.CLIP, **fields):
        """A page of these hits; its path."""
        path = self.folder / "made.html"
        result = cases.run([WRITE_PAGE, path, film], stdin=json.dumps({"questions": QUESTIONS, "hits": found, **fields}))
        self.assertEqual(result.returncode, 0, result.stderr)
        return path

    def open(self, path):
        for log in ("browser", "performance"):
            self.browser.get_log(log)  # of the page before
        self.browser.get(path.as_uri())

    def open_with_film(self, path):
        self.open(path)
        self.wait_for("return film.readyState >= 2")

    def js(self, script, *arguments):
        return self.browser.execute_script("const film = document.getElementById('film');" + script, *arguments)

    def wait_for(self, script):
        return WebDriverWait(self.browser, PATIENCE_S, 0.05).until(lambda _: self.js(script), script)

    def wait_for_log(self, messages, part):
        """Until the console has a message with this part; adds what it has to `messages`: each is given once."""
        def has_come(browser):
            messages.extend(entry["message"] for entry in browser.get_log("browser"))
            return any(part in message for message in messages)
        WebDriverWait(self.browser, PATIENCE_S, 0.05).until(has_come, part)

    def press(self, *keys):
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    def rows(self):
        """The buttons of the hits that are shown, in their order."""
        return [row for row in self.browser.find_elements("css selector", "#hits li:not([hidden]) .hit")]

    def n_rows(self):
        return self.js("return document.querySelectorAll('#hits li:not([hidden])').length")

    def titles(self):
        return self.js("return [...document.querySelectorAll('#hits li:not([hidden]) .title')].map((e) => e.textContent)")

    def data(self):
        return self.js("return JSON.parse(document.getElementById('data').textContent)")

    def time_after_jump(self):
        self.wait_for("return !film.seeking && film.readyState >= 2")
        return self.js("return film.currentTime")

    def type_filter(self, text):
        self.press("/")
        self.press(Keys.CONTROL, "a", Keys.NULL, Keys.BACKSPACE)
        self.press(text)

    def picture(self, name):
        self.browser.save_screenshot(str(PICTURES / f"{name}.png"))

    def requests(self):
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]

    def assert_quiet(self):
        """Nothing on the console, nothing asked of a network."""
        self.assertEqual(self.browser.get_log("browser"), [])
        for url in self.requests():
            self.assertRegex(url, "^(file|data|blob):")
