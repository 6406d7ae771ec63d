"""What the sounds of bank_sounds.py are put together from: noise, tones, strokes, and their sum. All mono at RATE."""
import numpy as np
from scipy.signal import butter, sosfilt

RATE = 16000


def span(low, high, share):
    """`share` of the way from low to high, as pitches go: in equal ratios."""
    return low * (high / low) ** share


def seconds(duration):
    return np.arange(int(duration * RATE)) / RATE


def band(noise, low, high):
    """Keeps low..high Hz; 0 or None leaves that side open."""
    for edge, side in ((low, "high"), (high, "low")):
        if edge:
            noise = sosfilt(butter(2, min(edge, 0.49 * RATE), side, fs=RATE, output="sos"), noise)
    return noise


def noise(rng, duration, low=0, high=None):
    return band(rng.standard_normal(int(duration * RATE)), low, high)


def swell(count, rise=0.01, fall=0.03):
    """Level of a tone of `count` samples that starts and stops without a click."""
    t = np.arange(count) / RATE
    return np.clip(t / rise, 0, 1) * np.clip((count / RATE - t) / fall, 0, 1)


def tone(hz, count=None, levels=(1.0,)):
    """Harmonics of hz, a number or one for each sample; those above 7 kHz are left out, so nothing folds back."""
    hz = np.broadcast_to(np.asarray(hz, float), (count,) if count else np.shape(hz))
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    return sum(level * np.sin(k * phase) * (k * hz < 7000) for k, level in enumerate(levels, 1))


def ping(hz, duration, decay):
    """A struck tone that dies away by e every `decay` seconds."""
    t = seconds(duration)
    return np.sin(2 * np.pi * hz * t) * np.exp(-t / decay) * np.clip(t / 0.001, 0, 1)


def lay(parts, duration):
    """Adds up [(start in seconds, samples)]; what hangs over the end is faded, not chopped."""
    out = np.zeros(int(duration * RATE))
    for start, samples in parts:
        at = int(start * RATE)
        samples = samples[:max(len(out) - at, 0)]
        out[at:at + len(samples)] += samples
    return out * swell(len(out), 0.001, 0.02)
