"""Half E's rough sounds: dogs, blasts, engines. Called as those of sounds_a.py."""
import numpy as np
from scipy.signal import lfilter

from tools import RATE, clock, edges, filtered, midi, noise, place, resonate, turned

GS = "FluidR3_GS"


# -- a dog barking
def bark_times(rng, one):
    every = len(one) / RATE + rng.uniform(0.14, 0.4)
    return place([(i * every + rng.uniform(0, 0.03), one * rng.uniform(0.8, 1)) for i in range(rng.randint(2, 4))], 3 * every + 1)


def partials_and_breath(rng, seconds):
    """The partials of a bark, each as loud as a mouth that opens lets it be; they waver, and rough breath goes with them."""
    length, hz, size = rng.uniform(0.15, 0.26), rng.uniform(260, 520), rng.uniform(0.9, 1.35)
    x = clock(length) / length
    pitch = hz * (0.75 + 0.45 * np.sin(np.pi * x ** 0.7)) * (1 + 0.6 * filtered(noise(rng, length), None, 90, 1))
    mouth, turns = np.sin(np.pi * x) ** 0.7, turned(pitch)
    first, second = size * (450 + 500 * mouth), size * (1100 + 600 * mouth)

    def opening(f):
        return 1 / (1 + ((f - first) / 180) ** 2) + 0.6 / (1 + ((f - second) / 260) ** 2) + 0.15 / (1 + ((f - 3100 * size) / 500) ** 2)

    voice = sum(opening(k * pitch) * np.sin(2 * np.pi * k * turns + k * k) for k in range(1, 22))
    breath = filtered(noise(rng, length), 500, 4500)[:len(x)] * (0.5 + 0.5 * (turns % 1 < 0.5))
    return bark_times(rng, (voice + 0.6 * breath) * np.clip(x / 0.07, 0, 1) * (1 - x) ** 0.7)


def hoarse(rng, seconds):
    """A voice that feeds back into itself until it roughens, through a long muzzle."""
    length, hz, size = rng.uniform(0.16, 0.28), rng.uniform(170, 380), rng.uniform(0.8, 1.15)
    x = clock(length) / length
    turns = 2 * np.pi * turned(hz * (0.85 + 0.4 * np.sin(np.pi * np.minimum(1, 1.4 * x))))
    feed, out, last, before = 0.7 + 2.2 * np.sin(np.pi * x), np.zeros(len(x)), 0.0, 0.0
    for i in range(len(x)):
        out[i] = np.sin(turns[i] + feed[i] * 0.5 * (last + before))
        before, last = last, out[i]
    voice = resonate(out, 600 * size, 250) + 0.8 * resonate(out, 1200 * size, 350) + 0.4 * resonate(out, 2300 * size, 600) + 0.1 * out
    return bark_times(rng, np.tanh(2 * voice / np.abs(voice).max()) * np.clip(x / 0.06, 0, 1) * (1 - x) ** 0.6)


def sampled_dog(rng, seconds):
    every = rng.uniform(0.4, 0.6)
    return midi([(i * every, every, 0, (1, 123), rng.randint(55, 66), 120) for i in range(rng.randint(1, 3))], 3 * every, GS)


# -- an explosion
def avalanche(rng, seconds):
    """Grains: at first all at once and bright, then fewer and duller."""
    length, draw = rng.uniform(1.3, 2.3), np.random.default_rng(rng.getrandbits(32))
    out = np.zeros(int(length * RATE) + RATE)
    for at in np.clip(draw.exponential(length / 6, 900), 0, length * 0.97):
        late = at / length
        t = clock(draw.uniform(0.01, 0.09) * (0.4 + late))
        hz = draw.uniform(40, 2600 * (1 - late) ** 3 + 160)
        grain = np.sin(2 * np.pi * hz * t + draw.uniform(0, 6)) * np.exp(-5 * t / t[-1]) * draw.uniform(0.2, 1) / (1 + hz / 900)
        out[int(at * RATE):int(at * RATE) + len(t)] += grain * np.exp(-3 * late)
    out = out[:int(length * RATE)]
    rumble = filtered(noise(rng, length), 25, 160, 3)[:len(out)] * np.exp(-clock(length) / 0.4)
    return edges(np.tanh(0.35 * out + 1.2 * rumble / np.abs(rumble).max()), 0.001, 0.25)


