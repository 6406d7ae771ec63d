"""Sounds of the world that are blown, sung, driven or switched, by other models than bank_sounds.py and bank_families.py: sirens, horns,
whistles, engines, birds, dogs, beeps, electronic telephones. Each `name(rng)` draws how it is built, played and heard.
"""
import numpy as np

from bank_bodies import (RATE, again, attack, band, between, chance, echoing, ended, estranged, fitted, hiss, lay, passing, pick, pulse_train, rung, seconds,
                         smooth, span, spectrum, sweeping, swell, through, tone, wander)
from bank_struck import clapper


def wave(rng, hz):
    """A tone of hz [N] with a random colour, through a horn or not."""
    sound = tone(hz, None, spectrum(rng))
    if chance(rng, 0.45):
        centre = between(rng, 500, 3000)
        sound = through(sound, [centre, centre * rng.uniform(1.5, 2.8)], [between(rng, 150, 1500), between(rng, 300, 2000)], [1, rng.uniform(0.1, 0.8)]) + 0.1 * sound
    return sound / np.abs(sound).max()


def rise_and_fall(rng, n):
    """A wheel that is driven up, runs, and slows down: all of it or a part, 0..1."""
    t, up, down = np.arange(n) / RATE, between(rng, 0.4, 1.8), between(rng, 0.5, 2.5)
    turn = n / RATE * rng.uniform(0.3, 0.8)
    driven, late = 1 - np.exp(-t / up), 1 - np.exp(-turn / up)
    form = rng.integers(4)
    if form == 0:
        return driven
    if form == 1:
        return np.exp(-t / down)
    if form == 2:
        return np.where(t < turn, driven, late * np.exp(-(t - turn) / down))
    period = between(rng, 0.8, 2.5)
    return 0.5 - 0.5 * np.cos(2 * np.pi * (t / period + rng.random()))


def steps(rng, n):
    """Two tones in turn, each held; hard or gliding edges."""
    each = between(rng, 0.12, 0.95)
    high = (np.arange(n) / RATE / each + 2 * rng.random()).astype(int) % 2
    return smooth(high * 1.0, between(rng, 0.003, 0.08)), each


def siren(rng):
    n, form = int(rng.uniform(1.0, 3.4) * RATE), rng.random()
    t, low, breath = np.arange(n) / RATE, between(rng, 230, 1000), 0
    if form < 0.3:
        share, each = steps(rng, n)
        ratio = rng.uniform(1.1, 1.7)
        if chance(rng, 0.4):  # blown: every tone begins anew
            breath = rng.uniform(0.3, 1) * np.exp(-(t % each) / rng.uniform(0.01, 0.05))
    elif form < 0.6:
        share, ratio, low = rise_and_fall(rng, n), between(rng, 1.6, 5), between(rng, 150, 520)
    elif form < 0.9:  # sweeps, from slow to so fast that they buzz
        phase = (t * between(rng, 0.3, 14) + rng.random()) % 1
        bend = rng.uniform(0.5, 2)
        share = smooth(pick(rng, phase ** bend, (1 - phase) ** bend, 0.5 - 0.5 * np.cos(2 * np.pi * phase), np.abs(2 * phase - 1)), 0.004)
        ratio = between(rng, 1.3, 3.5)
    else:  # from one way to another
        half = (t > t[-1] * rng.uniform(0.3, 0.7)).astype(int)
        rates = np.array([between(rng, 0.4, 3), between(rng, 2, 9)])[half]
        share, ratio = 0.5 - 0.5 * np.cos(2 * np.pi * np.cumsum(rates) / RATE), rng.uniform(1.4, 2.5)
    hz = span(low, low * ratio, share) * (1 + rng.uniform(0, 0.004) * wander(rng, n, 6))
    sound = wave(rng, hz)
    if chance(rng, 0.3):  # a second row of ports, or a second pipe
        sound = sound + rng.uniform(0.4, 1) * wave(rng, hz * pick(rng, 1.2, 1.25, 1.333, 1.5, 0.75, rng.uniform(1.003, 1.02)))
    sound = sound * (1 - breath) * (1 + rng.uniform(0, 0.5) * wander(rng, n, rng.uniform(0.5, 4))) + rng.uniform(0, 0.12) * hiss(rng, n, 300, 3000) * chance(rng, 0.4)
    if chance(rng, 0.25):
        sound = passing(rng, sound)
    if chance(rng, 0.2):
        sound = echoing(rng, sound, (0.08, 0.3), 0.35)
    return estranged(rng, sound * swell(len(sound), between(rng, 0.005, 0.25), between(rng, 0.01, 0.3)))


