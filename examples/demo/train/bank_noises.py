"""Sounds that nobody asks for, near to those of the world in spectrum or rhythm: weather, water, machines that are no engines, steps, animals. A model
that hears them learns where its sounds end. `noise(rng)` draws one. Left out is what somebody might well call by a name of the world: thunder, keys
and coins, hammers on iron.
"""
import numpy as np

from bank_bodies import RATE, attack, band, between, chance, estranged, hiss, lay, pick, pulse_train, rung, smooth, span, spectrum, swell, sweeping, through, tone, wander


def length(rng, low=0.8, high=3.0):
    n = int(rng.uniform(low, high) * RATE)
    return n, np.arange(n) / RATE


def gusts(rng):
    """Wind, waves, breath: noise whose colour and loudness drift; it neither bursts nor dies away."""
    n, _ = length(rng)
    colour = between(rng, 120, 1500) * 2 ** (wander(rng, n, rng.uniform(0.5, 3)))
    return sweeping(hiss(rng, n), colour, between(rng, 60, 800)) * (0.25 + np.clip(0.5 + 0.5 * wander(rng, n, 2), 0, 1)) * swell(n, 0.3, 0.3)


def rain(rng):
    """Drops without number, or a few that drip."""
    n, _ = length(rng)
    drops = (rng.random(n) < between(rng, 5, 4000) / RATE) * rng.standard_normal(n)
    return through(drops, rng.uniform(500, 6500, 4), rng.uniform(100, 2500, 4), rng.uniform(0.2, 1, 4)) * swell(n, 0.1, 0.1)


def plops(rng):
    """Bubbles that rise."""
    parts, at = [], 0.0
    while at < rng.uniform(0.8, 2.5):
        n = int(between(rng, 0.03, 0.12) * RATE)
        x = np.arange(n) / n
        parts.append((at, tone(span(between(rng, 300, 900), between(rng, 900, 2500), x)) * np.exp(-4 * x) * x ** 0.3))
        at += between(rng, 0.05, 0.5)
    return lay(parts, at + 0.15)


def fan(rng):
    """Hair dryers, hoods, vacuum cleaners: a roar and one steady tone, without strokes."""
    n, t = length(rng)
    spin = 1 - np.exp(-t / between(rng, 0.05, 0.6))
    return (hiss(rng, n, between(rng, 100, 500), between(rng, 2000, 7500)) + rng.uniform(0, 0.5) * tone(between(rng, 350, 1400) * spin + 1, None, (1, 0.3, 0.2))) * spin * swell(n, 0.05, 0.2)


def mains(rng):
    """A transformer's hum, a buzz in a cable."""
    n, _ = length(rng)
    return tone(pick(rng, 50, 60, 100, 120) * rng.uniform(0.99, 1.01), n, spectrum(rng, 30)) * swell(n, 0.02, 0.02)


def steps(rng):
    """Shoes on gravel, leaves, boards: two soft strokes a step."""
    n, every, low = int(0.2 * RATE), between(rng, 0.3, 0.7), between(rng, 80, 900)
    def foot():
        sole = hiss(rng, n, low, low * rng.uniform(3, 9)) * np.exp(-np.arange(n) / RATE / between(rng, 0.015, 0.06))
        return lay([(0, attack(sole, 0.008)), (between(rng, 0.05, 0.12), 0.7 * attack(sole[::-1].copy() * np.exp(-np.arange(n) / RATE / 0.05), 0.01))], 0.35)
    return lay([(i * every, foot() * rng.uniform(0.6, 1)) for i in range(int(rng.integers(2, 7)))], 6 * every + 0.35)


def rubbing(rng):
    """Saws, brushes, zips, paper: noise in strokes to and fro."""
    n, t = length(rng)
    stroke = np.abs(np.sin(np.pi * t * between(rng, 1.2, 9) + rng.uniform(0, 3))) ** between(rng, 0.5, 3)
    teeth = 1 + rng.uniform(0, 0.9) * np.sign(np.sin(2 * np.pi * between(rng, 40, 300) * t)) * chance(rng, 0.5)
    return sweeping(hiss(rng, n), between(rng, 800, 4500) * (0.7 + 0.6 * stroke), between(rng, 300, 3000)) * stroke * teeth


