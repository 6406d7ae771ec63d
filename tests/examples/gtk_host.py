#!/usr/bin/env python3
"""gtk_host.py FILE ELEMENT: a window of GTK 3 that shows FILE with ELEMENT before gtksink, as an application embeds it.

At the end of the film it looks at its own window until a picture is there, prints what it saw as one JSON object, and ends: {"rendered": pictures
that the sink showed, "colours": of its window, "hits": [[query, start, stop], ...]}.
"""
import json
import sys

import gi
gi.require_version("Gdk", "3.0")
gi.require_version("Gst", "1.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gst, Gtk

LOOK_EVERY_MS = 50


def colours_of(window):
    """How many different ones are in it now: a widget without a picture has one."""
    shown = Gdk.pixbuf_get_from_window(window.get_window(), 0, 0, *window.get_size())
    row, step = shown.get_rowstride(), shown.get_n_channels()
    pixels = shown.get_pixels()
    return len({pixels[y * row + x * step:y * row + x * step + 3] for y in range(shown.get_height()) for x in range(shown.get_width())})


class Player:
    def __init__(self, path, element):
        self.pipeline = Gst.parse_launch(f"uridecodebin name=d  d. ! queue ! {element} ! videoconvert ! gtksink name=s sync=false")
        self.pipeline.get_by_name("d").set_property("uri", Gst.filename_to_uri(path))
        self.sink = self.pipeline.get_by_name("s")
        self.hits = []
        self.window = Gtk.Window(default_width=320, default_height=240)
        self.window.add(self.sink.get_property("widget"))
        self.window.show_all()
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::element", self.on_element)
        bus.connect("message::error", lambda _, message: sys.exit(message.parse_error().gerror.message))
        bus.connect("message::eos", lambda *_: GLib.timeout_add(LOOK_EVERY_MS, self.look))

    def on_element(self, _, message):
        hit = message.get_structure()
        if hit.get_name() == "vidi/result" and hit.get_value("final"):
            start = hit.get_value("stream-time") / Gst.SECOND
            self.hits.append([hit.get_value("query"), start, start + hit.get_value("duration") / Gst.SECOND])

    def look(self):
        colours = colours_of(self.window)
        if colours > 1:
            rendered = self.sink.get_property("stats").get_value("rendered")
            print(json.dumps({"rendered": rendered, "colours": colours, "hits": self.hits}))
            Gtk.main_quit()
        return colours <= 1

    def play(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        Gtk.main()
        self.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    Gst.init(None)
    Player(*sys.argv[1:]).play()