def lengths(rng):
    """Of notes: one long, short and long, several short ones."""
    return pick(rng, [between(rng, 0.3, 2.4)], [between(rng, 0.08, 0.3)] * int(rng.integers(1, 5)), [between(rng, 0.08, 0.25), between(rng, 0.4, 1.4)],
                [between(rng, 0.2, 0.7)] * 2, [0.15, 0.15, between(rng, 0.4, 0.9)])


def horn(rng):
    """From a bicycle's rubber ball to a ship: one reed or several, with the way in which its pitch comes and goes."""
    hz, count = between(rng, 85, 650), int(pick(rng, 1, 1, 2, 2, 2, 3, 4))
    ratios = np.cumprod([1, *rng.choice([1.12, 1.189, 1.26, 1.26, 1.335], count - 1)])
    rank = np.arange(1, 30)
    levels = rank ** -rng.uniform(0, 1.3) * rng.uniform(0.4, 1, 29)
    centre, width, scoop, droop = between(rng, 400, 2600), between(rng, 250, 2000), rng.uniform(-0.12, 0.06), rng.uniform(0, 0.25) * chance(rng, 0.2)
    start, parts, soft, pause = 0.0, [], between(rng, 0.003, 0.08), rng.uniform(0.04, 0.25)
    for length in lengths(rng):
        n = int(length * RATE)
        t = np.arange(n) / RATE
        bent = 1 + scoop * np.exp(-t / 0.04) - droop * (t / length) ** 3
        note = sum(tone(hz * r * bent * (1 + 0.002 * wander(rng, n, 8)), None, levels) for r in ratios)
        note = through(note, [centre, centre * 2.2], [width, width * 1.5], [1, rng.uniform(0, 0.7)]) + rng.uniform(0, 0.3) * note
        note = note / np.abs(note).max() * (1 + rng.uniform(0, 0.8) * np.exp(-t / 0.05)) + rng.uniform(0, 0.1) * hiss(rng, n, 500, 4000)
        parts.append((start, note * swell(n, soft, between(rng, 0.01, 0.1))))
        start += length + pause
    sound = lay(parts, start - pause + 0.01)
    return estranged(rng, passing(rng, sound) if chance(rng, 0.2) else sound)


def pea_whistle(rng):
    """A ball that runs round at no steady pace, in a whistle of one, two or three chambers."""
    n = int(between(rng, 0.15, 1.8) * RATE)
    rate = between(rng, 12, 70) * (1 + 0.3 * wander(rng, n, 9))
    ball = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(rate) / RATE)
    depth, hz = rng.uniform(0.25, 1) * chance(rng, 0.8), between(rng, 1700, 4300)
    blow = hz * (1 + 0.03 * depth * ball) * (1 - rng.uniform(0, 0.12) * np.exp(-np.arange(n) / RATE / 0.03))
    tones = sum(rng.uniform(0.3, 1) * tone(blow * r, None, (1, rng.uniform(0, 0.3))) for r in (1, *rng.uniform(1.01, 1.3, int(rng.integers(1 if depth == 0 else 0, 3)))))
    air = hiss(rng, n, hz * 0.7, min(7800, hz * 1.5))
    one = (tones + rng.uniform(0.1, 0.6) * air) * (1 - depth * ball) * swell(n, between(rng, 0.004, 0.04), 0.03)
    return lay([(i * (n / RATE + 0.12), one) for i in range(pick(rng, 1, 1, 2, 3))], min(3, 3 * (n / RATE + 0.12)))


