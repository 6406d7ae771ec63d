#!/usr/bin/env python3
"""Every line of examples/pipelines.md runs as it stands there, and finds something.

The page is read, not copied: a block between ``` lines is one command for the shell. Only the placeholders that the page
explains are replaced: file, model, camera, GPU and screen. All lines run in one folder and in the order of the page, for
one reads what another wrote.
"""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import cases

PAGE = cases.SOURCE / "examples/pipelines.md"
PROMISED = ("v.json_src ! filesink buffer-mode=unbuffered location=hits.jsonl", "rtspsrc location=rtsp://cam")
HEARD = r"vidi/window,.*has-audio=\(boolean\)true"
FRAMES = 30 * 10  # of a camera that stands in for v4l2src: ten seconds


def blocks(page):
    return [block.strip() for block in re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]


def title(block):
    """What tells the lines of the page apart in a report."""
    words = re.sub(r"\\\n|'[^']*'", " ", block).split()
    odd = [word for word in words if "=" in word and not re.match(r"(uri|name|query|sync|model-path)=", word)]
    return " ".join(odd[:3]) or words[-1]


def replaced(block, camera):
    """With a file, a model and cameras that exist. A test camera ends by itself, the pattern has no cat."""
    test_camera = f"videotestsrc is-live=true num-buffers={FRAMES} ! video/x-raw,width=320,height=240,framerate=30/1"
    block = re.sub(r"v4l2src( device=\S+)?", test_camera, block)
    for placeholder, stand_in in [("file:///clip.mp4", cases.CLIP.as_uri()), ("/models/Vidi1.5-9B", "MODEL"),
                                  ("device=cuda:0 precision=bf16", "device=cpu precision=fp32"),
                                  ("rtsp://cam", camera), ("autovideosink", "fakesink sync=false"), ("autoaudiosink", "fakesink sync=false"),
                                  ("MODEL", str(cases.CHECKPOINT))]:
        block = block.replace(placeholder, stand_in)
    return block


class Camera:
    """An RTSP server on loopback that plays the clip in real time, with its sound or without."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        program = cases.BUILD / "tests/rtsp-server"
        self.process = subprocess.Popen([program, *self.options, cases.CLIP], stdout=subprocess.PIPE, text=True)
        return self.process.stdout.readline().strip()

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=cases.LIMIT_S)


class Shell:
    """A command in a process group of its own, read line by line; what hangs is killed."""

    def __init__(self, command, folder):
        env = cases.environment(GST_PLUGIN_PATH=str(cases.BUILD / "gst"))
        self.process = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], cwd=folder, env=env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.output = ""

    def read_until(self, pattern=None):
        """To the first line with `pattern`, or to the end."""
        previous = signal.signal(signal.SIGALRM, lambda *_: self.kill())
        signal.alarm(cases.LIMIT_S)
        for line in self.process.stdout:
            self.output += line
            if pattern and re.search(pattern, line):
                break
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self):
        self.output += f"\nkilled after {cases.LIMIT_S} s\n"
        os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self):
        self.read_until()
        return self.process.wait(cases.LIMIT_S)


class Pipelines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.silent_camera = cls.enterClassContext(Camera("--no-audio"))
        cls.camera = cls.enterClassContext(Camera())

    def test_page_has_the_promised_lines(self):
        """The page is read: it has the two lines that the element's manual promises, among others."""
        page = blocks(PAGE.read_text())
        self.assertGreater(len(page), 10)
        for part in PROMISED:
            self.assertTrue(any(part in block for block in page), part)

    def check_written(self, block, folder):
        """Files named after hits hold some."""
        for name in re.findall(r"filesink location=(\S+)", block):
            path = folder / name
            self.assertTrue(path.exists() and path.stat().st_size > 0, f"{name} is empty")
            if name.startswith("hits"):
                self.assertRegex(path.read_text(), r'-->|"type":"result"', name)

    def check_output(self, block, output):
        """Of a file there is a hit; of a camera, which shows none, a window that was analysed."""
        if "v4l2src" in block or "rtsp" in block:
            self.assertIn("vidi/window,", output)
            if "audio_sink" in block:
                self.assertRegex(output, HEARD)
        elif re.search(r"gst-launch-1.0 .*-m", block):
            self.assertRegex(output, r"vidi/result,.*final=\(boolean\)true")
        elif "grep" in block:
            self.assertIn('"type":"result"', output)
        self.assertNotIn("ERROR", output)

    def check(self, block, folder, camera):
        shell = Shell(replaced(block, camera), folder)
        if "rtsp" in block:  # no end is promised
            # The first window may have ended before the sound began.
            shell.read_until(HEARD if "audio_sink" in block else "vidi/window,")
            shell.interrupt()
            shell.wait()
        else:
            self.assertEqual(shell.wait(), 0, shell.output[-3000:])
        self.check_output(block, shell.output)
        self.check_written(block, folder)


def add_cases():
    """One case a line of the page, so that the report names the line."""
    for i, block in enumerate(blocks(PAGE.read_text())):

        def case(self, block=block):
            self.check(block, self.folder, self.camera if "media=audio" in block else self.silent_camera)

        case.__doc__ = "The line runs as on the page: " + title(block)
        setattr(Pipelines, f"test_line_{i + 1:02}", case)


add_cases()

if __name__ == "__main__":
    cases.main(__name__)
