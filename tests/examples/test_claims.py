#!/usr/bin/env python3
"""What the pages and the programs' own help say, tried: the words are read from where they stand, not copied."""
import os
import pathlib
import re
import shlex
import struct
import tempfile
import unittest

import cases
from live import SCRIPTED

ASK = cases.BUILD / "examples/vidi-ask"
WATCH = cases.BUILD / "examples/vidi-watch"
LIBRARY = cases.BUILD / "model/libvidi.so"
BENCH_CAMERAS = cases.BUILD / "tests/bench-cameras"
WRITE_CHECKPOINT = cases.BUILD / "tests/write-checkpoint"
SIDE, RATE, SECONDS = 384, 2, 40

# What stands around the ten lines: their reader's own pictures, sound and way to complain.
BEFORE = """
#include <cstdio>
#include <fstream>
#include <iterator>
%(includes)s

std::vector<char> bytes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int complain(const std::string& message) { return std::puts(message.c_str()), 1; }

int main(int, char** arguments) {
  const std::vector<char> pictures = bytes_of(arguments[2]), sound = bytes_of(arguments[3]);
  constexpr int kSide = %(side)d, kBytes = 3 * kSide * kSide;
  std::vector<vidi::Frame> frames;
  for (size_t at = 0; at + kBytes <= pictures.size(); at += kBytes)
    frames.push_back({reinterpret_cast<const uint8_t*>(pictures.data() + at), kSide, kSide, 3 * kSide});
  const auto* samples = reinterpret_cast<const float*>(sound.data());
  const int n = static_cast<int>(sound.size() / sizeof(float));
"""
AFTER = """
  if (!answers) return complain(answers.error().message);
  for (const vidi::Span& span : answers->at(0).spans) std::printf("%.3f %.3f\\n", span.relative_start, span.relative_stop);
}
"""


def block_of(page, heading, language=""):
    """The first block between ``` lines behind a heading."""
    text = (cases.SOURCE / page).read_text().split(heading, 1)[1]
    return re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]


