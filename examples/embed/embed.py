#!/usr/bin/env python3
"""The smallest application around the element: prints every hit in a file as it is found.

  GST_PLUGIN_PATH=build/gst examples/embed/embed.py FILE CHECKPOINT QUERY...

Needs the Debian packages python3-gi and gir1.2-gstreamer-1.0.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PIPELINE = """uridecodebin name=file  vidifilter name=vidi
  file. ! queue ! vidi.sink  file. ! queue ! vidi.audio_sink  vidi.src ! fakesink sync=false"""


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def make_pipeline(path, checkpoint, queries):
    pipeline = Gst.parse_launch(PIPELINE)
    pipeline.get_by_name("file").set_property("uri", Gst.filename_to_uri(path))
    vidi = pipeline.get_by_name("vidi")
    vidi.set_property("model-path", checkpoint)
    # Python has no GstValueArray: the text form that gst-launch-1.0 takes works everywhere.
    Gst.util_set_object_arg(vidi, "queries", "<" + ",".join(map(quoted, queries)) + ">")
    return pipeline


def print_result(result):
    # Hits that the next window may still change are not final.
    if result.get_value("final"):
        start = result.get_value("stream-time")
        stop = start + result.get_value("duration")
        print(f"{result.get_string('query')}: {start / Gst.SECOND:.1f} s to {stop / Gst.SECOND:.1f} s")


def watch(pipeline):
    """The exit status. The end of the stream comes after the last result."""
    bus = pipeline.get_bus()
    while True:
        message = bus.timed_pop(Gst.CLOCK_TIME_NONE)
        if message.type == Gst.MessageType.EOS:
            return 0
        if message.type == Gst.MessageType.ERROR:
            print("embed.py:", message.parse_error()[0].message, file=sys.stderr)
            return 1
        if message.get_structure() and message.get_structure().get_name() == "vidi/result":
            print_result(message.get_structure())


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: embed.py FILE CHECKPOINT QUERY...")
    Gst.init(None)
    pipeline = make_pipeline(sys.argv[1], sys.argv[2], sys.argv[3:])
    pipeline.set_state(Gst.State.PLAYING)
    status = watch(pipeline)
    pipeline.set_state(Gst.State.NULL)
    sys.exit(status)


main()