def gliding_whistle(rng):
    """Lips, two fingers, a slide whistle, a tin whistle's tune."""
    n, low, form = int(between(rng, 0.35, 2.6) * RATE), between(rng, 500, 1900), rng.integers(4)
    x = np.arange(n) / n
    if form == 0:  # one wide glide, up or down, or there and back
        share = pick(rng, x, 1 - x, np.sin(np.pi * x), 1 - np.sin(np.pi * x)) ** between(rng, 0.4, 2.5)
    elif form == 1:  # a tune
        notes = rng.choice([0, 2, 4, 5, 7, 9, 12], int(rng.integers(3, 9))) / 12
        share = smooth(notes[np.minimum((x * len(notes)).astype(int), len(notes) - 1)], between(rng, 0.008, 0.05))
    elif form == 2:  # up; silence; up and down
        share = np.where(x < 0.4, (x / 0.4) ** 1.5, np.sin(np.pi * np.clip((x - 0.45) / 0.55, 0, 1)))
    else:
        share = 0.5 + 0.5 * wander(rng, n, between(rng, 1, 6))
    hz = span(low, min(4500, low * between(rng, 1.25, 3)), share) * (1 + rng.uniform(0, 0.02) * np.sin(2 * np.pi * rng.uniform(4, 8) * np.arange(n) / RATE))
    gate = smooth(1.0 - ((x > 0.4) & (x < 0.47)), 0.02) if form == 2 else 1
    sung = tone(hz, None, (1, rng.uniform(0, 0.25), rng.uniform(0, 0.12)))
    breath = sweeping(hiss(rng, n), hz, between(rng, 40, 500))
    return (sung + rng.uniform(0, 0.4) * breath / np.abs(breath).max()) * swell(n, between(rng, 0.01, 0.12), between(rng, 0.02, 0.15)) * gate


def steam_whistle(rng):
    """Some pipes at once in a jet of steam; or a kettle that comes to the boil."""
    n, hz = int(rng.uniform(0.5, 2.8) * RATE), between(rng, 500, 2400)
    rise = 1 - rng.uniform(0, 0.3) * np.exp(-np.arange(n) / RATE / between(rng, 0.03, 0.8))
    tones = sum(rng.uniform(0.3, 1) * tone(hz * r * rise * (1 + 0.003 * wander(rng, n, 12)), None, (1, rng.uniform(0, 0.2), rng.uniform(0, 0.15)))
                for r in np.cumprod([1, *rng.uniform(1.12, 1.4, int(rng.integers(0, 4)))]))
    return (tones + rng.uniform(0.05, 0.5) * hiss(rng, n, hz * 0.6, min(7800, hz * 4))) * swell(n, between(rng, 0.01, 0.25), between(rng, 0.03, 0.2))


def whistle(rng):
    return estranged(rng, pick(rng, pea_whistle, pea_whistle, gliding_whistle, gliding_whistle, gliding_whistle, steam_whistle)(rng))


def revs(rng, n):
    """How fast it turns: at rest, pressed down and let go, through the gears, slowing."""
    x, form = np.arange(n) / n, rng.integers(6)
    if form < 2:
        return 1 + rng.uniform(0, 0.08) * wander(rng, n, rng.uniform(1, 6))
    if form == 2:
        return span(1, between(rng, 1.4, 4), np.clip(wander(rng, n, between(rng, 0.7, 2.5)), 0, 1))
    if form == 3:
        return span(1, between(rng, 1.3, 4), pick(rng, x, 1 - x))
    if form == 4:
        gears = rng.uniform(1.5, 3.5)
        return smooth(span(1, between(rng, 1.4, 2.3), (x * gears + rng.random()) % 1), 0.1)
    return span(1, between(rng, 1.5, 3.5), np.exp(-x * n / RATE / between(rng, 0.1, 0.6)) * (1 - np.exp(-x * n / RATE / 0.05)))


