"""Reads what vidi-watch --hls has written, with nothing but Python: playlists, and the transport streams they name."""
import datetime
import re

PACKET = 188
CLASS = "org.vidifilter.highlight"


def seconds(date):
    """Of 2026-11-29T22:55:24.418Z, since 1970."""
    return datetime.datetime.strptime(date, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def attributes(text):
    """Of a tag: names and values, quotes taken off. All of the text must be attributes."""
    found = re.findall(r'([A-Z-]+)=(?:"([^"\x00-\x1f]*)"|([^",]+))(?:,|$)', text)
    if len(",".join(f'{n}="{q}"' if q or f'{n}=""' in text else f"{n}={p}" for n, q, p in found)) != len(text):
        raise ValueError(f"no list of attributes: {text}")
    return {name: quoted or plain for name, quoted, plain in found}


class Segment:
    def __init__(self, uri, duration, start, discontinuity):
        self.uri, self.duration, self.start, self.discontinuity = uri, duration, start, discontinuity
        self.stop = start + duration


class Playlist:
    """A whole one, else ValueError."""

    def __init__(self, text):
        if not text.startswith("#EXTM3U\n") or not text.endswith("\n"):
            raise ValueError(f"torn: {text!r}")
        self.text, self.segments, self.ranges, self.ended = text, [], {}, False
        duration = start = None
        discontinuity = False
        for line in text.splitlines():
            tag, _, value = line.partition(":")
            if self.ended:
                raise ValueError(f"after the end: {line}")
            if tag == "#EXT-X-MEDIA-SEQUENCE":
                self.first = int(value)
            elif tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
                self.first_discontinuity = int(value)
            elif tag == "#EXT-X-TARGETDURATION":
                self.target = int(value)
            elif tag == "#EXT-X-DATERANGE":
                found = attributes(value)
                if found["ID"] in self.ranges:
                    raise ValueError(f"twice: {line}")
                self.ranges[found["ID"]] = found
            elif tag == "#EXT-X-PROGRAM-DATE-TIME":
                start = seconds(value)
            elif tag == "#EXT-X-DISCONTINUITY":
                discontinuity = True
            elif tag == "#EXTINF":
                duration = float(value.rstrip(","))
            elif tag == "#EXT-X-ENDLIST":
                self.ended = True
            elif not line.startswith("#"):
                self.segments.append(Segment(line, duration, start, discontinuity))
                duration = start = None
                discontinuity = False
            elif not line.startswith("##") and tag not in ("#EXTM3U", "#EXT-X-VERSION"):
                raise ValueError(f"unknown: {line}")
        if not self.segments or None in [s.start for s in self.segments]:
            raise ValueError(f"a segment without a date: {text}")

    @property
    def next(self):
        return self.first + len(self.segments)


def packets(path):
    data = path.read_bytes()
    if len(data) % PACKET or not data:
        raise ValueError(f"{path} is torn")
    return [data[at:at + PACKET] for at in range(0, len(data), PACKET)]


def pid(packet):
    return (packet[1] & 0x1f) << 8 | packet[2]


def payload(packet):
    return packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0):]


def first_picture(path):
    """The time stamp, in seconds, of the first picture of a segment; the tables come first, and the picture can be decoded."""
    all_packets = packets(path)
    if pid(all_packets[0]) != 0:
        raise ValueError(f"{path} begins without tables")
    for packet in all_packets:
        begins = packet[1] & 0x40
        data = payload(packet) if begins else b""
        if data[:3] == b"\0\0\1" and 0xe0 <= data[3] < 0xf0:
            if not packet[3] & 0x20 or not packet[4] or not packet[5] & 0x40:
                raise ValueError(f"{path} begins with a picture that is no key frame")
            stamp = data[9:14]
            return ((stamp[0] >> 1 & 7) << 30 | stamp[1] << 22 | stamp[2] >> 1 << 15 | stamp[3] << 7 | stamp[4] >> 1) / 90000
    raise ValueError(f"{path} has no picture")
