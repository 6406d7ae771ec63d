"""Struck and burst sounds of the world by other models than bank_sounds.py and bank_families.py: drums of skin, wood and current, bells from
bowls to bicycles, knocks, clocks, hands, telephones' bells, blasts. Each `name(rng)` draws how it is built, played and heard.
"""
import numpy as np

from bank_bodies import (MEMBRANE, again, attack, band, behind, between, chance, echoing, ended, estranged, euclid, fitted, hiss, lay, pick, pulse_train,
                         rumble, rung, seconds, smooth, span, through, wander)
from bank_tones import RATE

SKINS = [MEMBRANE, (1, 2, 3, 4, 5, 6), (1, 1.5, 1.98, 2.44, 2.9), (1, 1.6, 2.4, 3.1)]


def skin_strokes(rng, hz):
    """One hand drum -> strokes of it: open, at the rim, muted, with the palm."""
    ratios = np.array(pick(rng, *SKINS)) * rng.uniform(0.97, 1.03)
    n, fade, bend, settle = int(0.7 * RATE), between(rng, 0.05, 0.4), rng.uniform(0, 0.35) * rng.choice([1, 1, 1, -0.5]), rng.uniform(0.01, 0.12)
    shell, leak = between(rng, 70, 220), rng.uniform(0.3, 1.2)
    strokes = []
    for rim, mute, slap in ((0.3, 1, 0.15), (0.9, 0.6, 0.6), (0.5, 0.2, 0.5), (0.05, 0.7, 0.1)):
        k = np.arange(len(ratios))
        levels = np.exp(-k * (1 - rim) * 1.2) * rng.uniform(0.5, 1, len(k))
        glide = 1 + bend * np.exp(-np.arange(n) / RATE / settle)
        body = rung(hz * ratios, levels, fade * mute / ratios ** leak, n, glide) + (1 - rim) * rung(np.array([shell]), np.array([0.6]), np.array([0.06]), n)
        hand = hiss(rng, n, between(rng, 200, 1500), between(rng, 2500, 7000)) * np.exp(-np.arange(n) / RATE / between(rng, 0.002, 0.012))
        strokes.append(body / np.abs(body).max() + slap * rng.uniform(0.3, 1.5) * hand / np.abs(hand).max())
    return strokes