def engine(rng):
    """Cylinders that fire unevenly into a pipe; clatter, intake and the road over it."""
    n = int(rng.uniform(1.0, 3.2) * RATE)
    hz = between(rng, 11, 130) * revs(rng, n) * (1 + rng.uniform(0, 0.06) * wander(rng, n, 25))
    cylinders = int(pick(rng, 1, 2, 2, 3, 4, 4, 6, 8))
    fired = pulse_train(rng, hz)
    at = np.flatnonzero(fired)
    strength, uneven = rng.uniform(0.35, 1, cylinders), rng.uniform(-0.2, 0.2, cylinders) * chance(rng, 0.4)
    late = np.minimum(n - 1, at + (uneven[np.arange(len(at)) % cylinders] * RATE / hz[at]).astype(int)).clip(0)
    blows = np.zeros(n)
    np.add.at(blows, late, strength[np.arange(len(at)) % cylinders] * (1 + rng.uniform(0, 0.35) * rng.standard_normal(len(at))))
    puff = smooth(np.ones(max(2, int(between(rng, 0.0004, 0.006) * RATE))), 0.001)
    pipe = through(np.convolve(blows, puff)[:n], [between(rng, *f) for f in ((50, 160), (130, 450), (350, 1300), (900, 3500))],
                   [between(rng, 25, 250), between(rng, 40, 400), between(rng, 100, 800), between(rng, 300, 2000)], [1, *rng.uniform(0.1, 1, 3)])
    gust = np.convolve(blows, np.hanning(max(4, int(between(rng, 0.003, 0.03) * RATE))))[:n]
    clatter = hiss(rng, n, between(rng, 600, 2500), 7000) * gust / max(1e-9, gust.max())
    wind = hiss(rng, n, 60, between(rng, 300, 3000))
    sound = pipe / np.abs(pipe).max() + rng.uniform(0, 0.25) * clatter / np.abs(clatter).max() * chance(rng, 0.6) + rng.uniform(0, 0.12) * wind / np.abs(wind).max()
    if chance(rng, 0.35):
        sound = np.tanh(sound * between(rng, 1, 6))
    if chance(rng, 0.15):
        sound = passing(rng, sound)
    return estranged(rng, sound * swell(len(sound), between(rng, 0.01, 0.2), between(rng, 0.02, 0.2)))


def syllable(rng, low, high):
    """One note of a bird: a glide, an arch, a warble, a buzz or a clear tone."""
    form = rng.integers(5)
    n = int(between(rng, 0.025, 0.35 if form != 1 else 1.2) * RATE)
    x = np.arange(n) / n
    a, b = span(low, high, rng.random()), span(low, high, rng.random())
    hz = pick(rng, span(a, b, x ** between(rng, 0.4, 2.5)), span(a, b, np.sin(np.pi * x)), np.full(n, a))
    if form == 1:
        hz = hz * (1 + rng.uniform(0.02, 0.18) * np.sin(2 * np.pi * between(rng, 10, 120) * np.arange(n) / RATE))
    level = np.sin(np.pi * x ** between(rng, 0.5, 1.6)) ** rng.uniform(0.3, 1.5)
    if form == 2:
        level = level * (0.5 + 0.5 * np.sin(2 * np.pi * between(rng, 30, 180) * np.arange(n) / RATE))
    return tone(np.clip(hz, 300, 7300), None, (1, rng.uniform(0, 0.35), rng.uniform(0, 0.15))) * level


def song(rng, duration):
    """One bird's: motifs of a few syllables, said again or followed by others."""
    low = between(rng, 1500, 4500)
    high, loud = min(7300, low * between(rng, 1.1, 2.6)), rng.uniform(0.4, 1)
    own = [syllable(rng, low, high) for _ in range(rng.integers(1, 7))]
    parts, at = [], 0.0
    while at < duration - 0.1:
        motif, gap = rng.integers(len(own), size=rng.integers(1, 5)), between(rng, 0.006, 0.14)
        for _ in range(rng.integers(1, pick(rng, 3, 8, 24))):
            for which in motif:
                if at < duration - len(own[which]) / RATE:
                    parts.append((at, own[which] * loud * rng.uniform(0.6, 1)))
                at += len(own[which]) / RATE + gap
        at += between(rng, 0.04, 0.5)
    return parts or [(0.0, own[0])]


