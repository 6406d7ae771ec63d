"""What bounds a step: the host, which launches, or the device."""
import collections
import contextlib
import statistics
import time

import torch

EVERY = 20  # steps; a measured step waits for the device, so the others are faster


class Clock:
    def __init__(self, device):
        self.wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self.start()

    def start(self):
        self.times, self.steps, self.idle, self.began, self.on = collections.defaultdict(list), 0, 0.0, time.time(), False

    def next(self, plans):
        """The next plan of an iterator, or None; the wait for it counts as idle."""
        begin = time.time()
        plan = next(plans, None)
        self.idle += time.time() - begin
        self.steps += 1
        self.on = self.steps % EVERY == 0
        return plan

    @contextlib.contextmanager
    def part(self, name):
        if not self.on:
            yield
            return
        self.wait()
        begin = time.time()
        yield
        launched = time.time()
        self.wait()
        self.times[name].append((launched - begin, time.time() - begin))

    def text(self):
        """ms a step, waited for plans, and of each part: until all was launched / until it was done (median)."""
        parts = [f"{n} {statistics.median(a for a, _ in t) * 1e3:.0f}/{statistics.median(b for _, b in t) * 1e3:.0f}" for n, t in self.times.items()]
        a_step = 1e3 / max(1, self.steps)
        return f"[ms: step {(time.time() - self.began) * a_step:.0f} plans {self.idle * a_step:.1f} " + " ".join(parts) + "]"
