"""vidi-watch as a process whose lines are read while it runs, with the scripted engine: in every window of two
seconds it finds 0.20-0.60. And the sources that it watches."""
import contextlib
import queue
import random
import re
import socket
import subprocess
import threading
import time

import cases

PROGRAM = cases.BUILD / "examples/vidi-watch"
SERVER = cases.BUILD / "tests/rtsp-server"
LIMIT_S = 100  # for one line of output
SOON_S, TICK_S = 3.5, 0.05  # what Ctrl-C takes at most, and how finely that is counted
QUIET_PORTS = range(20000, 32000)  # below those that the kernel gives to whoever wants any
HIT = re.compile(r"^([ ~])(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d([+-]\d\d:\d\d)  (.+)  (\d+\.\d) s  90 %(  \.\.\. \(still going\))?$")
# Windows that do not overlap: every hit is final at once, unless it touches the one before.
QUICK = ["--window", "2", "--stride", "2", "--rate", "5", "--latency", "100"]
SCRIPTED = {"VIDI_ENGINE": str(cases.BUILD / "tests/libscripted.so"), "VIDI_SCRIPTED_ANSWER": "0.20-0.60"}


def free_port(kind=socket.SOCK_STREAM):
    """One that stays free until it is used: nobody gets it by chance, as one that was taken from the kernel and given back."""
    for port in random.sample(QUIET_PORTS, 100):
        with socket.socket(socket.AF_INET, kind) as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"of {QUIET_PORTS} none is free")


class Process:
    """A program whose output is read line by line while it runs: stdout and stderr in the order in which it writes them."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        stdin=subprocess.DEVNULL, env=cases.environment(**environment))
        self.lines, self.seen = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.process.stdout.close()

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

    def wait_end_soon(self):
        """Likewise, in SOON_S. Ticks are counted and not the clock: a machine that stands still counts none."""
        for _ in range(round(SOON_S / TICK_S)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(timeout=TICK_S)
        raise AssertionError(f"no end in {SOON_S} s, found:\n" + "\n".join(self.seen))

    def kill(self):
        self.process.kill()
        self.process.wait()


class Server(Process):
    def __init__(self, port=0, *arguments):
        super().__init__([SERVER, "--port", str(port), *arguments])
        self.uri = self.wait_line(r"^rtsp://127\.0\.0\.1:(\d+)/test$")[0]
        self.port = int(re.search(r":(\d+)/", self.uri)[1])