def birdsong(rng):
    duration = rng.uniform(0.6, 3.0)
    parts = song(rng, duration)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        parts += [(at, s * rng.uniform(0.2, 0.7)) for at, s in song(rng, duration)]
    return estranged(rng, lay(parts, duration))


def bark(rng, hz, size, n):
    """A throat that is pressed open and shut: pulses that stumble, breath, and formants that rise and fall with the mouth."""
    x = np.arange(n) / n
    mouth = np.sin(np.pi * x ** between(rng, 0.4, 1)) ** rng.uniform(0.5, 1.5)
    pitch = hz * (rng.uniform(0.6, 1) + rng.uniform(0.1, 0.7) * mouth) * span(1, rng.uniform(0.4, 1), x) * (1 + rng.uniform(0, 0.12) * wander(rng, n, 60))
    source = pulse_train(rng, pitch, rng.uniform(0, 0.2)) * (RATE / pitch) ** 0.5
    source[np.flatnonzero(source)[1::2]] *= rng.uniform(0.2, 1)  # half the pitch sounds along
    source = np.convolve(source, np.hanning(max(3, int(RATE / hz * rng.uniform(0.1, 0.6)))), "same") + between(rng, 0.02, 0.8) * rng.standard_normal(n)
    voice = sum(level * sweeping(source, f * size * (1 + rng.uniform(0, 0.5) * mouth), width) for f, width, level in (
        (between(rng, 350, 800), between(rng, 60, 200), 1), (between(rng, 900, 1700), between(rng, 80, 300), rng.uniform(0.2, 1)),
        (between(rng, 2000, 3200), between(rng, 150, 500), rng.uniform(0.05, 0.6))))
    voice = np.tanh(voice / np.abs(voice).max() * between(rng, 0.5, 5))
    return voice * np.clip(x / rng.uniform(0.02, 0.2), 0, 1) * (1 - x) ** rng.uniform(0.3, 1.6)


def barking(rng):
    """Large dogs to small ones: single, in pairs, in a row; sometimes two dogs."""
    parts, at = [], 0.0
    dogs = []
    for _ in range(pick(rng, 1, 1, 1, 2)):
        size = between(rng, 0.6, 1.2) if chance(rng, 0.55) else between(rng, 1.2, 2.3)
        dogs.append((between(rng, 0.7, 1.5) * 330 * size ** 1.3, size, between(rng, 0.06, 0.32) / size ** 0.5))
    gap, count = between(rng, 0.06, 0.6), int(rng.integers(1, 7))
    ones = [bark(rng, hz, size, int(length * RATE)) for hz, size, length in dogs for _ in range(2)]
    for _ in range(count):
        one = ones[rng.integers(len(ones))]
        parts.append((at, one * rng.uniform(0.6, 1)))
        at += len(one) / RATE + gap * rng.uniform(0.7, 1.4)
        if at > 2.6:
            break
    return estranged(rng, lay(parts, parts[-1][0] + 0.4))


def beep(rng):
    """Ovens, watches, lorries, monitors, alarms: a tone or a short chord of any wave, on and off."""
    count = int(pick(rng, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 8))
    each = min(between(rng, 0.06, 1.6), 2.4 / count)
    n, hz = int(each * RATE), between(rng, 280, 4000 if count < 4 else 3000)
    t, ratios = np.arange(n) / RATE, (1, *rng.uniform(1.05, 2.2, int(rng.choice([0, 0, 0, 1]))))
    sound = sum(rng.uniform(0.5, 1) * tone(hz * r, n, spectrum(rng, 16)) for r in ratios)
    if chance(rng, 0.15):
        sound = np.sin(2 * np.pi * hz * t + between(rng, 0.3, 4) * np.sin(2 * np.pi * hz * pick(rng, 1, 2, 3, 0.5) * t))
    sound = sound * swell(n, between(rng, 0.0008, 0.03), between(rng, 0.001, 0.05)) * np.exp(-t / each * rng.uniform(0, 2) * chance(rng, 0.3))
    gap = between(rng, 0.02, 0.7) if count < 4 else between(rng, 0.02, 0.15)
    times = [i * (each + gap) for i in range(count)]
    return estranged(rng, lay([(at, sound) for at in times if at < 2.8], min(3.2, times[-1] + each + 0.01)))