def hand_drums(rng):
    """Congas, bongos, djembes, tablas, frame drums: no kit, a few skins that answer one another."""
    root, step = between(rng, 75, 420), between(rng, 0.085, 0.3)
    skins = [skin_strokes(rng, root * r) for r in np.cumprod([1, *rng.uniform(1.12, 1.9, int(rng.integers(0, 3)))])]
    places, swing = int(pick(rng, 6, 8, 8, 12, 16)), rng.uniform(0, 0.15) * chance(rng, 0.4)
    row = [(int(rng.integers(len(skins))), int(rng.choice([0, 0, 1, 2, 3])), rng.uniform(0.35, 1)) for _ in range(places)]
    played = euclid(rng, int(rng.integers(max(3, places // 2), places + 1)), places)
    count = int(rng.uniform(1.1, 2.8) / step)
    parts = [((i + swing * (i % 2)) * step + abs(rng.normal(0, 0.004)), skins[s][k] * loud * rng.uniform(0.8, 1))
             for i in range(count) for s, k, loud in [row[i % places]] if played[i % places] or i == 0]
    return lay(parts, count * step + 0.3)


def piece(rng):
    """One thing of a kit or beside it."""
    n, form = int(0.6 * RATE), rng.integers(8)
    t = np.arange(n) / RATE
    if form == 0:  # a bass drum, or one of current
        return rung(np.array([between(rng, 38, 95)]), np.ones(1), np.array([between(rng, 0.06, 0.35)]), n, 1 + rng.uniform(0.3, 4) * np.exp(-t / rng.uniform(0.01, 0.06)))
    if form == 1:  # a snare: a skin and its wires
        wires = hiss(rng, n, between(rng, 700, 2500)) * np.exp(-t / between(rng, 0.03, 0.15))
        return rung(between(rng, 150, 330) * np.array(MEMBRANE[:5]), np.ones(5), np.full(5, 0.06), n) / 5 + rng.uniform(0.15, 0.6) * wires
    if form == 2:  # a cymbal or a hat
        hz = np.sort(rng.uniform(700, 7400, 40))
        return 0.1 * rung(hz, rng.uniform(0.2, 1, 40), np.full(40, between(rng, 0.015, 0.35)), n) + 0.2 * hiss(rng, n, 4500) * np.exp(-t / between(rng, 0.01, 0.15))
    if form == 3:  # a shaker
        return 0.4 * attack(hiss(rng, n, between(rng, 2000, 5000)) * np.exp(-t / between(rng, 0.02, 0.06)), rng.uniform(0.005, 0.04))
    if form == 4:  # a block, sticks
        return rung(between(rng, 500, 2400) * np.array([1, 2.3, 3.9]), np.array([1, 0.4, 0.2]), np.array([0.03, 0.015, 0.01]) * rng.uniform(0.6, 2), n)
    if form == 5:  # a kettle drum or a big one far away
        return rung(between(rng, 55, 160) * np.array(SKINS[2]), rng.uniform(0.3, 1, 5), between(rng, 0.15, 0.6) / np.arange(1, 6) ** 0.5, n)
    return pick(rng, *skin_strokes(rng, between(rng, 60, 320)))


def kit(rng):
    """Two to five things, each with a rhythm of its own; now and then a roll that swells."""
    step, places = between(rng, 0.085, 0.24), int(pick(rng, 6, 8, 8, 12, 16))
    count = int(rng.uniform(1.1, 2.8) / step)
    parts = []
    for _ in range(rng.integers(2, 6)):
        one, on, loud = piece(rng), euclid(rng, int(rng.integers(2, places)), places), rng.uniform(0.35, 1)
        parts += [(i * step, one * loud * rng.uniform(0.75, 1)) for i in range(count) if on[i % places]]
    if chance(rng, 0.2):
        one, every = piece(rng), between(rng, 0.03, 0.07)
        parts += [(at, one * (0.2 + at / (count * step))) for at in np.arange(0, count * step, every)]
    first = min(at for at, _ in parts)
    return lay([(at - first, s) for at, s in parts], count * step - first + 0.25)


def drums(rng):
    return estranged(rng, hand_drums(rng) if chance(rng, 0.5) else kit(rng))


METALS = [(0.5, 1, 1.19, 1.5, 2, 2.6, 3.0, 4.1), (1, 2.71, 5.2, 8.3), (1, 2.76, 5.4, 8.93), (1, 2.0, 3.01, 4.17, 5.43), (1, 1.47, 2.09, 2.56, 3.39), (1, 3.98, 9.2),
          (1, 1.03, 2.95, 3.02, 5.8)]


def metal(rng, hz, n, ring, swells=0.0):
    """Struck metal: a hard or a soft clapper, partials alone or in pairs that beat; a share `swells` is rubbed, or struck so softly that it grows."""
    ratios = np.array(pick(rng, *METALS)) if chance(rng, 0.8) else np.cumprod([1, *rng.uniform(1.15, 2.4, int(rng.integers(2, 6)))])
    ratios = ratios * rng.uniform(0.985, 1.015, len(ratios))
    levels = rng.uniform(0.25, 1, len(ratios)) * np.exp(-((ratios - 1) * hz * between(rng, 1e-5, 4e-4)) ** 2)
    fades = ring / ratios ** rng.uniform(0.2, 1.1)
    if chance(rng, 0.5):
        beats = rng.uniform(0.5, 7, len(ratios)) / hz
        ratios, levels, fades = np.concatenate([ratios, ratios + beats]), np.tile(levels, 2) * rng.uniform(0.4, 1, 2 * len(levels)), np.tile(fades, 2)
    out = rung(hz * ratios, levels, fades, n, phases=rng.uniform(0, 6.3, len(ratios)) * chance(rng, 0.5))
    out = out / max(1e-9, np.abs(out).max())
    return attack(out, between(rng, 0.02, 0.5) if chance(rng, swells) else between(rng, 0.0005, 0.004))


def bicycle_bell(rng):
    """A gear throws its hammers against a small bell."""
    hz, rate, length = between(rng, 1500, 4600), between(rng, 12, 45), rng.uniform(0.25, 0.7)
    one, times = metal(rng, hz, int(0.8 * RATE), between(rng, 0.08, 0.35)), np.arange(0, length, 1 / rate)
    once = lay(again(rng, one, times, 0.5), length + 0.5)
    return lay([(i * (length + rng.uniform(0.15, 0.4)), once) for i in range(rng.integers(1, 4))], 3 * (length + 0.5))


def shaken(rng):
    """Many little bells, or one clapper that swings to and fro and comes to rest."""
    duration = rng.uniform(0.7, 2.4)
    root = between(rng, 900, 3600)
    bells = [metal(rng, root * rng.uniform(1, 1.8), int(0.7 * RATE), between(rng, 0.06, 0.4)) for _ in range(rng.integers(1, 6))]
    beat, parts = between(rng, 0.09, 0.35), []
    for i in range(int(duration / beat)):
        for one in bells:
            parts += [(i * beat + abs(rng.normal(0, 0.03)), one * rng.uniform(0.3, 1))]
    return lay(parts, duration + 0.3)


def cowbell(rng):
    """Two tones of a folded sheet, soon damped."""
    n, hz = int(0.5 * RATE), between(rng, 380, 1100)
    one = rung(hz * np.array([1, rng.uniform(1.35, 1.6), 2.3, 3.7]), np.array([1, 0.9, 0.4, 0.3]), between(rng, 0.04, 0.2) * np.ones(4), n)
    times = np.cumsum(rng.uniform(0.15, 0.5, int(rng.integers(1, 6))))
    return lay(again(rng, one, times - times[0], 0.5), times[-1] - times[0] + 0.45)


def tolling(rng):
    """One stroke, or a few, of one bell or of several in turn."""
    hz, ring, n = between(rng, 160, 2400), between(rng, 0.25, 1.8), int(rng.uniform(1.2, 3.2) * RATE)
    bells = [metal(rng, hz * r, n, ring, 0.3) for r in (1, *rng.choice([0.67, 0.75, 0.8, 0.89, 1.12, 1.25, 1.5], int(rng.choice([0, 0, 0, 1, 2]))))]
    count, every = int(pick(rng, 1, 1, 2, 2, 3, 4)), between(rng, 0.3, 1.1)
    return lay([(i * every, bells[i % len(bells)] * rng.uniform(0.7, 1)) for i in range(count)], min(3.4, (count - 1) * every + n / RATE))


def bell(rng):
    sound = pick(rng, tolling, tolling, tolling, tolling, bicycle_bell, shaken, cowbell)(rng)
    return estranged(rng, echoing(rng, sound, level=0.3) if chance(rng, 0.1) else sound)


MATERIALS = {"door": (60, 320, 0.012, 0.05, 2500), "board": (180, 700, 0.01, 0.04, 4000), "glass": (600, 2400, 0.01, 0.06, 7000), "sheet": (150, 900, 0.03, 0.15, 6000),
             "wall": (50, 160, 0.008, 0.03, 1200), "box": (90, 420, 0.02, 0.08, 3000)}


def knock(rng, low, high, short, long, edge):
    """Knuckles on a plate."""
    n, hz, fade = int(0.35 * RATE), between(rng, low, high), between(rng, short, long)
    ratios = np.cumprod([1, *rng.uniform(1.12, 1.9, int(rng.integers(2, 8)))])
    plate = rung(hz * ratios, rng.uniform(0.2, 1, len(ratios)), fade / ratios ** rng.uniform(0.2, 0.9), n)
    bone = hiss(rng, n, 80, edge * rng.uniform(0.5, 1)) * np.exp(-np.arange(n) / RATE / between(rng, 0.0008, 0.006))
    return plate / np.abs(plate).max() + rng.uniform(0.1, 1.2) * bone / np.abs(bone).max()


def knocking(rng):
    strokes = [knock(rng, *MATERIALS[str(rng.choice(list(MATERIALS)))])]
    strokes += [strokes[0] * rng.uniform(0.5, 1) for _ in range(2)]
    beat = between(rng, 0.1, 0.42)
    rhythm = np.array(pick(rng, [1] * 6, [1] * 3, [1, 1, 2], [1, 2, 1, 2], [1, 0.5, 0.5, 1, 2, 1], [1, 1, 3, 1, 1], list(np.linspace(1.5, 0.7, 6))))
    times = np.concatenate([[0], np.cumsum(rhythm[:int(rng.integers(1, len(rhythm) + 1))] * beat)])
    parts = [(at + abs(rng.normal(0, 0.006)), strokes[i % 3]) for i, at in enumerate(times) if at < 2.6]
    sound = lay(parts, parts[-1][0] + 0.3)
    return estranged(rng, echoing(rng, sound, (0.01, 0.06), 0.35) if chance(rng, 0.25) else sound)


def tick(rng, hz):
    """What an escapement's wheel does: one click, or three within a few milliseconds, in a case of wood, tin or nothing."""
    n = int(0.12 * RATE)
    clicks, at = np.zeros(n), 0.0
    for _ in range(rng.integers(1, 4)):
        clicks[int(at * RATE)] += rng.uniform(0.3, 1)
        at += rng.uniform(0.002, 0.014)
    width = between(rng, 80, 1200)
    rings = through(clicks, hz * np.cumprod([1, *rng.uniform(1.2, 2.2, 3)]), [width, width * 1.5, width * 2, width * 3], rng.uniform(0.2, 1, 4))
    case = through(clicks, [between(rng, 150, 900)], [between(rng, 40, 250)], [1])
    return rings / np.abs(rings).max() + rng.uniform(0, 0.6) * case / np.abs(case).max() + 0.3 * clicks


def ticking(rng):
    every, hz = between(rng, 0.1, 1.0), between(rng, 450, 1000) if chance(rng, 0.12) else between(rng, 1000, 5500)
    first, second = tick(rng, hz), tick(rng, hz * rng.uniform(0.65, 1.1)) * rng.uniform(0.4, 1)
    second, lean = (first * rng.uniform(0.7, 1) if chance(rng, 0.4) else second), rng.uniform(-0.15, 0.15) * chance(rng, 0.4)
    count = max(3, int(rng.uniform(1.2, 3) / every))
    parts = [((i + lean * (i % 2)) * every, (first, second)[i % 2] * rng.uniform(0.85, 1)) for i in range(count)]
    return estranged(rng, lay(parts, parts[-1][0] + 0.12))


def hands(rng, n):
    """One clap: two palms shut a hollow."""
    t = np.arange(n) / RATE
    burst = hiss(rng, n) * np.exp(-t / between(rng, 0.001, 0.007))
    hollow = through(burst, [between(rng, 450, 2600), between(rng, 1200, 5000)], [between(rng, 120, 900), between(rng, 300, 2500)], [1, rng.uniform(0.2, 1)])
    return hollow / np.abs(hollow).max() + rng.uniform(0, 0.5) * burst / np.abs(burst).max()


def clapping(rng):
    """From one pair of hands to a hall; free, together, or in a slow beat."""
    duration, people, together = rng.uniform(0.9, 3.0), int(between(rng, 1, 250)), chance(rng, 0.2)
    beat, parts, n = between(rng, 0.13, 0.6), [], int(0.1 * RATE)
    kinds = [hands(rng, n) for _ in range(min(people, 24))]
    for person in range(people):
        own = beat if together else between(rng, 0.16, 0.42)
        late, spread, loud = (abs(rng.normal(0, 0.02)) if together else rng.uniform(0, own)), rng.uniform(0.002, 0.03), between(rng, 0.15, 1)
        for at in np.arange(late if people > 1 else 0, duration - 0.08, own):
            parts.append((max(0, at + rng.normal(0, spread)), kinds[person % len(kinds)] * loud * rng.uniform(0.6, 1)))
    sound = lay(parts, duration)
    if people > 10 and chance(rng, 0.4):
        sound = sound * np.interp(np.linspace(0, 1, len(sound)), [0, 0.3, 0.7, 1], [*rng.uniform(0.2, 1, 2), *rng.uniform(0.2, 1, 2)])
    return estranged(rng, sound)


def clapper(rng):
    """A telephone's own bells: a hammer between two gongs, cut into one or two bursts."""
    rate, duration, hz = between(rng, 11, 34), rng.uniform(0.7, 2.2), between(rng, 550, 2600)
    n = int(0.6 * RATE)
    gongs = [metal(rng, hz * r, n, between(rng, 0.05, 0.3)) for r in (1, rng.choice([1, rng.uniform(1.05, 1.5)]))]
    pause = rng.uniform(0.25, 0.7) if chance(rng, 0.35) else None
    times = [at for at in np.arange(0, duration, 0.5 / rate) if pause is None or not duration / 2 < at < min(duration / 2 + pause, duration - 0.2)]
    return lay([(at, gongs[round(at * 2 * rate) % 2] * rng.uniform(0.8, 1)) for at in times], duration + 0.3)


def boom(rng, n):
    """A blast's parts, each there or not: pressure, a bang, the ground, what rolls after it."""
    t, fade = np.arange(n) / RATE, between(rng, 0.12, 0.8)
    wave = between(rng, 0.003, 0.05)
    pressure = band((1 - t / wave) * np.exp(-t / wave), 15, between(rng, 120, 3000))
    roll = rumble(rng, n, 20, between(rng, 120, 1100)) * np.exp(-t / fade) * (1 + rng.uniform(0, 0.8) * wander(rng, n, rng.uniform(3, 14)))
    ground = rung(np.array([between(rng, 24, 75)]), np.ones(1), np.array([fade]), n, 1 + rng.uniform(0, 1.5) * np.exp(-t / 0.1))
    bang = hiss(rng, n, between(rng, 40, 400), between(rng, 1200, 7500)) * np.exp(-t / between(rng, 0.006, 0.15))
    dust = hiss(rng, n, between(rng, 200, 900), between(rng, 1500, 6000)) * np.exp(-t / between(rng, 0.1, 0.5))
    levels = (rng.uniform(0.2, 1), rng.uniform(0.4, 1), rng.uniform(0, 0.8), rng.uniform(0.2, 1) * chance(rng, 0.55), rng.uniform(0.05, 0.5) * chance(rng, 0.5))
    return sum(level * s / np.abs(s).max() for level, s in zip(levels, (pressure, roll, ground, bang, dust)))


def explosion(rng):
    n = int(rng.uniform(0.8, 3.0) * RATE)
    sound = np.tanh(boom(rng, n) * between(rng, 0.4, 5))
    if chance(rng, 0.3):  # far away: no edge, no heights
        sound = attack(band(sound, None, between(rng, 150, 900)), between(rng, 0.01, 0.2))
    if chance(rng, 0.3):
        sound = echoing(rng, sound, (0.12, 0.6), rng.uniform(0.3, 0.7))
    if chance(rng, 0.2):
        sound = lay([(at, sound * rng.uniform(0.4, 1)) for at in np.cumsum([0, *rng.uniform(0.2, 0.7, int(rng.integers(1, 4)))])], min(3.2, n / RATE + 1))
    if chance(rng, 0.3):
        stones = [(rng.uniform(0.1, 0.9) * n / RATE, hiss(rng, 400, 500, between(rng, 1500, 7000)) * np.hanning(400) * rng.uniform(0.02, 0.2)) for _ in range(rng.integers(4, 40))]
        sound = sound + fitted(lay(stones, len(sound) / RATE), len(sound))
    return estranged(rng, ended(sound, 0.15))
