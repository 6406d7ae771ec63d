"""A camera on loopback, RTSP over TCP, whose first packets leave together with its answer to PLAY, as some cameras' do: the
bundled clip's pictures and silence, over and over."""
import socket
import struct
import threading

import media

PICTURES_A_SECOND, SOUND_RATE, SOUND_PACKET = 25, 8000, 160
SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=control:*\r\n"
       "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track0\r\n"
       "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n")


def units(picture):
    """The NAL units of a picture, without their start codes."""
    parts = picture.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts[1:] if part[0] & 31 != 9]


class Track:
    def __init__(self, channel, payload_type):
        self.channel, self.payload_type, self.sequence = channel, payload_type, 0

    def packet(self, stamp, payload, marker):
        """One RTP packet between the answers of RTSP."""
        self.sequence = self.sequence + 1 & 0xffff
        head = struct.pack(">BBHII", 128, self.payload_type | (128 if marker else 0), self.sequence, stamp & 0xffffffff, 7 + self.channel)
        return struct.pack(">cBH", b"$", self.channel, len(head) + len(payload)) + head + payload


class EagerCamera:
    def __init__(self, folder):
        media.launch(f"filesrc location={media.cases.CLIP} ! qtdemux ! h264parse config-interval=-1 ! "
                     f"video/x-h264,stream-format=byte-stream,alignment=au ! multifilesink location={folder}/picture%05d")
        self.pictures = [units(path.read_bytes()) for path in sorted(folder.glob("picture*"))]
        self.server = socket.create_server(("127.0.0.1", 0))
        self.uri = f"rtsp://127.0.0.1:{self.server.getsockname()[1]}/live"
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.server.close()

    def accept(self):
        try:
            while True:
                threading.Thread(target=self.serve, args=[self.server.accept()[0]], daemon=True).start()
        except OSError:
            pass

    def packets(self):
        """For each picture's time: its packets and the sound's."""
        video, audio = Track(0, 96), Track(2, 0)
        n_sound = 0
        for i in range(10**6):
            picture = self.pictures[i % len(self.pictures)]
            data = b"".join(video.packet(i * 90000 // PICTURES_A_SECOND, unit, unit is picture[-1]) for unit in picture)
            while n_sound * SOUND_PACKET * PICTURES_A_SECOND < (i + 1) * SOUND_RATE:
                data += audio.packet(n_sound * SOUND_PACKET, b"\xff" * SOUND_PACKET, False)
                n_sound += 1
            yield data

    def serve(self, connection):
        pace = threading.Event()
        with connection:
            try:
                while True:
                    request = b""
                    while not request.endswith(b"\r\n\r\n"):
                        byte = connection.recv(1)
                        if not byte:
                            return
                        request += byte
                    if self.answer(connection, request.decode(), pace):
                        return
            except OSError:
                pass

    def answer(self, connection, request, pace):
        """True when the connection is over."""
        method, uri = request.split()[:2]
        number = next(line.split(":")[1].strip() for line in request.splitlines() if line.lower().startswith("cseq:"))
        head, body = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: 1\r\n", ""
        if method == "OPTIONS":
            head += "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n"
        elif method == "DESCRIBE":
            body = SDP
            head += f"Content-Type: application/sdp\r\nContent-Base: {self.uri}/\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            channel = 2 * int(uri[-1])
            head += f"Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}\r\n"
        packets = self.packets() if method == "PLAY" else iter(())
        first = b"".join(next(packets, b"") for _ in range(10))
        connection.sendall((head + "\r\n" + body).encode() + first)
        for data in packets:
            if pace.wait(1 / PICTURES_A_SECOND):
                break
            connection.sendall(data)
        return method in ("TEARDOWN", "PLAY")
