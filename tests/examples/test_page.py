#!/usr/bin/env python3
"""The page of vidi-ask --html in Chromium, as a reader uses it. Skipped where chromium, chromium-driver or python3-selenium is missing.

Screenshots for the eye are left in the build folder, tests/page/."""
import json
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

import cases

try:
    from selenium import webdriver
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

PROGRAM = cases.BUILD / "examples/vidi-ask"
EXPORT = cases.BUILD / "examples/vidi-export"
WRITE_PAGE = cases.BUILD / "tests/write-page"
PICTURES = cases.BUILD / "tests/page"
WITHIN_S = 0.1  # of a hit's start
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


class PageFile(unittest.TestCase):
    """The file as an output, without a browser."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def assert_refused(self, *arguments, status, says, **options):
        result = ask("-q", *arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(says, result.stderr)
        self.assertEqual(result.stdout, "")

    def test_the_film_and_links_to_it_are_never_written_over(self):
        """A page that would be the film, by its name or a link, is refused before the work, and the film is as it was."""
        film = self.folder / "film.mp4"
        shutil.copy(cases.CLIP, film)
        (self.folder / "soft.html").symlink_to(film)
        (self.folder / "hard.html").hardlink_to(film)
        for name in ("film.mp4", "soft.html", "hard.html"):
            self.assert_refused("--html", self.folder / name, film, "a dog", status=1, says="is read, expected another file to write")
        self.assertEqual(film.read_bytes(), cases.CLIP.read_bytes())

    def test_what_cannot_be_written_is_said_before_the_work(self):
        """A folder that is not there, a page that another output is to be, a copy without a page or of a pipe: one sentence each."""
        page = self.folder / "page.html"
        self.assert_refused("--html", self.folder / "no/page.html", cases.CLIP, "a dog", status=1, says="cannot be written")
        self.assert_refused("--html", page, "--vtt", page, cases.CLIP, "a dog", status=1, says="is to be written twice")
        self.assert_refused("--html-embed", cases.CLIP, "a dog", status=2, says="--html FILE")
        self.assert_refused("--html", page, "--html-embed", "-", "a dog", status=2, says="the file is read twice, expected one on a disk, found stdin")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_an_older_page_stays_when_nothing_was_watched(self):
        """A file that is no film leaves the page of yesterday as it was."""
        page, film = self.folder / "page.html", self.folder / "film.mp4"
        page.write_text("of yesterday")
        film.write_bytes(b"no film" * 1000)
        self.assertEqual(ask("-q", "--html", page, film, "a dog").returncode, 1)
        self.assertEqual(page.read_text(), "of yesterday")

    def test_a_piped_film_has_a_page_without_it(self):
        """What is piped in has a page with its hits and pictures, and no place to look for the film."""
        page = self.folder / "page.html"
        with open(cases.CLIP, "rb") as film:
            result = subprocess.run([PROGRAM, "-q", "--html", page, "-", "a dog"], stdin=film, capture_output=True, text=True, timeout=cases.LIMIT_S)
        self.assertEqual(result.returncode, 0, result.stderr)
        data = json.loads(re.search('id="data">(.*?)</script>', page.read_text())[1])
        self.assertEqual((data["film"]["url"], len(data["hits"]), len(data["thumbnails"])), ("", 1, 1))

    def test_hits_are_the_same_with_a_page(self):
        """The pictures for the page are made beside the work: hits and their order stay."""
        args = ("--json", cases.CLIP, *QUESTIONS)
        found = [cases.hits_in(ask(*options, *args).stdout) for options in ((), ("--html", self.folder / "page.html"))]
        times = [[(hit["query"], hit["start"], hit["stop"]) for hit in one] for one in found]
        self.assertEqual(len(times[0]), 3)
        self.assertEqual(*times)


@unittest.skipIf(what_is_missing(), what_is_missing())
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = open_browser()
        cls.addClassCleanup(cls.browser.quit)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.shared = pathlib.Path(folder.name)
        cls.asked = cls.shared / "asked.html"
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

    # ---- Jumps ----

    def test_a_click_jumps_to_the_hit(self):
        """A click on a hit, wherever in the list, shows the film within 0.1 s of its start."""
        self.open_with_film(self.asked)
        found = self.data()["hits"]
        self.assertEqual([hit["query"] for hit in found], ["a phone", "someone saying goal", "a dog"])
        for i in (2, 0, 1):
            self.rows()[i].click()
            self.assertAlmostEqual(self.time_after_jump(), found[i]["start"] / 1e9, delta=WITHIN_S)
        self.assert_quiet()

    def test_the_picture_after_a_jump_is_the_films(self):
        """What a jump puts on the screen is a picture of the film: the clip's is not black."""
        self.open_with_film(self.asked)
        self.rows()[0].click()
        self.time_after_jump()
        bright = self.wait_for("""const c = document.createElement('canvas'); c.width = 32; c.height = 18;
            const pen = c.getContext('2d'); pen.drawImage(film, 0, 0, 32, 18);
            try { return pen.getImageData(0, 0, 32, 18).data.filter((v, i) => i % 4 < 3 && v > 40).length; }
            catch { return film.videoWidth; }  // a film from disk may be shown, not read""")
        self.assertGreater(bright, 100)

    def test_keys_move_play_and_filter(self):
        """j and k go from hit to hit, space plays and pauses, arrows move by 5 s, / and ? open what they name."""
        self.open_with_film(self.asked)
        starts = [hit["start"] / 1e9 for hit in self.data()["hits"]]
        for key, expected in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
            self.press(key)
            self.assertAlmostEqual(self.time_after_jump(), starts[expected], delta=WITHIN_S, msg=f"{key}, {expected}")
        self.press(Keys.ARROW_RIGHT)
        self.assertAlmostEqual(self.time_after_jump(), starts[0] + 5, delta=WITHIN_S)
        self.press(Keys.ARROW_LEFT)
        self.assertAlmostEqual(self.time_after_jump(), starts[0], delta=WITHIN_S)
        self.press(" ")
        self.wait_for("return !film.paused && film.currentTime > %f" % (starts[0] + 0.05))
        self.press(" ")
        self.wait_for("return film.paused")
        self.press("?")
        self.wait_for("return document.getElementById('help').open")
        self.press("j", Keys.ESCAPE)
        self.wait_for("return !document.getElementById('help').open")
        self.press("/", "d", "o", "g")
        self.assertEqual(self.titles(), ["a dog"])
        self.press(Keys.ESCAPE, Keys.ESCAPE)
        self.assertEqual(self.n_rows(), 3)
        self.press("j")
        self.wait_for("return document.activeElement.className === 'hit'")
        self.press(Keys.ENTER)
        self.assertAlmostEqual(min(abs(self.time_after_jump() - start) for start in starts), 0, delta=WITHIN_S)

    def test_the_hit_on_show_is_marked_while_it_plays(self):
        """Playing into a hit marks it, playing out of it takes the mark away."""
        path = self.write(hits(("a phone", 4, 4.6, 0.9), ("a dog", 12, 16, 0.9)))
        self.open_with_film(path)
        self.js("film.currentTime = 3.7; film.play();")
        self.wait_for("return document.querySelectorAll('#hits [aria-current]').length === 1")
        self.assertEqual(self.js("return document.querySelector('#hits [aria-current] .title').textContent"), "a phone")
        self.wait_for("return film.currentTime > 4.7 && document.querySelectorAll('#hits [aria-current]').length === 0")

    def test_a_lane_is_clicked_like_the_list(self):
        """A click on a hit in the timeline jumps to its start, one beside it to its own place."""
        self.open_with_film(self.write(hits(("a dog", 20, 24, 0.9)), duration=40 * 10**9))
        lane = self.browser.find_elements("css selector", ".lane canvas")[1]
        width = lane.size["width"]
        for place, expected, within in ((22 / 40, 20, WITHIN_S), (10 / 40, 10, 0.3)):
            webdriver.ActionChains(self.browser).move_to_element_with_offset(lane, round(width * (place - 0.5)), 0).click().perform()
            self.assertAlmostEqual(self.time_after_jump(), expected, delta=within)

    # ---- The list ----

    def test_filter_by_text_confidence_and_question(self):
        """Only what passes all filters is listed, and the number of hits says so."""
        self.open(self.write(hits(("a phone", 1, 2, 0.9), ("a dog", 3, 4, 0.4), ("a dog", 5, 6, 0.8), ("someone saying goal", 7, 8, 0.7))))
        self.type_filter("DOG")
        self.assertEqual(self.titles(), ["a dog", "a dog"])
        self.js("const e = document.getElementById('least'); e.value = 0.5; e.dispatchEvent(new Event('input'));")
        self.assertEqual(self.titles(), ["a dog"])
        self.assertEqual(self.js("return document.getElementById('count').textContent"), "1 of 4 hits")
        self.type_filter("")
        self.press(Keys.ESCAPE)
        self.assertEqual(self.titles(), ["a phone", "a dog", "someone saying goal"])
        self.browser.find_elements("css selector", ".lane button")[0].click()
        self.assertEqual(self.titles(), ["a dog", "someone saying goal"])

    def test_two_thousand_hits(self):
        """A page of 2,000 hits is painted, filtered and jumped through without a second's standstill."""
        self.open_with_film(self.write(many_hits(2000), duration=40 * 10**9))
        self.assertEqual(self.n_rows(), 2000)
        paint = self.js("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        filtering = self.js("""const box = document.getElementById('text'), begin = performance.now();
            box.value = 'dog'; box.dispatchEvent(new Event('input')); document.body.offsetHeight; return performance.now() - begin""")
        print(f"2,000 hits: first paint after {paint:.0f} ms, filtered in {filtering:.0f} ms", flush=True)
        self.assertLess(self.n_rows(), 1000)
        self.type_filter("")
        self.press(Keys.ESCAPE)
        found = self.data()["hits"]
        self.js("document.querySelectorAll('.hit')[1500].click()")
        self.assertAlmostEqual(self.time_after_jump(), found[1500]["start"] / 1e9, delta=WITHIN_S)
        self.press("j")
        self.assertAlmostEqual(self.time_after_jump(), found[1501]["start"] / 1e9, delta=WITHIN_S)
        self.assertTrue(self.js("const box = document.querySelector('li.chosen').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight"))
        self.assertLess(paint, 5000)  # 250 were seen; a machine may be busy
        self.assertLess(filtering, 1000)  # 30 were seen
        self.picture("many")

    def test_pictures_are_of_their_hits(self):
        """Every hit of a film has a picture that the browser decodes, at most 160 pixels wide; two hits apart have two."""
        self.open(self.asked)
        self.wait_for("return [...document.querySelectorAll('img.picture')].filter((i) => i.complete && i.naturalWidth > 0).length === 3")
        self.assertEqual(self.js("return document.querySelector('img.picture').naturalWidth"), 160)
        self.assertGreater(len(self.data()["thumbnails"]), 1)

    # ---- Files of hits ----

    def export(self, name, hits_file):
        """What vidi-export writes of the hits; None where it says that it cannot."""
        path = self.folder / "exported"
        result = cases.run([EXPORT, hits_file, name, path])
        self.assertIn(result.returncode, (0, 1), result.stderr)
        return path.read_bytes() if result.returncode == 0 else None

    def saved(self, name):
        """The file that the browser makes of the hits on show; None where the page says why not."""
        folder = self.folder / "saved"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        self.js("document.getElementById('save').open = true")
        self.browser.find_element("css selector", f"[data-format={name}]").click()  # a hand's: of others Chromium allows ten
        if self.js("return document.getElementById('save').open && /found \\d\\.$/.test(document.querySelector('#formats p').textContent)"):
            return None
        whole = lambda _: [path for path in folder.iterdir() if not path.name.endswith((".crdownload", ".tmp")) and not path.name.startswith(".")]
        return WebDriverWait(self.browser, PATIENCE_S, 0.02).until(whole, name)[0].read_bytes()

    def assert_saves_as_exported(self, found, rate, **fields):
        """Every format of vidi-export, of these hits and a film of this rate: the browser's file has the same bytes."""
        film = {"uri": f"file://{cases.CLIP}", "width": 640, "height": 360, "has_audio": True, **fields}
        lines = [{"type": "media", "frame_rate": f"{rate[0]}/{rate[1]}", "duration": 4000.04, **film},
                 *({**hit, "start": hit["start"] / 1e9, "stop": hit["stop"] / 1e9} for hit in found)]
        hits_file = self.folder / "hits.jsonl"
        hits_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        path = self.write(found, questions=[], rate_n=rate[0], rate_d=rate[1], duration=4000040000000, **film)
        self.open(path)
        names = self.js("return [...document.querySelectorAll('[data-format]')].map((b) => b.dataset.format)")
        for name in names:
            with self.subTest(name, rate=rate):
                self.assertEqual(self.saved(name), self.export(name, hits_file))
        return names

    @unittest.skipIf(not EXPORT.exists(), "vidi-export is not built")
    def test_files_have_the_bytes_of_vidi_export(self):
        """A file saved in the browser is byte for byte the one that vidi-export writes of the same hits, in every format and at every kind of rate."""
        evil = ["=1+1", "  @x", "＝y", "a,\"b\";'c'", "<b>&amp;</b>", "a|b", "x\u0007y\u0085z", "tab\there", "a=b;c#d\\e", "\u2028\u202e\ufffe", "日本語 🎬", "'"]
        chance = random.Random(3)
        for rate in ((25, 1), (24000, 1001), (30000, 1001), (60000, 1001)):
            found = [{"query": text, "label": "" if i % 3 else f"title {text}", "start": chance.randrange(4 * 10**6) * 10**6} for i, text in enumerate(evil)]
            for hit in found:
                hit["stop"] = hit["start"] + chance.choice([0, 1, 40, 999, 61234]) * 10**6
            for hit in found[:-2]:
                hit["confidence"] = chance.choice([chance.random(), 0.125, 0.03125, 1.0, 1e-5, 0.5])
            names = self.assert_saves_as_exported(sorted(found, key=lambda hit: hit["start"]), rate)
        self.assertEqual(len(names), 13)

    @unittest.skipIf(not EXPORT.exists(), "vidi-export is not built")
    def test_saved_are_the_hits_on_show(self):
        """A file has the hits that pass the filter, and is refused where the format cannot have so few."""
        found = hits(("a phone", 1, 2, 0.9), ("a dog", 30, 40, 0.8), ("a phone", 60, 70, 0.7))
        self.open(self.write(found, rate_n=25))
        self.type_filter("phone")
        self.assertEqual(self.saved("srt").decode(), "1\n00:00:01,000 --> 00:00:02,000\na phone\n\n2\n00:01:00,000 --> 00:01:10,000\na phone\n")
        self.assertIsNone(self.saved("youtube"))
        self.assertIn("found 2.", self.js("return document.querySelector('#formats p').textContent"))
        self.type_filter("nothing of that")
        self.assertTrue(self.js("return document.querySelector('[data-format=srt]').disabled"))

    # ---- Untrusted text ----

    def test_nothing_in_a_title_or_a_name_is_markup(self):
        """Markup, end tags, comments, line separators and marks of direction in questions, titles and names are shown as text."""
        evil = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "<!--<script>", "a\u2028b\u2029c", "\u202egoal\u2067",
                "]]>&lt;b&gt;", "{{PROXY}}", "javascript:alert(1)", "\\u003c\"'`${1}"]
        path = self.write([{"query": text, "start": i * 10**9, "stop": (i + 1) * 10**9} for i, text in enumerate(evil)], questions=evil,
                          name=evil[1], notices=[evil[0]])
        self.open(path)
        self.assertEqual(self.titles(), evil)
        self.assertEqual(self.js("return document.querySelectorAll('#hits img, #hits script, h1 script, #notices img').length"), 0)
        self.assertEqual(self.js("return document.querySelector('h1').textContent"), evil[1])
        self.assertEqual(self.js("return getComputedStyle(document.querySelector('.title')).unicodeBidi"), "isolate")
        self.assert_quiet()

    def test_a_hostile_file_name_plays(self):
        """A film whose name has spaces, marks of URLs and markup plays from its page in another folder, by its relative path."""
        film = self.folder / "films" / "a #1 100% <b>&\"' ü?.mp4"
        film.parent.mkdir()
        shutil.copy(cases.CLIP, film)
        (self.folder / "pages").mkdir()
        page = self.folder / "pages/page.html"
        result = ask("-q", "--html", page, film, "a dog")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.open_with_film(page)
        self.assertTrue(self.data()["film"]["url"].startswith("../films/"))
        self.assertEqual(self.js("return document.title"), film.name)
        shutil.move(self.folder / "films", self.folder / "pages/films")  # both may move, together
        self.assert_quiet()

    def test_the_policy_forbids_what_the_page_did_not_bring(self):
        """A script, a picture or a request that got into the page all the same does nothing."""
        self.open(self.asked)
        self.js("""const s = document.createElement('script'); s.textContent = 'window.got = 1'; document.body.append(s);
            const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);
            window.asked = fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused').then((word) => { window.word = word; });""")
        self.assertEqual(self.wait_for("return window.word"), "refused")
        self.assertIsNone(self.js("return window.got ?? null"))
        reasons = "\n".join(entry["message"] for entry in self.browser.get_log("browser"))
        for refused in ("Executing inline script violates", "Connecting to 'http://127.0.0.1:9/' violates", "Loading the image 'http://127.0.0.1:9/x.png' violates"):
            self.assertIn(refused, reasons)

    # ---- Films that do not play, and the copy inside ----

    def test_a_film_that_is_not_there_is_said(self):
        """Where the film is gone the page says where it looked and what helps; the hits are listed."""
        self.open(self.write(hits(("a dog", 1, 2, 0.5)), film=self.folder / "gone away.mp4"))
        self.wait_for("return !document.getElementById('unplayable').hidden")
        said = self.js("return document.getElementById('unplayable').textContent")
        self.assertIn("gone away.mp4", said)
        self.assertIn("--html-embed", said)
        self.assertEqual(self.n_rows(), 1)

    def test_a_transport_stream_says_the_way_out(self):
        """Of a container that browsers do not play the program and the page say so; with --html-embed a copy plays, at the film's times."""
        film = self.folder / "film.ts"
        cases.run(["gst-launch-1.0", "-q", "filesrc", f"location={cases.CLIP}", "!", "qtdemux", "name=d", "d.video_0", "!", "queue", "!", "h264parse", "!",
                   "mpegtsmux", "name=m", "!", "filesink", f"location={film}", "d.audio_0", "!", "queue", "!", "aacparse", "!", "m."])
        page = self.folder / "page.html"
        result = ask("--html", page, film, "a dog")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, "page.html: Most browsers do not play MPEG.* --html-embed")
        self.open(page)
        self.wait_for("return !document.getElementById('unplayable').hidden")
        self.assertRegex(self.js("return document.getElementById('unplayable').textContent"), "do not play MPEG.*--html-embed")
        result = ask("-q", "--html", page, "--html-embed", film, "a dog")
        self.assertEqual(result.returncode, 0, result.stderr)
        film.unlink()
        self.open_with_film(page)
        self.assertTrue(self.js("return document.getElementById('unplayable').hidden"))
        self.assertAlmostEqual(self.js("return film.duration"), 40, delta=0.5)
        self.rows()[0].click()
        self.assertAlmostEqual(self.time_after_jump(), 12, delta=1.1)
        self.assert_quiet()

    # ---- Shapes ----

    def test_a_phone_scrolls_one_way(self):
        """390 pixels wide, and at 200 % of a small window, nothing needs scrolling sideways; the film stays in sight of the list."""
        path = self.write(many_hits(60) + hits(("x" * 200, 39, 40, 0.5)), questions=[*QUESTIONS, "x" * 200], name="y" * 150 + ".mp4", notices=["z" * 300])
        for width, height in ((390, 844), (320, 568), (640, 400)):
            self.resize(width, height, 2)
            self.open_with_film(path)
            self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), width)
            self.js("window.scrollTo(0, 700)")
            self.assertGreater(self.js("return document.getElementById('stage').getBoundingClientRect().bottom"), 50)
        self.resize(390, 844, 2, "dark")
        self.open_with_film(self.asked)
        self.rows()[1].click()
        self.time_after_jump()
        self.picture("phone-dark")

    def test_light_and_dark(self):
        """The page follows the reader's choice of light or dark: text stands out from its ground by 4.5 to 1 in both."""
        for scheme in ("light", "dark"):
            self.resize(1280, 800, 1, scheme)
            self.open_with_film(self.asked)
            self.rows()[1].click()
            self.time_after_jump()
            for selector in ("h1", "#facts", "#count", ".times", ".sure", ".lane button"):
                colors = self.js("const e = document.querySelector(arguments[0]); return [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]", selector)
                light, dark = sorted((luminance(color) for color in colors), reverse=True)
                self.assertGreater((light + 0.05) / (dark + 0.05), 4.5, f"{scheme}: {selector} {colors}")
            self.picture(scheme)

    def test_a_screen_reader_hears_what_is_there(self):
        """Landmarks, lanes, the slider and every hit have names in the tree that assistive technology reads."""
        self.open(self.write(hits(("a dog", 1, 2.5, 0.5)), duration=40 * 10**9))
        nodes = self.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]}
        for expected in (("region", "Film"), ("region", "Hits"), ("group", "Timeline"), ("slider", "Position in the film"), ("search", ""),
                         ("searchbox", "Filter by text"), ("button", "a dog, 0:01.0 – 0:02.5, confidence 0.50"), ("button", "Show a dog, 1 hit")):
            self.assertTrue(any(role == expected[0] and expected[1] == " ".join(name.split()).replace(" ,", ",") for role, name in named), f"{expected} not in {sorted(named)}")


def luminance(color):
    """Of rgb(...), by WCAG."""
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in (int(part) / 255 for part in re.findall(r"\d+", color)[:3])]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


if __name__ == "__main__":
    cases.main(__name__)
