#!/usr/bin/env python3
"""Applications that take an element by its name: what they pass is watched, what is found comes out at their bus.

A host that is not installed is skipped: gir1.2-ges-1.0, gir1.2-gst-rtsp-server-1.0, python3-opencv, gst-validate-1.0 (in no Debian),
gstreamer1.0-gtk3 with gir1.2-gtk-3.0 and xvfb.
"""
import contextlib
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import cases

os.environ["GST_PLUGIN_PATH"] = str(cases.BUILD / "gst")
HAS_GI = importlib.util.find_spec("gi") is not None
PHONE_S, NEAR_S = (4.0, 9.0), 0.5  # truth.json
N_PICTURES = "1000"  # of the clip
FILTER = f'vidifilter name=v model-path={cases.CHECKPOINT} query="a phone\nsomeone saying goal"'
VALIDATE = shutil.which("gst-validate-1.0") or shutil.which("gst-validate-1.0", path="/usr/lib/x86_64-linux-gnu/gstreamer-1.0")

if HAS_GI:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import GLib, Gst
    Gst.init(None)


def bindings(name):
    """Of a library of GStreamer, None when they are not installed."""
    try:
        gi.require_version(name, "1.0")
        return getattr(__import__("gi.repository", fromlist=[name]), name)
    except (ValueError, ImportError, AttributeError, NameError):
        return None


def has_gtk():
    return (HAS_GI and Gst.ElementFactory.find("gtksink") is not None and shutil.which("Xvfb") is not None and
            "3.0" in gi.Repository.get_default().enumerate_versions("Gtk"))


@contextlib.contextmanager
def screen():
    """The name of a display of its own, which nobody sees."""
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-nolisten", "tcp", "-screen", "0", "640x480x24"], pass_fds=[write],
                              stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with open(read) as said:
            yield ":" + said.readline().strip()  # once it can be used
    finally:
        server.terminate()
        server.wait()


def watch(pipeline):
    """Plays to the end. The structures of the element's messages, by name."""
    found = {}
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    while True:
        message = bus.timed_pop(cases.LIMIT_S * Gst.SECOND)
        if message is None:
            raise TimeoutError("the pipeline came to no end")
        if message.type == Gst.MessageType.ERROR:
            raise RuntimeError(message.parse_error())
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure.get_name().startswith("vidi/"):
            found.setdefault(structure.get_name(), []).append(structure.copy())
        if message.type == Gst.MessageType.EOS:
            break
    pipeline.set_state(Gst.State.NULL)
    return found


def hits(found, query, field="stream-time"):
    """[(start, stop)] in seconds, final ones."""
    all_of_it = [s for s in found.get("vidi/result", []) if s.get_value("query") == query and s.get_value("final")]
    starts = [s.get_value(field) / Gst.SECOND for s in all_of_it]
    return [(start, start + s.get_value("duration") / Gst.SECOND) for start, s in zip(starts, all_of_it)]