def table_of(page, first_cells):
    """Rows of the table whose head begins with these cells, each a list of cells."""
    lines = iter((cases.SOURCE / page).read_text().splitlines())
    rows = []
    for line in lines:
        if line.startswith(f"| {first_cells} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    return rows
                rows.append([cell.strip() for cell in row.strip("|").split("|")])
    return rows


def names_in(cell):
    return re.findall(r"`([a-z-]+)`", cell)


def launch(*words):
    return cases.run(["gst-launch-1.0", *words], env=cases.environment(GST_PLUGIN_PATH=str(cases.BUILD / "gst")))


def inspected():
    """Of each property what gst-inspect-1.0 says: a text."""
    result = cases.run(["gst-inspect-1.0", "vidifilter"], env=cases.environment(GST_PLUGIN_PATH=str(cases.BUILD / "gst"), LC_ALL="C"))
    found = re.findall(r"^  ([a-z-]+) +: (.*?)(?=^  [a-z-]+ +: |^\S)", result.stdout.split("Element Properties:")[1] + "\nend",
                       re.MULTILINE | re.DOTALL)
    return dict(found)


class Claims(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def make_raw_clip(self):
        """The clip as plain pictures and as 30 s of plain sound."""
        pictures, sound = self.folder / "pictures", self.folder / "sound"
        line = (f"filesrc location={cases.CLIP} ! qtdemux name=d  d.video_0 ! queue ! decodebin ! videorate ! videoconvert ! videoscale "
                f"add-borders=false ! video/x-raw,format=RGB,width={SIDE},height={SIDE},framerate={RATE}/1,pixel-aspect-ratio=1/1 ! "
                f"filesink location={pictures}  d.audio_0 ! queue ! decodebin ! audioconvert ! audioresample ! "
                f"audio/x-raw,format=F32LE,rate=16000,channels=1 ! filesink location={sound}")
        made = launch("-q", *shlex.split(line))
        self.assertEqual(made.returncode, 0, made.stderr)
        whole = SIDE * SIDE * 3 * RATE * SECONDS
        os.truncate(pictures, min(whole, pictures.stat().st_size))
        os.truncate(sound, 30 * 16000 * struct.calcsize("f"))
        return pictures, sound

    def test_engine_in_ten_lines(self):
        """The lines of model/README.md compile, link with libvidi.so alone, and find the phone of the clip."""
        block = block_of("model/README.md", "## The engine in ten lines", "cpp")
        lines = block.splitlines()
        includes = [line for line in lines if line.startswith("#include")]
        body = "\n".join("  " + line for line in lines if line not in includes)
        self.assertLessEqual(sum(1 for line in lines if line.strip()), 12)
        self.assertIn("build/model/libvidi.so", block)
        body = body.replace('"Vidi1.5-9B"', "arguments[1]").replace(".duration_s = 60", f".duration_s = {SECONDS}")
        source, program = self.folder / "ten.cpp", self.folder / "ten"
        source.write_text(BEFORE % {"includes": "\n".join(includes), "side": SIDE} + body + AFTER)
        built = cases.run(["g++", "-std=c++20", "-Wall", "-Werror", "-I", cases.SOURCE, source, LIBRARY, "-o", program,
                           f"-Wl,-rpath,{LIBRARY.parent}"])
        self.assertEqual(built.returncode, 0, built.stderr)
        ran = cases.run([program, cases.CHECKPOINT, *self.make_raw_clip()])
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        start, stop = (float(word) * SECONDS for word in ran.stdout.split())
        self.assertAlmostEqual(start, 4, delta=1)
        self.assertAlmostEqual(stop, 9, delta=1)

    def test_table_of_properties(self):
        """The README names every property with its default and whether it may change while playing."""
        listed = {}
        for name, default, when, *_ in table_of("README.md", "property"):
            listed.update({each: (default, when) for each in names_in(name)})
        known = {name: text for name, text in inspected().items() if name not in ("name", "parent", "qos")}
        self.assertEqual(set(listed), set(known))
        seconds = re.compile(r"^(\d+) s$")
        for name, (default, when) in listed.items():
            text = known[name]
            self.assertEqual("P" in when, "changeable" in text and "PLAYING" in text, name)
            if when == "read":
                self.assertNotIn("writable", text, name)
                continue
            wanted = default.strip("`")
            if seconds.match(wanted):
                wanted = str(int(seconds.match(wanted)[1]) * 10**9)
            if wanted and wanted != "the model's":
                self.assertRegex(text, rf'Default: *(\d+, )?"?{re.escape(wanted)}\b', name)

    def test_refused_values_are_heard_from_a_command_line(self):
        """gst-launch-1.0 sets properties before anybody listens; the sentence comes, and the line ends."""
        for setting, part in [("frame-rate=1/4000", "1/3600"), ('queries="<\\"a dog\\",\\"\\">"', "Item 1")]:
            result = launch("videotestsrc", "!", "vidifilter", f"model-path={cases.CHECKPOINT}", "query=a", setting, "!", "fakesink")
            self.assertNotEqual(result.returncode, 0, setting)
            self.assertIn(part, result.stderr)

    def test_example_that_needs_no_camera(self):
        """The last example of vidi-watch --help runs as it stands there, and ends with its hit. The scripted engine answers: whether the
        small model hears a live clock in a given moment hangs on how busy the machine is."""
        shown = cases.run([WATCH, "--help"]).stdout
        example = re.search(r"^  vidi-watch (.* test:// .*)$", shown, re.MULTILINE)[1]
        environment = cases.environment(GST_PLUGIN_PATH=str(cases.BUILD / "gst"), **SCRIPTED)
        result = cases.run([WATCH, *shlex.split(example)], env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(shlex.split(example)[-1], result.stdout)

    def test_programs_say_where_the_model_runs(self):
        """Device and precision are on stderr of both."""
        for program, arguments in [(ASK, [cases.CLIP, "a dog"]), (WATCH, ["--once", "1", "--window", "10", cases.CLIP.as_uri(), "a phone"])]:
            said = cases.run([program, "--device", "cpu", *arguments]).stderr
            self.assertIn("on cpu (fp32)", said)

    def test_advice_names_options(self):
        """Where memory is short, vidi-ask says what its own options are called."""
        result = cases.run([ASK, "--device", "cpu", "--memory-limit", "10MB", cases.CLIP, "a dog"])
        self.assertEqual(result.returncode, 1)
        self.assertIn("a larger --memory-limit", result.stderr)

    def test_a_folder_without_tokenizer_is_said_to_be_one(self):
        """write-checkpoint names what its folder lacks; asked, the folder is refused with that file's name."""
        made = cases.run([WRITE_CHECKPOINT, "--geometry", "tiny", "--out", self.folder / "tiny"])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("--tokenizer", made.stderr)
        asked = cases.run([ASK, "--model", self.folder / "tiny", cases.CLIP, "a dog"])
        self.assertEqual(asked.returncode, 1)
        self.assertIn("tokenizer", asked.stderr)

    def test_bench_cameras(self):
        """Its rows run one after the other on one model, in step or not, and say what became of the windows; a wrong row is refused."""
        row = "cameras=2,answer-tokens=3,questions=2,window=2,stride=2"
        for how, keeps in ([], "1"), (["--in-step"], "10"):
            rows = [part for keep in keeps for part in ("--row", f"{row},keep={keep}")]
            made = cases.run([BENCH_CAMERAS, "--geometry", "tiny", "--device", "cpu", "--seconds", "1", *how, *rows])
            self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
            self.assertEqual(re.findall(r"keep=(\d), (in step|started anywhere)", made.stdout),
                             [(keep, "in step" if how else "started anywhere") for keep in keeps])
            self.assertEqual(len(re.findall(r"windows  \d+ analysed, 0 failed, ", made.stdout)), len(keeps), made.stdout)
            self.assertNotIn("error", made.stdout)
        for wrong in "cameras=0", "cameras=x", "cameras", "camera=1", "window=1":
            refused = cases.run([BENCH_CAMERAS, "--row", wrong])
            self.assertEqual((refused.returncode, refused.stderr.count("\n")), (2, 1), refused.stderr)
            self.assertIn("expected", refused.stderr)

    def test_benchmarks_tell_their_use(self):
        """Each benchmark that is built says how it is used, and refuses what it does not know in one sentence."""
        benches = [path for path in (cases.BUILD / "tests").glob("bench-*") if path.is_file()]
        self.assertIn(BENCH_CAMERAS, benches)
        for bench in benches:
            with self.subTest(bench=bench.name):
                told = cases.run([bench, "--help"])
                self.assertEqual((told.returncode, told.stderr), (0, ""))
                self.assertTrue(told.stdout.startswith(f"usage: {bench.name}"), told.stdout)
                refused = cases.run([bench, "--no-such-option"])
                self.assertEqual((refused.returncode, refused.stderr.count("\n")), (2, 1), refused.stderr)
                self.assertIn("--no-such-option", refused.stderr)


if __name__ == "__main__":
    cases.main(__name__)
