"""vidi-watch as a process whose lines are read while it runs, with the scripted engine: in every window of two
seconds it finds 0.20-0.60. And the sources that it watches."""
import queue
import re
import subprocess
import threading
import time

import cases

PROGRAM = cases.BUILD / "examples/vidi-watch"
SERVER = cases.BUILD / "tests/rtsp-server"
LIMIT_S = 40  # for one line of output
HIT = re.compile(r"^([ ~])(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d([+-]\d\d:\d\d)  (.+)  (\d+\.\d) s  90 %(  \.\.\. \(still going\))?$")
# Windows that do not overlap: every hit is final at once, unless it touches the one before.
QUICK = ["--window", "2", "--stride", "2", "--rate", "5", "--latency", "100"]
SCRIPTED = {"VIDI_ENGINE": str(cases.BUILD / "tests/libscripted.so"), "VIDI_SCRIPTED_ANSWER": "0.20-0.60"}


class Process:
    """A program whose output is read line by line while it runs."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        stdin=subprocess.DEVNULL, env=cases.environment(**environment))
        self.lines, self.seen = queue.Queue(), []
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self.read, args=[stream], daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.lines.put(line.rstrip("\n"))
        stream.close()

    def wait_line(self, pattern):
        """The match of the next line that has this pattern; fails when it does not come in time."""
        end = time.monotonic() + LIMIT_S
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line with {pattern}, found:\n" + "\n".join(self.seen)) from None
            self.seen.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def wait_end(self):
        return self.process.wait(timeout=LIMIT_S)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Server(Process):
    def __init__(self, port=0, *arguments):
        super().__init__([SERVER, "--port", str(port), *arguments])
        self.uri = self.wait_line(r"^rtsp://127\.0\.0\.1:(\d+)/test$")[0]
        self.port = int(re.search(r":(\d+)/", self.uri)[1])
