#!/usr/bin/python3
"""What the element answers about a file, word for word, and the pictures and sound that it saw and heard.

usage: raw_answers.py OUT.npz < request.json      (agreement.py calls this with the Python that has GStreamer's bindings)

The request: file, model, device, precision, queries, rate (pictures a second), converted (whether the element gets RGB and
16 kHz as well, or what the file has). Written: `frames` uint8 [F, H, W, 3],
`samples` int16 16 kHz mono (absent without sound), `answers` (one a query, then the highlights). The whole file is one window.
"""
import json
import sys
import warnings

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402,F401

HERTZ = 16000
PICTURES = "videoconvert ! video/x-raw,format=RGB"
SOUND = f"audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate={HERTZ},channels=1"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def open_file(description, path):
    """-> (pipeline, list of the media that the file has, filled in as they are found)"""
    pipeline, media = Gst.parse_launch("uridecodebin name=file " + description), []
    file = pipeline.get_by_name("file")
    file.set_property("uri", Gst.filename_to_uri(path))
    file.connect("pad-added", lambda _, pad: media.append(pad.query_caps(None).get_structure(0).get_name()))
    return pipeline, media


def messages(pipeline):
    """Element messages until the end."""
    while True:
        message = pipeline.get_bus().timed_pop(Gst.CLOCK_TIME_NONE)
        if message.type == Gst.MessageType.EOS:
            return
        if message.type == Gst.MessageType.ERROR:
            sys.exit(message.parse_error()[0].message)
        if message.type == Gst.MessageType.ELEMENT:
            yield message.get_structure()


def ask(request, has_sound, queries):
    """The texts of the only window; no queries: the highlights."""
    pictures, sound = (PICTURES, SOUND) if request["converted"] else ("identity", "identity")
    description = f"vidifilter name=vidi  file. ! queue ! {pictures} ! vidi.sink  vidi.src ! fakesink sync=false"
    if has_sound:
        description += f"  file. ! queue ! {sound} ! vidi.audio_sink"
    pipeline, _ = open_file(description, request["file"])
    vidi = pipeline.get_by_name("vidi")
    settings = {"model-path": request["model"], "device": request["device"], "precision": request["precision"],
                "window-duration": "0", "task": "retrieval" if queries else "highlight",
                "queries": "<" + ",".join(map(quoted, queries)) + ">"}
    for name, value in settings.items():
        Gst.util_set_object_arg(vidi, name, value)
    pipeline.set_state(Gst.State.PLAYING)
    windows = [m for m in messages(pipeline) if m.get_name() == "vidi/window"]
    pipeline.set_state(Gst.State.NULL)
    if len(windows) != 1 or windows[0].get_string("error"):
        sys.exit(f"{request['file']}: {len(windows)} windows, expected one without an error")
    return texts_of(windows[0])


def texts_of(window):
    """Python has no GstValueArray; the one way to its elements is deprecated."""
    warnings.simplefilter("ignore", DeprecationWarning)
    _, texts = window.get_array("texts")
    return [texts.get_nth(i) for i in range(texts.n_values)]


def buffers(path, description):
    """(caps, running time, duration, bytes) of each buffer that comes out, and the file's media at the end"""
    pipeline, media = open_file(description + " ! appsink name=out sync=false max-buffers=4", path)
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    while sample := out.pull_sample():
        buffer = sample.get_buffer()
        time = sample.get_segment().to_running_time(Gst.Format.TIME, buffer.pts)
        yield sample.get_caps().get_structure(0), time, buffer.duration, buffer.extract_dup(0, buffer.get_size())
    pipeline.set_state(Gst.State.NULL)
    yield media


def picture(caps, data):
    width, height = caps.get_value("width"), caps.get_value("height")
    rows = np.frombuffer(data, np.uint8).reshape(height, -1)  # rows are padded to four bytes
    return rows[:, :width * 3].reshape(height, width, 3)


def see(path, rate):
    """-> (the frames nearest to k / rate, start, stop, whether there is sound); of two equally near ones the earlier"""
    frames, before, start, stop = [], None, None, None
    for item in buffers(path, "file. ! " + PICTURES):
        if isinstance(item, list):
            return frames_to(frames, before, start, stop, rate), start, stop, any(m.startswith("audio/") for m in item)
        caps, time, duration, data = item
        start = time if start is None else start
        while (target := start + round(len(frames) * Gst.SECOND / rate)) <= time:
            is_earlier = before and target - before[0] <= time - target
            frames.append(before[1] if is_earlier else picture(caps, data))
        before, stop = (time, picture(caps, data)), time + duration


def frames_to(frames, last, start, stop, rate):
    """The last frame serves the targets up to the end."""
    while start + round(len(frames) * Gst.SECOND / rate) < stop:
        frames.append(last[1])
    return np.stack(frames)


def hear(path, start, stop):
    """Samples from start to stop, fewer when the file's sound ends before that."""
    samples = np.zeros(round((stop - start) / Gst.SECOND * HERTZ), np.int16)
    at = None
    for item in buffers(path, "file. ! " + SOUND):
        if isinstance(item, list):
            return samples[:at]
        data = np.frombuffer(item[3], np.int16)
        at = round((item[1] - start) / Gst.SECOND * HERTZ) if at is None else at
        first, last = max(at, 0), min(at + len(data), len(samples))
        samples[first:max(first, last)] = data[first - at:max(first, last) - at]
        at += len(data)


def main():
    request = json.load(sys.stdin)
    Gst.init(None)
    frames, start, stop, has_sound = see(request["file"], request["rate"])
    found = {"frames": frames}
    if has_sound:
        found["samples"] = hear(request["file"], start, stop)
    answers = ask(request, has_sound, request["queries"]) + ask(request, has_sound, [])
    np.savez(sys.argv[1], answers=np.array(answers), **found)


main()
