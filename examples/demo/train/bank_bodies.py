"""What the sounds of bank_struck.py and bank_sustained.py are put together from: bodies that ring, pulses, throats and pipes, rhythms; and
`estranged`, which takes away from a sound what only our instruments have. Mono at RATE, float [N]; rng is numpy's Generator.
"""
import numpy as np
from scipy.signal import fftconvolve, istft, lfilter, stft

from bank_tones import RATE, band, lay, seconds, span, swell, tone

MEMBRANE = (1, 1.59, 2.14, 2.3, 2.65, 2.92, 3.16, 3.5, 3.6)


def between(rng, low, high):
    """Low to high, evenly in ratios."""
    return span(low, high, rng.random())


def chance(rng, share):
    return rng.random() < share


def pick(rng, *values):
    return values[rng.integers(len(values))]


def wander(rng, n, a_second):
    """A smooth random curve of about -1..1 that turns `a_second` times a second."""
    knots = np.clip(rng.standard_normal(max(4, int(n / RATE * a_second) + 4)) / 1.5, -1.3, 1.3)
    at = np.linspace(rng.random(), len(knots) - 2, n)
    i, x = at.astype(int), at % 1
    return knots[i] + (knots[i + 1] - knots[i]) * x * x * (3 - 2 * x)


def smooth(steps, duration):
    width = max(1, int(duration * RATE))
    window = np.hanning(width + 2)
    return np.convolve(np.pad(steps, width, mode="edge"), window / window.sum(), "same")[width:-width] if width > 1 else steps


def fitted(samples, n):
    return samples[:n] if len(samples) >= n else np.pad(samples, (0, n - len(samples)))


def rung(hz, levels, fades, n, glide=None, phases=None):
    """Decaying tones: arrays of hz, levels, and seconds to 1/e; `glide` [N] multiplies all pitches."""
    keep = hz < 7400
    hz, levels, fades = hz[keep, None], levels[keep, None], fades[keep, None]
    t = np.arange(n) / RATE
    turns = t if glide is None else np.cumsum(np.broadcast_to(glide, n)) / RATE
    start = 0 if phases is None else phases[keep, None]
    return (levels * np.sin(2 * np.pi * hz * turns + start) * np.exp(-t / fades)).sum(0) if keep.any() else np.zeros(n)


def through(samples, centres, widths, levels):
    """Parallel resonances; their peaks have the given levels."""
    out = np.zeros(len(samples))
    for hz, width, level in zip(centres, widths, levels):
        r = np.exp(-np.pi * width / RATE)
        out += level * lfilter([1 - r, 0, r - 1], [1, -2 * r * np.cos(2 * np.pi * min(hz, 7500) / RATE), r * r], samples)
    return out


def sweeping(samples, centre, width, blocks=48):
    """One resonance whose centre [N] moves."""
    out, state, edges = np.zeros(len(samples)), np.zeros(2), np.linspace(0, len(samples), blocks + 1).astype(int)
    for a, b in zip(edges, edges[1:]):
        if b > a:
            r = np.exp(-np.pi * width / RATE)
            out[a:b], state = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * min(centre[a], 7500) / RATE), r * r], samples[a:b], zi=state)
    return out


def spectrum(rng, most=20):
    """Levels of harmonics: from one to `most`, steep or flat, odd ones or all, with a hump or without."""
    count = int(between(rng, 1, most + 0.99))
    k = np.arange(1, count + 1)
    levels = k ** -rng.uniform(0, 2) * rng.uniform(0.3, 1, count)
    if chance(rng, 0.25):
        levels[1::2] *= rng.uniform(0, 0.2)
    if chance(rng, 0.4):
        levels *= 0.15 + np.exp(-((k - rng.uniform(1, count + 1)) / rng.uniform(1, 6)) ** 2)
    return levels / levels.max()


def pulse_train(rng, hz, jitter=0.0):
    """Ones where a turn of hz [N] begins."""
    turns = np.cumsum(hz * (1 + jitter * wander(rng, len(hz), 40))) / RATE
    return np.diff(np.floor(turns), prepend=-1.0).clip(0, 1)


def hiss(rng, n, low=0, high=None):
    return band(rng.standard_normal(n), low, high)


def rumble(rng, n, low, high):
    """Brown noise between low and high Hz, its peak 1."""
    found = band(np.cumsum(rng.standard_normal(n)), max(low, 15), high)
    return found / np.abs(found).max()