@unittest.skipUnless(HAS_GI, "python3-gi is not installed")
class Hosts(unittest.TestCase):
    def assert_phone(self, found, field="stream-time", offset=0.0):
        at = hits(found, "a phone", field)
        self.assertEqual(len(at), 1, found)
        for seen, true in zip(at[0], PHONE_S):
            self.assertAlmostEqual(seen, true + offset, delta=NEAR_S)

    def check_player(self, name):
        player = Gst.ElementFactory.make(name)
        player.set_property("uri", cases.CLIP.as_uri())
        player.set_property("video-filter", Gst.parse_bin_from_description(FILTER, True))
        for sink in ("video-sink", "audio-sink"):
            player.set_property(sink, Gst.parse_bin_from_description("fakesink sync=false", True))
        found = watch(player)
        self.assert_phone(found)
        # It hands over pictures alone: that the question about sound finds nothing has a reason that is said.
        self.assertFalse(found["vidi/model"][0].get_value("has-audio"))
        self.assertFalse(found["vidi/window"][0].get_value("has-audio"))
        self.assertEqual(hits(found, "someone saying goal"), [])

    def test_playbin(self):
        """As playbin's video-filter it finds what is seen, and says that no sound comes to it."""
        self.check_player("playbin")

    @unittest.skipIf(HAS_GI and Gst.version()[:2] < (1, 24), "before 1.24 playbin3 sometimes comes to no end, with identity too")
    def test_playbin3(self):
        """Likewise as playbin3's."""
        self.check_player("playbin3")

    @unittest.skipUnless(bindings("GES"), "gir1.2-ges-1.0 is not installed")
    def test_ges_effect(self):
        """As an effect of a clip in an editor's timeline it finds what is seen: timestamp is the source's time, stream-time
        counts from the clip's start in the timeline."""
        GES = bindings("GES")
        GES.init()
        timeline = GES.Project.new(None).extract()
        for track in timeline.get_tracks():
            timeline.remove_track(track)
        timeline.add_track(GES.VideoTrack.new())
        layer = timeline.append_layer()
        asset = GES.UriClipAsset.request_sync(cases.CLIP.as_uri())
        # Put at 5 s, from 2 s of the source on.
        clip = layer.add_asset(asset, 5 * Gst.SECOND, 2 * Gst.SECOND, 20 * Gst.SECOND, GES.TrackType.VIDEO)
        self.assertTrue(clip.add(GES.Effect.new(FILTER)))
        pipeline = GES.Pipeline()
        self.assertTrue(pipeline.set_timeline(timeline))
        self.assertTrue(pipeline.set_mode(GES.PipelineFlags.VIDEO_PREVIEW))
        pipeline.set_property("video-sink", Gst.ElementFactory.make("fakesink"))
        found = watch(pipeline)
        self.assert_phone(found, "timestamp")
        self.assert_phone(found, offset=-2.0)

    @unittest.skipUnless(bindings("GstRtspServer"), "gir1.2-gst-rtsp-server-1.0 is not installed")
    def test_rtsp_server(self):
        """In the launch line of an RTSP server its stream is watched while a client plays it."""
        GstRtspServer = bindings("GstRtspServer")
        server = GstRtspServer.RTSPServer.new()
        server.set_address("127.0.0.1")
        server.set_service("0")  # any free port
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( filesrc location={cases.CLIP} ! decodebin ! {FILTER} window-duration=5000000000 ! videoconvert ! "
                           "jpegenc ! rtpjpegpay name=pay0 )")
        names, gone = [], []

        def watch_model(_, media):
            media.connect("unprepared", lambda _: gone.append(1))
            media.get_element().get_by_name("v").connect(
                "notify::model-state", lambda v, _: names.append(v.get_property("model-state").value_nick))

        factory.connect("media-configure", watch_model)
        server.get_mount_points().add_factory("/clip", factory)
        context = GLib.MainContext.default()
        self.assertGreater(server.attach(context), 0)
        client = Gst.parse_launch(f"rtspsrc location=rtsp://127.0.0.1:{server.get_bound_port()}/clip protocols=tcp ! "
                                  "rtpjpegdepay ! fakesink name=sink sync=false signal-handoffs=true")
        pictures = []
        client.get_by_name("sink").connect("handoff", lambda *_: pictures.append(1))
        client.set_state(Gst.State.PLAYING)
        end = GLib.get_monotonic_time() + cases.LIMIT_S * 1000000

        def iterate_until(condition):
            tick = GLib.timeout_add(50, lambda: True)  # the loop comes back to look at the clock
            while not condition() and GLib.get_monotonic_time() < end:
                context.iteration(True)
            GLib.source_remove(tick)

        iterate_until(lambda: len(pictures) > 30 and "ready" in names)
        client.set_state(Gst.State.NULL)
        # The server stops the stream on a thread of its own, which calls watch_model()'s functions: not when Python has ended.
        iterate_until(lambda: gone)
        GstRtspServer.RTSPThreadPool.cleanup()
        self.assertTrue(gone)
        self.assertIn("ready", names)
        self.assertGreater(len(pictures), 30)

    @unittest.skipUnless(importlib.util.find_spec("cv2"), "python3-opencv is not installed")
    def test_opencv(self):
        """OpenCV reads every picture of its launch line, and the hits are in the file that the line names."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "hits.jsonl"
            line = (f"filesrc location={cases.CLIP} ! qtdemux ! avdec_h264 ! vidifilter name=v model-path={cases.CHECKPOINT} query=phone ! "
                    f"videoconvert ! video/x-raw,format=BGR ! appsink sync=false  v.json_src ! filesink buffer-mode=unbuffered location={path}")
            code = f"import cv2; c = cv2.VideoCapture({line!r}, cv2.CAP_GSTREAMER); print(sum(1 for _ in iter(lambda: c.read()[0], False)))"
            ran = cases.run([sys.executable, "-c", code])
            self.assertEqual(ran.stdout.strip(), N_PICTURES, ran.stderr)
            self.assertIn('"type":"result"', path.read_text())

    @unittest.skipUnless(has_gtk(), "gstreamer1.0-gtk3, gir1.2-gtk-3.0 or xvfb is not installed")
    def test_gtk(self):
        """A window of GTK shows every picture of the film with the element before its sink, and the hits come."""
        with screen() as display:
            host = [sys.executable, str(cases.SOURCE / "tests/examples/gtk_host.py"), str(cases.CLIP)]
            ran = cases.run([*host, FILTER], env=cases.environment(DISPLAY=display, GDK_BACKEND="x11"))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        seen = json.loads(ran.stdout)
        self.assertEqual(seen["rendered"], int(N_PICTURES))
        self.assertGreater(seen["colours"], 1)
        self.assertEqual([query for query, _, _ in seen["hits"]], ["a phone"], seen)
        for found, true in zip(seen["hits"][0][1:], PHONE_S):
            self.assertAlmostEqual(found, true, delta=NEAR_S)

    @unittest.skipUnless(VALIDATE, "gst-validate-1.0 is not installed")
    def test_validate(self):
        """gst-validate reports as much about a pipeline with it as about the same one with identity."""
        def reports(element):
            line = f"filesrc location={cases.CLIP} ! qtdemux ! decodebin ! videoconvert ! {element} ! fakesink sync=false"
            ran = cases.run([VALIDATE, *line.split(" ")])
            said = ran.stdout + ran.stderr
            count = re.search(r"(?m)^Issues found: (\d+)$", said)  # its last line when it came to an end
            self.assertTrue(count, said)
            return ran.returncode, count[1], sorted(re.findall(r"(?m)^ *((?:critical|warning|issue) : .*)$", said))
        self.assertEqual(reports(f"vidifilter model-path={cases.CHECKPOINT} query=dog"), reports("identity"))


if __name__ == "__main__":
    cases.main(__name__)
