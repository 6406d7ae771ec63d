#!/usr/bin/env python3
"""Files around the page of vidi-ask --html: the page as an output, and what is saved in it, beside what vidi-export writes."""
import json
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

import browser
import cases
from browser import PATIENCE_S, PROGRAM, QUESTIONS, ask, hits

CLICKS = 3

EXPORT = cases.BUILD / "examples/vidi-export"


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


class SavedFiles(browser.BrowserCase):
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
        # Chromium takes the file's name with an empty file before it has written what becomes that file.
        is_part = lambda path: path.name.endswith((".crdownload", ".tmp")) or path.name.startswith(".")
        whole = lambda _: [path for path in folder.iterdir() if not is_part(path) and path.stat().st_size > 0]
        for _ in range(CLICKS):  # a hand's: of others Chromium allows ten, and one that it takes late for a script's
            self.browser.find_element("css selector", f"[data-format={name}]").click()
            if self.js("return document.getElementById('save').open && /found \\d\\.$/.test(document.querySelector('#formats p').textContent)"):
                return None
            try:
                return browser.WebDriverWait(self.browser, PATIENCE_S / CLICKS, 0.02).until(whole, name)[0].read_bytes()
            except browser.TimeoutException:
                self.js("document.getElementById('save').open = true")
        raise TimeoutError(name)

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


if __name__ == "__main__":
    cases.main(__name__)
