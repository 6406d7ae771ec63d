"""Films for the cases, made out of the bundled clip by GStreamer: its first 18 s, which show a phone at 4..9 and a dog
at 12..16 and say "goal" at 9.5..12.6, in other containers, with other tracks, one after the other."""
import re
import subprocess

import cases

PART_S = 18
N_PICTURES = 25 * PART_S
N_SOUNDS = 48000 * PART_S // 1024
# Branches of a pipeline that begins with `source()`; each ends where a muxer's pad follows.
PICTURES = f"d.video_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! identity eos-after={N_PICTURES} ! h264parse"
SOUND = f"d.audio_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! identity eos-after={N_SOUNDS} ! aacparse"
DECODED_PICTURES = f"{PICTURES} ! avdec_h264 ! videoconvert ! videoscale ! video/x-raw,width=320,height=180"
DECODED_SOUND = f"{SOUND} ! avdec_aac ! audioconvert ! audioresample"


def launch(pipeline):
    made = cases.run(["gst-launch-1.0", "-q", *pipeline.split()])
    if made.returncode:
        raise AssertionError(f"{pipeline}: {made.stderr}")


def make(path, muxer, *branches):
    """Every branch ends in the muxer named m; ` ! m.` is added where a branch does not name a pad."""
    ended = [branch if re.search(r"! m\.\S*$", branch) else branch + " ! m." for branch in branches]
    launch(f"filesrc location={cases.CLIP} ! qtdemux name=d  {muxer} name=m ! filesink location={path}  " + "  ".join(ended))
    return path


def transport_stream(path, pictures=PICTURES, sound=SOUND, first_pid=256):
    """Either may be empty: a programme without it."""
    branches = [f"{branch} ! queue ! m.sink_{first_pid + i}" for i, branch in enumerate([pictures, sound]) if branch]
    return make(path, "mpegtsmux", *branches)


def crc32_mpeg(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = crc << 1 ^ (0x104c11db7 if crc & 0x80000000 else 0)
    return crc.to_bytes(4, "big")


def with_map_version(path, version):
    """The same stream, whose programme map (of PID 32, mpegtsmux's) has this version: tsdemux reads each version once."""
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 188):
        has_map = (data[at + 1] & 0x1f) == 0 and data[at + 2] == 32 and data[at + 1] & 0x40
        if not has_map:
            continue
        payload = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        section = payload + 1 + data[payload]
        end = section + 3 + ((data[section + 1] & 0x0f) << 8 | data[section + 2])
        data[section + 5] = data[section + 5] & 0xc1 | version << 1
        data[end - 4:end] = crc32_mpeg(data[section:end - 4])
    path.write_bytes(data)
    return path


def join(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def without_pictures(path):
    """A transport stream of H.264 whose pictures cannot be decoded any more: all slices belong to parameters that are not there."""
    stream = path.read_bytes()
    path.write_bytes(re.sub(rb"(\x00\x00\x01[\x01\x21\x25\x41\x45\x61\x65])..", lambda found: found[1] + b"\xc0\x7f", stream, flags=re.DOTALL))
    return path


def silence(n_seconds=PART_S):
    return f"audiotestsrc wave=silence num-buffers={n_seconds * 10} samplesperbuffer=4800 ! audio/x-raw,rate=48000,channels=1 ! avenc_aac ! aacparse"


class Sender:
    """Sends a transport stream to a port of this computer, at its own pace."""

    def __init__(self, path, port):
        self.process = subprocess.Popen(
            ["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "tsparse", "set-timestamps=true", "!", "udpsink",
             "host=127.0.0.1", f"port={port}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        self.process.kill()
        self.process.wait()