def trill(rng):
    """Notes in quick turn, as electronic telephones have it; one burst or some."""
    n, bursts = int(rng.uniform(0.6, 2.6) * RATE), int(pick(rng, 1, 1, 2, 2, 3))
    t, notes = np.arange(n) / RATE, between(rng, 420, 2100) * np.array([1, rng.uniform(1.08, 1.7), rng.uniform(0.7, 1.4)])[:pick(rng, 2, 2, 3)]
    hz = smooth(notes[(t * between(rng, 9, 60)).astype(int) % len(notes)], 0.001)
    gate = smooth(((t / t[-1] * bursts) % 1 < rng.uniform(0.5, 0.95)) * 1.0, 0.006) if bursts > 1 else 1
    return tone(hz, None, spectrum(rng, 12)) * gate * swell(n, 0.004, 0.01)


def purr(rng):
    """Bells struck so fast, and so far away, that only their partials' throb is left."""
    n, hz, rate = int(rng.uniform(0.7, 2.4) * RATE), between(rng, 600, 2400), between(rng, 12, 40)
    t = np.arange(n) / RATE
    ratios = np.concatenate([[1, rng.uniform(1.05, 1.5)], rng.uniform(2, 6, int(rng.integers(0, 4)))])
    parts = sum(rng.uniform(0.2, 1) * tone(hz * r, n) * (1 - rng.uniform(0.6, 1) * (0.5 + 0.5 * np.sin(2 * np.pi * rate * t + rng.uniform(0, 6)))) for r in ratios if hz * r < 7300)
    return parts * swell(n, 0.005, between(rng, 0.02, 0.3))


def ringback(rng):
    """Two tones that beat, cut as exchanges do; or a tone that flutters."""
    n, hz = int(rng.uniform(0.7, 2.4) * RATE), between(rng, 340, 1300)
    t, flutter = np.arange(n) / RATE, between(rng, 14, 45)
    sound = tone(hz, n, spectrum(rng, 6)) + tone(hz + flutter, n) if chance(rng, 0.5) else tone(hz, n, spectrum(rng, 10)) * smooth((t * flutter % 1 < 0.5) * 1.0, 0.003)
    gate = smooth((t % rng.uniform(0.5, 1.1) < rng.uniform(0.3, 0.5)) * 1.0, 0.008) if chance(rng, 0.5) else 1
    return sound * gate * swell(n, 0.005, 0.02)


def ringtone(rng):
    """A motif of quick, high notes, again and again: bars, plucks, squares."""
    step, root, scale = between(rng, 0.055, 0.16), between(rng, 480, 1500), np.array([0, 2, 4, 7, 9, 12, 14, 16])
    motif = rng.choice(scale, int(rng.integers(3, 9)))
    rests, n = rng.random(len(motif)) < 0.15, int(0.35 * RATE)
    colour, fade, held = spectrum(rng, 10), between(rng, 0.03, 0.2), chance(rng, 0.4)
    parts = []
    for i in range(int(rng.uniform(0.8, 2.6) / step)):
        hz = root * 2 ** (motif[i % len(motif)] / 12)
        if not rests[i % len(motif)] or i == 0:
            note = tone(hz, int(step * RATE), colour) * swell(int(step * RATE), 0.002, 0.01) if held else rung(
                hz * np.array([1, 3.95, 9.3]), np.array([1, 0.4, 0.15]), fade * np.array([1, 0.4, 0.2]), n)
            parts.append((i * step, note))
    return lay(parts, parts[-1][0] + (step if held else 0.3))


def ringing(rng):
    return estranged(rng, pick(rng, clapper, clapper, clapper, purr, trill, trill, ringback, ringtone, ringtone)(rng))
