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


def ventilation(rng, seconds):
    """Half E's hiss: air in a duct, that a fan pushes."""
    t, draw = np.arange(int(seconds * RATE)) / RATE, np.random.default_rng(rng.getrandbits(32))
    air = filtered(draw.normal(size=len(t)), 80, rng.uniform(500, 3000), 1) + 0.15 * filtered(draw.normal(size=len(t)), 2000, 9000)
    turn = rng.uniform(18, 30)
    return air * (1 + 0.15 * np.sin(2 * np.pi * turn * t)) + rng.choice((0, 0.15)) * np.sin(2 * np.pi * 7 * turn * t)


def crossroads(rng, seconds):
    """Half E's street: many cars far away, rain on the ground, now and then one that pulls off."""
    t, draw = np.arange(int(seconds * RATE)) / RATE, np.random.default_rng(rng.getrandbits(32))
    far = filtered(draw.normal(size=len(t)), 35, 350) * (1 + 0.3 * np.sin(2 * np.pi * t / rng.uniform(5, 11)))
    rain = rng.choice((0, 0.25)) * filtered(draw.normal(size=len(t)), 1500, 8000)
    for at in np.arange(rng.uniform(0, 6), seconds, rng.uniform(6, 14)):
        shape = np.interp(t, (at, at + 1.2, at + 4), (0, 1, 0))
        far = far + shape * (0.8 * filtered(draw.normal(size=len(t)), 70, 600) + 0.4 * np.sin(2 * np.pi * np.cumsum(45 + 35 * shape) / RATE))
    return far + rain


def cafe(rng, seconds):
    """Half E's music: slow chords and a walking bass from a loudspeaker in a corner."""
    beat, root, keys = rng.uniform(0.4, 0.65), rng.randint(50, 57), rng.choice((0, 11, 26, 5))
    chords, events = rng.choice(((0, 9, 2, 7), (0, 5, 10, 3), (0, -4, 5, 7))), []
    for i in range(int(seconds / beat)):
        base = root + chords[i // 4 % 4]
        events.append((i * beat, 0.9 * beat, 1, 32, base - 24 + (0, 4, 7, 9)[i % 4], 90))
        if i % 2:
            events += [(i * beat, 0.6 * beat, 0, keys, base + k, 70) for k in (4, 7, 11)]
        if rng.random() < 0.5:
            events.append((i * beat, 1.4 * beat, 2, 66, base + 12 + rng.choice((0, 4, 7, 9)), 68))
    return filtered(midi(events, seconds, "MuseScore_General.sf3"), 150, rng.uniform(2000, 6000))


BEDS = {"hiss": hiss, "street": street, "music": quiet_music}
BEDS_OF = {"A": BEDS, "B": BEDS, "C": BEDS, "D": {"hiss": recorder, "street": passing, "music": next_door},
           "E": {"hiss": ventilation, "street": crossroads, "music": cafe}}
