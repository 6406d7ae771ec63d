"""Measures vidi-watch --hls for as long as it is told; see hls.sh. The last line counts what passed and what failed."""
import pathlib
import random
import signal
import statistics
import sys
import tempfile
import threading
import time

import cases
from hls import Playlist, first_picture, packets, seconds
from live import PROGRAM, QUICK, SCRIPTED, SERVER, Process
from test_hls import ENGINE

TRUTH = {"a phone": (4, 9), "a dog": (12, 16), "someone saying goal": (9.5, 12.6)}
CLIP_S = 40
failed = passed = 0


def check(holds, sentence):
    global failed, passed
    passed, failed = passed + bool(holds), failed + (not holds)
    print(("ok      " if holds else "FAILED  ") + sentence, flush=True)


def wait(seconds_):
    threading.Event().wait(seconds_)


def watch(folder, *arguments, **environment):
    return Process([PROGRAM, *arguments, "--hls", folder], **environment)


def stop(process):
    process.process.send_signal(signal.SIGINT)
    return process.wait_end()


def read(folder):
    return Playlist((folder / "playlist.m3u8").read_text())


def connections(playlist):
    """Begin and end of each, by its discontinuities."""
    begins = [s.start for i, s in enumerate(playlist.segments) if s.discontinuity or i == 0]
    ends = [s.stop for s, after in zip(playlist.segments, playlist.segments[1:]) if after.discontinuity] + [playlist.segments[-1].stop]
    return list(zip(begins, ends))


def camera(folder, minutes):
    """The bundled clip, again and again over RTSP: each hit is a range, and ranges fit the truth."""
    server = Process([SERVER, "--codec", "h264", str(cases.CLIP)])
    uri = server.wait_line(r"^rtsp://\S+$")[0]
    process = watch(folder, uri, *TRUTH, "--window", "10", "--stride", "10", "--latency", "500", "--retry", "1", "--hls-keep", "86400", VIDI_ENGINE=ENGINE)
    wait(60 * minutes)
    check(stop(process) == 0, "ends with status 0")
    server.kill()
    playlist, off, n_missing, n_whole = read(folder), [], 0, 0
    pictures = [abs(s.start - first_picture(folder / s.uri) - (before.start - first_picture(folder / before.uri)))
                for before, s in zip(playlist.segments, playlist.segments[1:]) if not s.discontinuity]
    for begin, end in connections(playlist):
        found = {}
        for tag in playlist.ranges.values():
            start = seconds(tag["START-DATE"]) - begin
            if -1 < start < end - begin:
                found[tag["X-QUESTION"]] = start, seconds(tag["END-DATE"]) - begin
        if end - begin > CLIP_S - 2:
            n_whole += 1
            n_missing += len(set(TRUTH) - set(found))
        for query, times in found.items():
            if TRUTH[query][1] + 1 < end - begin:  # else it was cut off with its turn
                off.append(max(abs(a - b) for a, b in zip(times, TRUTH[query])))
                if off[-1] > 1.1:
                    print(f"turn at {begin:.2f}, {end - begin:.2f} s long: {query} at {times[0]:.2f}..{times[1]:.2f}")
    if off and max(off) > 1.1:
        print("\n".join(process.seen + list(process.lines.queue)))
    check(n_whole, f"{n_whole} whole turns of the clip, {len(playlist.segments)} segments")
    check(n_missing == 0, f"{n_missing} hits are no range")
    check(off and max(off) <= 1.1, f"{len(off)} ranges are off the truth by {max(off, default=99):.2f} s at most, {statistics.median(off or [99]):.2f} s in the middle")
    check(max(pictures) < 0.04, f"pictures and dates differ by {1000 * max(pictures):.1f} ms at most")


def resident_mb(process):
    status = pathlib.Path(f"/proc/{process.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def soak(folder, minutes):
    """Segments of a second without end: memory, folder and playlist stay as they are."""
    process = watch(folder, "test://", "a ball", *QUICK, "--hls-segment", "1", "--hls-keep", "10", **SCRIPTED)
    end, samples = time.monotonic() + 60 * minutes, []
    wait(min(60, 30 * minutes))
    while time.monotonic() < end:
        samples.append((resident_mb(process), len(list(folder.iterdir())), sum(p.stat().st_size for p in folder.iterdir()) / 1e6,
                        len(read(folder).text)))
        wait(min(15, 3 * minutes))
    n_segments = read(folder).next
    check(stop(process) == 0, f"{n_segments} segments, status 0")
    fifth = max(1, len(samples) // 5)
    first, last = (statistics.median(s[0] for s in part) for part in (samples[:fifth], samples[-fifth:]))
    check(last - first < 10, f"memory from {first:.0f} to {last:.0f} MB")
    check(max(s[1] for s in samples) < 34, f"{max(s[1] for s in samples)} files, {max(s[2] for s in samples):.1f} MB at most")
    check(max(s[3] for s in samples) < 10_000, f"a playlist of {max(s[3] for s in samples)} bytes at most")


def kills(folder, n):
    """At any moment, many times: never a torn playlist, never a number that goes back."""
    dice, expected, n_torn, n_read = random.Random(7), 0, 0, 0
    for _ in range(n):
        process = watch(folder, "test://", "a ball", *QUICK, "--hls-segment", "0.5", **SCRIPTED)
        wait(1 + 6 * dice.random())
        process.kill()
        try:
            playlist = read(folder)
            for segment in playlist.segments:
                packets(folder / segment.uri)
            n_torn += playlist.next < expected
            expected, n_read = playlist.next, n_read + 1
        except FileNotFoundError:
            n_torn += expected > 0
        except ValueError as error:
            n_torn += 1
            print(error)
    check(n_torn == 0 and n_read, f"{n} kills, {n_read} playlists read, {n_torn} of them torn")


def main():
    for measure, amount in zip((camera, soak, kills), map(float, sys.argv[1:])):
        if amount:
            with tempfile.TemporaryDirectory() as folder:
                measure(pathlib.Path(folder), int(amount) if measure is kills else amount)
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or not passed


sys.exit(main())