def creak(rng):
    """Wood or rubber that sticks and slips."""
    n, _ = length(rng, 0.4, 1.5)
    rate = between(rng, 25, 160) * 2 ** (1.2 * wander(rng, n, 3))
    return through(pulse_train(rng, rate, 0.3), rng.uniform(300, 3500, 4), rng.uniform(40, 300, 4), rng.uniform(0.2, 1, 4)) * swell(n, 0.05, 0.1)


def insects(rng):
    """Crickets and cicadas: one pitch, in steady pulses."""
    n, t = length(rng)
    pulse = smooth((t * between(rng, 18, 90) % 1 < 0.5) * 1.0, 0.002) * smooth((t * between(rng, 1, 4) % 1 < rng.uniform(0.4, 1)) * 1.0, 0.01)
    return band(tone(between(rng, 3600, 6800), n) + rng.uniform(0, 0.6) * hiss(rng, n, 3500, 7500), 2500, None) * pulse * swell(n, 0.02, 0.02)


def throat(rng):
    """Cows, sheep, cats, people who moan or laugh: vowels, longer than any bark."""
    n, hz, size = int(between(rng, 0.45, 1.6) * RATE), between(rng, 70, 700), between(rng, 0.6, 1.6)
    x = np.arange(n) / n
    pitch = hz * (1 + rng.uniform(-0.3, 0.4) * np.sin(np.pi * x) + rng.uniform(-0.3, 0.3) * x) * (1 + rng.uniform(0, 0.08) * np.sin(2 * np.pi * rng.uniform(5, 14) * x * n / RATE))
    source = tone(pitch, None, np.arange(1, 24) ** -rng.uniform(0.4, 1.3)) + rng.uniform(0.02, 0.8) * hiss(rng, n)
    ends = rng.uniform(0.6, 1.5)
    voice = sum(level * sweeping(source, f * size * span(1, ends, x), width) for f, width, level in (
        (between(rng, 300, 900), 120, 1), (between(rng, 900, 2200), 200, rng.uniform(0.2, 1)), (between(rng, 2300, 3400), 350, rng.uniform(0, 0.5))))
    return voice * np.sin(np.pi * x ** rng.uniform(0.5, 1.2)) ** rng.uniform(0.4, 1)


def crackle(rng):
    """Fire, static, a needle on a worn record."""
    n, _ = length(rng)
    return through((rng.random(n) < between(rng, 6, 120) / RATE) * rng.exponential(1, n), [between(rng, 900, 6000)], [between(rng, 500, 5000)], [1]) + 0.01 * hiss(rng, n)


def zap(rng):
    """Games: a single fall or rise, too quick for a siren or a bird."""
    n = int(between(rng, 0.08, 0.5) * RATE)
    x = np.arange(n) / n
    return tone(span(between(rng, 1500, 5000), between(rng, 80, 500), x ** between(rng, 0.3, 1)), None, spectrum(rng, 8)) * (1 - x) * swell(n, 0.002, 0.02)


def thump(rng):
    """Something soft falls, a door closes: one dull stroke without a tail."""
    n = int(0.4 * RATE)
    t = np.arange(n) / RATE
    dull = hiss(rng, n, 40, between(rng, 150, 900)) * np.exp(-t / between(rng, 0.01, 0.04))
    return lay([(0, attack(dull, 0.004)), (rng.uniform(0.04, 0.2), rng.uniform(0, 0.5) * hiss(rng, n, 300, 3000) * np.exp(-t / 0.02))], 0.45)


NOISES = [gusts, gusts, rain, plops, fan, mains, steps, rubbing, creak, insects, throat, throat, throat, crackle, zap, thump]


def noise(rng):
    return estranged(rng, NOISES[rng.integers(len(NOISES))](rng))
