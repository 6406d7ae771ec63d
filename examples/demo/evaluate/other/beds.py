"""What may sound below a clip's words and sounds: hiss, a street, music, for each half by its own hands."""
import tempfile

import numpy as np

from tools import RATE, filtered, fit, midi, read, run


def street(rng, seconds):
    """Traffic behind a window: rumble that swells and falls, now and then a hiss of tyres."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(size=int(seconds * RATE))
    t = np.arange(len(noise)) / RATE
    swell = sum(np.exp(-((t - rng.uniform(0, seconds)) / rng.uniform(1, 3)) ** 2) for _ in range(2 + int(seconds / 6)))
    return filtered(noise, 40, 250) * 4 * (0.4 + swell) + filtered(noise[::-1], 500, 3000) * 0.5 * swell ** 2


def quiet_music(rng, seconds):
    program, beat, root = rng.choice((0, 4, 25, 48, 89)), rng.uniform(0.35, 0.7), rng.randint(48, 58)
    events = []
    for i in range(int(seconds / beat)):
        chord = (0, 5, 9, 7)[i // 4 % 4]
        events.append((i * beat, 1.5 * beat, 0, program, root + 12 + chord + (0, 7, 4, 12)[i % 4], 80))
        if i % 4 == 0:
            events.append((i * beat, 4 * beat, 1, 33, root - 12 + chord, 80))
    return midi(events, seconds)


def hiss(rng, seconds):
    colour = rng.choice(("white", "pink", "brown"))
    with tempfile.TemporaryDirectory() as folder:
        run(["sox", "-R", "-n", "-r", RATE, "-c", 1, f"{folder}/n.wav", "synth", f"{seconds:.2f}", f"{colour}noise"])
        return fit(read(f"{folder}/n.wav"), seconds)


def recorder(rng, seconds):
    """Half D's hiss: a microphone's, with the hum of its mains now and then."""
    t = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(rng.getrandbits(32)).normal(size=len(t))
    hum = rng.choice((0, 0, 0.5)) * sum(np.sin(2 * np.pi * 50 * k * t + k) / k for k in (1, 2, 3, 5, 7))
    return filtered(noise, rng.uniform(30, 300), rng.uniform(1500, 12000), 1) + hum


def passing(rng, seconds):
    """Half D's street: one car after another comes, goes by and is gone."""
    t, draw = np.arange(int(seconds * RATE)) / RATE, np.random.default_rng(rng.getrandbits(32))
    out, at = 0.15 * filtered(draw.normal(size=len(t)), 30, 400), rng.uniform(-2, 2)
    while at < seconds:
        near = 1 / (1 + ((t - at) / rng.uniform(0.5, 1.2)) ** 2)
        out += near * (filtered(draw.normal(size=len(t)), 60, 500) + 0.7 * near * filtered(draw.normal(size=len(t)), 600, 2500))
        at += rng.uniform(2.5, 8)
    return out


def next_door(rng, seconds):
    """Half D's music: slow arpeggios behind a wall."""
    beat, root, program = rng.uniform(0.3, 0.6), rng.randint(45, 55), rng.choice((2, 24, 46, 92))
    chords = rng.choice(((0, 3, 8, 10), (0, 5, 3, 7), (0, 7, 5, 5)))
    events = [(i * beat, 2.5 * beat, 0, program, root + chords[i // 6 % 4] + (0, 7, 12, 16, 12, 7)[i % 6], 85) for i in range(int(seconds / beat))]
    return filtered(midi(events, seconds, "FluidR3_GM"), None, rng.uniform(900, 4000))


BEDS = {"hiss": hiss, "street": street, "music": quiet_music}
BEDS_OF = {"A": BEDS, "B": BEDS, "C": BEDS, "D": {"hiss": recorder, "street": passing, "music": next_door}}
