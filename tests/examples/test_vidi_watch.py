#!/usr/bin/env python3
"""vidi-watch against a real RTSP server on 127.0.0.1, with the scripted engine: in every window of two
seconds it finds 0.20-0.60."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import cases
from live import HIT, PROGRAM, QUICK, SCRIPTED, Process, Server, free_port


def length_s(clip):
    """Decodes all pictures; the PTS of the last one in seconds. The first clip of all may have
    sound before its first key frame, which is a second away at most."""
    played = cases.run(["gst-launch-1.0", "-v", "filesrc", f"location={clip}", "!", "matroskademux", "!", "decodebin",
                        "!", "fakesink", "silent=false"])
    stamps = re.findall(r"pts: (\d+):(\d\d):(\d\d\.\d+)", played.stdout)
    if played.returncode or not stamps:
        raise AssertionError(f"{clip} cannot be played: {played.stderr}")
    times = [int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in stamps]
    if min(times) > 1.2:
        raise AssertionError(f"{clip} begins at {min(times)} s")
    return max(times)


class VidiWatch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def serve(self, port=0, *arguments):
        server = Server(port, *arguments)
        self.addCleanup(server.kill)
        return server

    def watch(self, uri, *arguments, **environment):
        watch = Process([PROGRAM, uri, "a ball", *QUICK, *arguments], **{**SCRIPTED, **environment})
        self.addCleanup(watch.kill)
        return watch

    def test_hits_have_the_cameras_time_and_the_first_line_is_early(self):
        began = time.time()
        watch = self.watch(self.serve().uri)
        hit = HIT.match(watch.wait_line(HIT.pattern)[0])
        self.assertEqual(hit[4], "a ball")
        while hit[1] == "~":  # until the camera's first report has come
            hit = HIT.match(watch.wait_line(HIT.pattern)[0])
        stamp = time.mktime(time.strptime(hit[2], "%Y-%m-%d %H:%M:%S"))
        self.assertEqual(hit[3].replace(":", ""), time.strftime("%z", time.localtime(stamp)))
        self.assertTrue(began - 2 < stamp < time.time() + 2, (began, stamp))  # the camera shows nothing older than itself

    def test_ctrl_c_ends_it_cleanly(self):
        watch = self.watch(self.serve().uri)
        watch.wait_line(HIT.pattern)
        watch.process.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait_end(), 0)

    def test_ctrl_c_ends_it_while_a_camera_says_nothing(self):
        """A camera that takes the connection and never answers keeps nobody from leaving."""
        with socket.create_server(("127.0.0.1", 0)) as camera:
            watch = self.watch(f"rtsp://127.0.0.1:{camera.getsockname()[1]}/live")
            connection = camera.accept()[0]
            self.addCleanup(connection.close)
            self.assertTrue(connection.recv(1))  # it has asked, and waits
            watch.process.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait_end(), 0)

    def test_once_ends_it(self):
        watch = self.watch(self.serve().uri, "--once", "1")
        watch.wait_line(HIT.pattern)
        self.assertEqual(watch.wait_end(), 0)

    def test_a_gate_passes_what_moves(self):
        """The picture of the test source moves: behind a gate its hits are told as ever."""
        watch = self.watch(self.serve().uri, "--once", "3", "--gate", "motion", "--gate-similarity", "1")
        watch.wait_line(HIT.pattern)
        self.assertEqual(watch.wait_end(), 0)

    def test_it_connects_again_and_keeps_the_model(self):
        for transport in ("rtsp", "rtspt"):
            with self.subTest(transport):
                server = self.serve(free_port())  # which is its port afterwards, too
                watch = self.watch(server.uri.replace("rtsp", transport), "--timeout", "4")
                watch.wait_line(HIT.pattern)
                server.kill()
                watch.wait_line(r"connecting again in 1 s$")
                watch.wait_line(r"connecting again in 2 s$")
                self.serve(server.port)
                watch.wait_line(r"watching rtspt?://")
                watch.wait_line(HIT.pattern)
                loads = [line for line in watch.seen if "loading the model" in line]
                self.assertEqual(len(loads), 1)
                watch.kill()

    def test_unload_after_changes_no_connection(self):
        """A model that is unloaded between two tries of a camera that is away makes no connection of its own, and is loaded for none."""
        watch = self.watch("rtsp://127.0.0.1:9/none", "--retry", "0.2", "--unload-after", "0.05")
        for _ in range(5):
            watch.wait_line("connecting again in 0.2 s$")
        said = "\n".join(watch.seen)
        watch.kill()
        self.assertEqual(said.count("the model is ready"), 1, said)
        self.assertLessEqual(abs(said.count("vidi-watch: watching ") - said.count("connecting again")), 1, said)

    def test_json_lines_parse(self):
        watch = self.watch(self.serve().uri, "--json")
        hit = json.loads(watch.wait_line(r"^{.*}$")[0])
        self.assertEqual((hit["type"], hit["query"], hit["confidence"]), ("hit", "a ball", 0.9))
        self.assertAlmostEqual(hit["duration"], 0.8, delta=0.01)
        self.assertIn(hit["clock"], ("camera", "arrival"))

    def test_a_clip_covers_its_hit(self):
        for codec in ("vp8", "h264"):
            with self.subTest(codec):
                clips = self.folder / codec
                watch = self.watch(self.serve(0, "--codec", codec).uri, "--record", clips, "--before", "1",
                                   "--after", "1", "--final-only", "--once", "3", VIDI_SCRIPTED_ANSWER="0.45-0.50")
                duration = float(HIT.match(watch.wait_line(HIT.pattern)[0])[5])
                self.assertEqual(watch.wait_end(), 0)
                found = list(clips.iterdir())
                self.assertGreater(len(found), 1)
                self.assertTrue(all(re.fullmatch(r"[\d-]+_[\d-]+-a-ball(-\d+)?\.mkv", c.name) for c in found), found)
                # All hits but the first lie in the stream with all of their time before and after. Which clip is the first
                # one's no name tells: its time is that of the arrival.
                for length in sorted(map(length_s, found))[1:]:
                    self.assertGreater(length, 1 + duration + 1 - 0.1)

    def test_raw_streams_are_encoded_for_clips_and_names_are_safe(self):
        watch = Process([PROGRAM, "test://", "../a b/c", *QUICK, "--record", self.folder, "--before", "0", "--after",
                         "0", "--once", "2"], **{**SCRIPTED, "VIDI_SCRIPTED_ANSWER": "0.60-0.80"})
        self.addCleanup(watch.kill)
        # Recording begins a second after the first picture: the first hit may be too early for a clip.
        saved = watch.wait_line(r"saved .*/(.*)$")[1]
        self.assertRegex(saved, r"-a-b-c\.mkv$")
        self.assertEqual(watch.wait_end(), 0)
        self.assertIn(saved, [path.name for path in self.folder.iterdir()])
        self.assertFalse([path for path in self.folder.iterdir() if path.is_dir()])  # nothing is left behind
        self.assertGreater(length_s(self.folder / saved), 0.3)

    def test_a_plugin_that_cannot_be_loaded_is_said(self):
        """An element that is registered and whose file is broken ends the program with a sentence."""
        plugin = self.folder / "libgstvidi.so"
        shutil.copy(cases.BUILD / "gst/libgstvidi.so", plugin)
        command = [shutil.copy(PROGRAM, self.folder), "test://", "a ball"]
        environment = {**cases.environment(**SCRIPTED), "GST_PLUGIN_PATH": str(self.folder),
                       "GST_REGISTRY": str(self.folder / "registry")}
        subprocess.run(["gst-inspect-1.0", "vidifilter"], env=environment, stdout=subprocess.DEVNULL, check=True)
        stamp = plugin.stat()
        plugin.write_bytes(b"\0" * stamp.st_size)
        os.utime(plugin, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=cases.LIMIT_S)
        self.assertEqual(result.returncode, 1)
        self.assertIn("GStreamer has no element named vidifilter", result.stderr)
        self.assertNotIn("CRITICAL", result.stderr)

    def test_what_cannot_work_is_said_in_one_sentence(self):
        for status, part, arguments in ((2, "what to look for", ["rtsp://127.0.0.1/x"]),
                                        (2, "--window", ["test://", "a", "--window", "x"]),
                                        (2, "--stride", ["test://", "a", "--window", "1", "--stride", "2"]),
                                        (2, "nowhere", ["nowhere", "a"]),
                                        (2, "--gate: expected none or motion, found fast", ["test://", "a", "--gate", "fast"]),
                                        (2, "--gate-similarity", ["test://", "a", "--gate-similarity", "0.5"]),
                                        (2, "--gate-similarity", ["test://", "a", "--gate", "motion", "--gate-similarity", "2"]),
                                        (2, "--memory-limit", ["test://", "a", "--memory-limit", "lots"]),
                                        (2, "--wrong", ["test://", "a", "--wrong"]),
                                        (1, "/no/engine", ["test://", "a"])):
            with self.subTest(part):
                result = cases.run([PROGRAM, *arguments], env=cases.environment(VIDI_ENGINE="/no/engine"))
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertEqual(result.stdout, "")
                self.assertIn(part, result.stderr.splitlines()[-1])

    def test_a_file_that_cannot_be_watched_is_named(self):
        result = cases.run([PROGRAM, f"file://{self.folder}/gone.mp4", "a ball", *QUICK], env=cases.environment(**SCRIPTED))
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertIn(f"file://{self.folder}/gone.mp4: ", result.stderr.splitlines()[-1])

    def test_nothing_is_said_to_load_that_is_refused_before(self):
        """The sentence about a device is the only one."""
        result = cases.run([PROGRAM, "test://", "a", "--device", "cpu,foo"], env=cases.environment(**SCRIPTED))
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (1, "", 1), result.stderr)
        self.assertIn('"foo" is none of cpu', result.stderr)


if __name__ == "__main__":
    cases.main(__name__)