def euclid(rng, hits, places):
    """Hits spread over places as evenly as they go, turned at random: what most of the world's rhythms are."""
    return np.roll((np.arange(places) * hits) % places < hits, int(rng.integers(places)))


def again(rng, one, times, level=0.3):
    """The same stroke at the given times, never quite as loud."""
    return [(at, one * (1 - level * rng.random())) for at in times]


def attack(samples, rise):
    n = min(len(samples), max(1, int(rise * RATE)))
    return samples * np.concatenate([np.sin(np.linspace(0, np.pi / 2, n)) ** 2, np.ones(len(samples) - n)])


def ended(samples, fall=0.03):
    return samples * swell(len(samples), 0.0005, fall)


def equalised(rng, samples, decibels):
    f = np.fft.rfftfreq(len(samples), 1 / RATE)
    knots = np.linspace(np.log(40), np.log(8000), 9)
    curve = np.interp(np.log(np.maximum(f, 40)), knots, rng.uniform(-decibels, decibels, 9))
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (curve / 20), len(samples))


def reshaped(rng, samples):
    """Its loudness over time made flatter, or steeper, or uneven."""
    level = smooth(np.abs(samples), 0.03) + 1e-4 * np.abs(samples).max()
    level = level / level.max()
    return samples * level ** rng.uniform(-0.35, 0.5) * 10 ** (rng.uniform(0, 0.3) * wander(rng, len(samples), rng.uniform(1, 5)))


def doubled(rng, samples):
    """With a copy or two that are late and a little out of tune."""
    out = samples.copy()
    for _ in range(rng.integers(1, 3)):
        at = np.arange(len(samples)) * (1 + rng.uniform(-0.008, 0.008)) - rng.uniform(0, 0.03) * RATE
        out += rng.uniform(0.3, 0.9) * np.interp(at, np.arange(len(samples)), samples, left=0, right=0)
    return out


def resynthesised(rng, samples):
    """Short spectra whose phases are not kept well and whose finer lines are blurred."""
    size = int(pick(rng, 256, 512, 1024))
    if len(samples) < 2 * size:
        return samples
    _, _, spectra = stft(samples, RATE, nperseg=size)
    level = np.abs(spectra)
    level += rng.uniform(0, 0.3) * (np.roll(level, 1, 0) + np.roll(level, -1, 0))
    phase = np.angle(spectra) + rng.uniform(0.2, 1.2) * rng.standard_normal(spectra.shape)
    return fitted(istft(level * np.exp(1j * phase), RATE, nperseg=size)[1], len(samples))


def echoing(rng, samples, gap=(0.05, 0.35), level=0.5):
    """A few echoes, each duller and softer."""
    out, copy = samples.copy(), samples
    gap = rng.uniform(*gap)
    for i in range(1, int(rng.integers(2, 5))):
        copy = band(copy, None, 5000 * 0.6 ** i) * level
        out = lay([(0, out), (i * gap * rng.uniform(0.9, 1.1), copy)], len(out) / RATE + gap * 0.5)
    return out


def passing(rng, samples):
    """By someone who drives past: pitch and level fall behind, or come."""
    n = len(samples)
    far = (np.arange(n) / RATE - rng.uniform(0, n / RATE)) * rng.uniform(5, 35)
    distance = np.hypot(far, rng.uniform(4, 20))
    return np.interp(np.arange(n) - distance / 343 * RATE + distance[0] / 343 * RATE, np.arange(n), samples, left=0, right=0) / distance


def behind(rng, samples):
    """From the next room, or a small loudspeaker."""
    return band(samples, None, between(rng, 700, 4000)) if chance(rng, 0.5) else band(samples, between(rng, 150, 500), between(rng, 2500, 6000))


ESTRANGED = [(0.6, lambda rng, s: equalised(rng, s, rng.uniform(3, 14))), (0.3, reshaped), (0.2, doubled), (0.12, resynthesised), (0.12, behind),
             (0.15, lambda rng, s: np.tanh(s / np.abs(s).max() * rng.uniform(1, 5))),
             (0.2, lambda rng, s: attack(s, between(rng, 0.003, 0.06)))]


def estranged(rng, samples):
    for share, change in ESTRANGED:
        if chance(rng, share):
            samples = change(rng, samples)
            samples = samples / max(1e-9, np.abs(samples).max())
    return ended(samples, 0.01)