def quarry(rng, seconds):
    """A charge under rock: the ground jumps, the rock cracks, stones roll."""
    length = rng.uniform(1.5, 2.4)
    t, n = clock(length), int(length * RATE)
    jump = 1.4 * np.sin(2 * np.pi * turned(34 + 45 * np.exp(-t / 0.08))) * np.exp(-t / 0.25)
    cracks = np.zeros(n)
    for at, loud in [(0, 1), (rng.uniform(0.02, 0.06), 0.7), (rng.uniform(0.07, 0.14), 0.5)]:
        burst = filtered(noise(rng, 0.4), 120, rng.uniform(1800, 4200)) * np.exp(-clock(0.4) / rng.uniform(0.04, 0.09))
        cracks[int(at * RATE):int(at * RATE) + len(burst)] += loud * burst
    swell = np.interp(t, (0, 0.15, 0.5, length), (0.2, 1, 0.5, 0))
    stones = filtered(noise(rng, length), 80, 900)[:n] * swell * (0.4 + np.abs(filtered(noise(rng, length), None, 18, 1)[:n]) * 20)
    return edges(np.tanh(jump + 1.2 * cracks + 0.7 * stones), 0.001, 0.3)


def sampled_explosion(rng, seconds):
    return edges(midi([(0, 2.2, 0, (3, 127), rng.randint(53, 66), 125)], 2.2, GS), 0.001, 0.2)


# -- an engine
def revolutions(rng, slow, fast, seconds):
    """Turns a second: even, or a foot on the pedal."""
    t = clock(seconds)
    press = rng.choice((0, 0, 0.6, 1.1)) * np.clip(np.sin(np.pi * t / seconds * rng.choice((1, 2))), 0, None) ** 1.5
    return rng.uniform(slow, fast) * (1 + press + 0.015 * np.sin(2 * np.pi * 3.1 * t))


def v_twin(rng, seconds):
    """A motorcycle: two cylinders that fire unevenly, into a pipe with an open end."""
    seconds = max(seconds, 1.3)
    turns = turned(revolutions(rng, 8, 14, seconds))
    cycle, draw = turns % 1, noise(rng, seconds)

    def fired(at):
        since = (cycle - at) % 1 / 0.02
        return np.where(since < 12.5, since * np.exp(1 - since), 0)

    blow = fired(0) + 0.9 * fired(0.4375)
    blow = blow * (1 + 0.35 * draw[:len(blow)]) + 0.02 * draw[:len(blow)]
    delay, keep = int(rng.uniform(0.004, 0.008) * RATE), rng.uniform(0.5, 0.7)
    back = np.zeros(delay + 2)
    back[0], back[delay], back[delay + 1] = 1, keep * 0.5, keep * 0.5
    return edges(filtered(np.tanh(1.5 * lfilter([1], back, blow)), 35, 2500), 0.08, 0.12)


def tractor(rng, seconds):
    """One large cylinder at its leisure, valves and all."""
    seconds = max(seconds, 1.6)
    rate, parts, at = rng.uniform(7, 12), [], 0.0
    t, low = clock(0.14), rng.uniform(60, 90)
    while at < seconds - 0.14:
        thump = np.sin(2 * np.pi * low * t) * np.exp(-t / 0.03) + 0.6 * filtered(noise(rng, 0.14), 150, 900) * np.exp(-t / 0.025)
        valve = filtered(noise(rng, 0.14), 1800, 5000) * np.exp(-t / 0.004)
        parts += [(at, thump * rng.uniform(0.8, 1)), (at + 0.4 / rate, 0.12 * valve), (at + 0.55 / rate, 0.08 * valve)]
        at += rng.gauss(1, 0.02) / rate
    return edges(filtered(place(parts, seconds), 40), 0.02, 0.1)


def orders(rng, seconds):
    """A car's six cylinders as a sum of the multiples of half its speed, the third and sixth the loudest, each wavering by itself."""
    seconds = max(seconds, 1.3)
    turns, out = turned(revolutions(rng, 14, 28, seconds)), 0
    for k in range(1, 33):
        loud = {6: 1, 12: 0.8, 3: 0.45, 18: 0.5, 9: 0.3, 24: 0.4}.get(k, 0.16 / (1 + k / 10))
        waver = 1 + 12 * filtered(noise(rng, seconds), None, 9, 1)[:len(turns)]
        out = out + loud * waver * np.sin(np.pi * k * turns + rng.uniform(0, 6))
    draw = filtered(noise(rng, seconds), 200, 2200)[:len(turns)]
    return edges(np.tanh(0.9 * out) + 0.35 * draw * (0.6 + 0.4 * np.sin(6 * np.pi * turns)), 0.08, 0.12)


def sampled_car(rng, seconds):
    seconds = max(seconds, 1.3)
    return edges(midi([(0, seconds, 0, (1, 125), rng.randint(54, 66), 120)], seconds, GS), 0.05, 0.1)
