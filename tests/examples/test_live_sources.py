#!/usr/bin/env python3
"""vidi-watch with the sources that people have: cameras without times, streams that change, several tracks."""
import http.server
import pathlib
import socket
import subprocess
import tempfile
import threading
import unittest

import cases
import media
from eager_camera import EagerCamera
from live import HIT, PROGRAM, QUICK, SCRIPTED, Process, free_port

PICTURES_A_SECOND = 10
# Longer than what a case waits for: it ends before them, and on a slow machine they are there.
LONG_S = 38
LONG_PICTURES = media.PICTURES.replace(f"eos-after={media.N_PICTURES}", f"eos-after={25 * LONG_S}")
LONG_SOUND = media.SOUND.replace(f"eos-after={media.N_SOUNDS}", f"eos-after={48000 * LONG_S // 1024}")


class JpegCamera(http.server.BaseHTTPRequestHandler):
    """JPEG pictures for ever, as multipart/x-mixed-replace, none with a time; with or without their lengths."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=frame")
        self.end_headers()
        pace = threading.Event()
        try:
            while not pace.wait(1 / PICTURES_A_SECOND):
                length = f"Content-Length: {len(self.server.picture)}\r\n" if self.path == "/with-length" else ""
                self.wfile.write(f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + self.server.picture + b"\r\n")
        except OSError:
            pass


class LiveSources(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def watch(self, uri, *arguments, **options):
        watch = Process([PROGRAM, uri, "a ball", *QUICK, *arguments], **SCRIPTED)
        self.addCleanup(watch.kill)
        return watch

    def send(self, path, port):
        sender = media.Sender(path, port)
        self.addCleanup(sender.end)
        return sender

    def test_pictures_without_times_are_stamped_at_their_arrival(self):
        """A camera that sends JPEG over HTTP is watched, whether or not it says how long a picture is."""
        media.launch(f"videotestsrc num-buffers=1 ! video/x-raw,width=160,height=120 ! jpegenc ! filesink location={self.folder / 'picture.jpg'}")
        camera = http.server.ThreadingHTTPServer(("127.0.0.1", 0), JpegCamera)
        camera.picture = (self.folder / "picture.jpg").read_bytes()
        threading.Thread(target=camera.serve_forever, daemon=True).start()
        self.addCleanup(camera.server_close)
        self.addCleanup(camera.shutdown)
        for path in ("with-length", "without"):
            with self.subTest(path):
                watch = self.watch(f"http://127.0.0.1:{camera.server_port}/{path}")
                for _ in range(2):
                    self.assertEqual(HIT.match(watch.wait_line(HIT.pattern)[0])[4], "a ball")
                watch.kill()

    def test_a_camera_that_sends_at_once_is_watched_from_the_start(self):
        """What comes together with the answer to PLAY, before the decoders stand, holds nothing up: each of some starts in a row
        finds what is there."""
        camera = EagerCamera(self.folder)
        self.addCleanup(camera.close)
        watches = [self.watch(camera.uri.replace("rtsp", "rtspt"), "--once", "1") for _ in range(8)]
        for watch in watches:
            self.assertEqual(HIT.match(watch.wait_line(HIT.pattern)[0])[4], "a ball")
            self.assertEqual(watch.wait_end(), 0)

    def test_a_stream_that_changes_is_connected_anew_at_once(self):
        """Other PIDs, then no sound: each is said, and hits go on without the wait for a picture."""
        port = free_port(socket.SOCK_DGRAM)
        parts = [media.transport_stream(self.folder / "one.ts", LONG_PICTURES, LONG_SOUND),
                 media.with_map_version(media.transport_stream(self.folder / "two.ts", LONG_PICTURES, LONG_SOUND, 300), 1),
                 media.with_map_version(media.transport_stream(self.folder / "mute.ts", LONG_PICTURES, "", 300), 2)]
        watch = self.watch(f"udp://127.0.0.1:{port}", "--timeout", "30")
        watch.wait_line("watching udp")
        for i, part in enumerate(parts):
            sender = self.send(part, port)
            if i > 0:
                watch.wait_line("streams of the source have changed; connecting again at once")
                watch.wait_line("watching udp")
            for _ in range(4):  # two a window: long enough to be told from the beginning
                watch.wait_line(HIT.pattern)
            sender.end()
        watch.process.send_signal(2)
        self.assertEqual(watch.wait_end(), 0)

    def test_a_source_that_is_not_watched_is_connected_anew(self):
        """Pictures come for half a minute, and whatever the reason no window does: that is said, and the connection is made anew."""
        port = free_port(socket.SOCK_DGRAM)
        film = media.transport_stream(self.folder / "film.ts", media.PICTURES.replace(f"eos-after={media.N_PICTURES}", "eos-after=1000"), sound="")
        watch = self.watch(f"udp://127.0.0.1:{port}")
        watch.wait_line("watching udp")
        self.send(media.without_pictures(film), port)
        watch.wait_line("nothing was watched for 30 s although pictures came; connecting again at once")
        watch.wait_line("watching udp")
        watch.process.send_signal(2)
        self.assertEqual(watch.wait_end(), 0)

    def test_a_picture_that_stands_while_the_sound_goes_on(self):
        """No picture for longer than --timeout is no loss while sound comes: said once, and the windows go on; without sound it is one."""
        port = free_port(socket.SOCK_DGRAM)
        pictures = media.PICTURES.replace(f"eos-after={media.N_PICTURES}", "eos-after=100")
        film = media.make(self.folder / "film.ts", "mpegtsmux prog-map=program_map,sink_256=1,sink_257=1,PCR_1=sink_257",
                          pictures + " ! queue ! m.sink_256", LONG_SOUND + " ! queue ! m.sink_257")
        watch = self.watch(f"udp://127.0.0.1:{port}", "--timeout", "6")
        watch.wait_line("watching udp")
        sender = self.send(film, port)
        watch.wait_line(r"no picture for \d+ s, the last one stands while the sound goes on")
        n_seen = len(watch.seen)
        for _ in range(3):
            watch.wait_line(HIT.pattern)
        self.assertNotIn("connecting again", "".join(watch.seen[n_seen:]))  # before the first picture it may be
        sender.end()
        watch.wait_line("no picture for .*connecting again")

    def test_tracks_are_chosen_as_in_files(self):
        """Of two tracks of sound the wish decides, else the first; a wish that nothing fits is said, and it is watched."""
        path = media.make(self.folder / "film.mkv", "matroskamux", media.PICTURES + " ! queue ! m.video_0",
                          media.silence() + " ! taginject tags=language-code=de ! queue ! m.audio_0",
                          media.SOUND + " ! taginject tags=language-code=en ! queue ! m.audio_1")
        for wish, said in [([], "hears track 1 of 2, German"), (["--audio-track", "en"], "hears track 2 of 2, English"),
                           (["--audio-track", "fr"], "--audio-track: expected 1 to 2.*found fr")]:
            with self.subTest(wish=wish):
                watch = self.watch(path.as_uri(), *wish)
                watch.wait_line(said)
                watch.wait_line(HIT.pattern)
                watch.kill()

    def test_a_stream_is_piped_in(self):
        """`-` is standard input; its end is the end, as a file's."""
        path = media.transport_stream(self.folder / "film.ts")
        with open(path, "rb") as film:
            watched = subprocess.run([PROGRAM, "-", "a ball", *QUICK, "--quiet", "--once", "2"], stdin=film, capture_output=True,
                                     text=True, timeout=cases.LIMIT_S, env=cases.environment(**SCRIPTED))
        self.assertEqual((watched.returncode, watched.stderr), (0, ""))
        self.assertGreaterEqual(len(watched.stdout.splitlines()), 2)

    def test_a_recording_whose_streams_change_is_not_begun_anew(self):
        """What was read is read: the change is said, with status 1, from a file and from a pipe."""
        film = media.join(self.folder / "both.ts", media.transport_stream(self.folder / "one.ts"),
                          media.with_map_version(media.transport_stream(self.folder / "two.ts", first_pid=300), 1))
        for uri, stdin in ((f"file://{film}", subprocess.DEVNULL), ("-", open(film, "rb"))):
            watched = subprocess.run([PROGRAM, uri, "a ball", *QUICK], stdin=stdin, capture_output=True, text=True,
                                     timeout=cases.LIMIT_S, env=cases.environment(**SCRIPTED))
            self.assertEqual(watched.returncode, 1, watched.stderr)
            self.assertIn("streams of the source have changed", watched.stderr)
            self.assertNotIn("connecting again", watched.stderr)


if __name__ == "__main__":
    cases.main(__name__)
