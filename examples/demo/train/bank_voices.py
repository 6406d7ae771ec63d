"""More voices out of espeak-ng's: other variants, other sizes of the throat, and speech taken apart by linear prediction and put
together again with another voice below it, as other synthesisers sound. Used by bank.py.
"""
import numpy as np
from scipy.signal import lfilter, resample_poly

RATE = 16000
HOP, WIDTH = 128, 400  # samples

# Variants of espeak-ng beside bank.VARIANTS. Left alone for ../evaluate: f4 m6 Annie Andy Alex, Mario belinda, Marco aunty.
VARIANTS = ["Alicia", "Denis", "Diogo", "Gene", "Hugo", "Jacky", "Lee", "Michael", "Mr serious", "Reed", "Tweaky", "anika", "announcer", "benjamin",
            "boris", "caleb", "david", "ed", "edward", "grandma", "grandpa", "gustave", "john", "kaukovalta", "klatt", "klatt2", "klatt4", "klatt6",
            "marcelo", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "travis", "zac",
            "whisper"]


def voices(rng, count, accents):
    """[(voice, words a minute, pitch, size, kind of source or None)]"""
    sources = [None, None, "pulse", "mixed", "buzz", "breath"]
    return [(f"{accents[i % len(accents)]}+{VARIANTS[i % len(VARIANTS)]}", int(rng.uniform(110, 230)), int(rng.uniform(10, 95)),
             rng.uniform(0.84, 1.2), sources[i % len(sources)]) for i in range(count)]


def sized(samples, size):
    """As from a throat of another size: all frequencies times `size`, and so faster or slower."""
    return resample_poly(samples, 100, round(100 * size))


def prediction(frame, order):
    """Coefficients of the linear prediction of a windowed frame, and what is left."""
    r = np.correlate(frame, frame, "full")[len(frame) - 1:len(frame) + order]
    r[0] = r[0] * 1.0001 + 1e-9
    a, error = np.zeros(order + 1), r[0]
    a[0] = 1
    for i in range(1, order + 1):  # Levinson and Durbin
        k = -(a[:i] @ r[i:0:-1]) / error
        a[1:i + 1] = a[1:i + 1] + k * a[i - 1::-1][:i]
        error *= 1 - k * k
    return a, max(error, 0) ** 0.5 / len(frame) ** 0.5


def voicing(frame):
    """How periodic a frame is, 0..1."""
    full = np.correlate(frame, frame, "full")[len(frame) - 1:]
    return float(np.clip(full[40:230].max() / (full[0] + 1e-9) * 1.4, 0, 1))


def source(kind, voiced, pitch, rng):
    """What the throat is excited with, [N]; `voiced` and `pitch` for every sample."""
    turns = np.cumsum(pitch) / RATE
    ticks = np.zeros(len(pitch))
    ticks[np.flatnonzero(np.diff(np.floor(turns)) > 0)] = 1
    noise = rng.standard_normal(len(pitch))
    period = np.sqrt(RATE / pitch)  # of one tick, so that its power is that of the noise
    if kind == "buzz":  # a saw: duller, without rest
        saw = (turns % 1 - 0.5) * 3
        voice = np.append(0, np.diff(saw)) * period * 0.15 + 0.3 * saw
    else:
        voice = lfilter([1, -rng.uniform(0, 0.5)], [1, -rng.uniform(0, 0.4)], ticks) * period
    share = {"pulse": (voiced > 0.55) * 1.0, "mixed": voiced ** 2, "buzz": (voiced > 0.4) * 1.0, "breath": 0.25 * voiced}[kind]
    return np.sqrt(share) * voice + np.sqrt(1 - share) * noise * 0.8


def revoiced(samples, kind, rng):
    """The same words by another source, at another pitch with a melody of its own."""
    samples = np.append(samples, np.zeros(WIDTH))
    window, count = np.hanning(WIDTH), (len(samples) - WIDTH) // HOP
    bright = lfilter([1, -0.95], [1], samples)
    frames = [bright[i * HOP:i * HOP + WIDTH] * window for i in range(count)]
    order, dull = int(rng.choice([12, 15, 18, 22])), rng.uniform(0.93, 1.0) ** np.arange(23)  # few or many resonances, sharp or dull
    fits = [prediction(frame, order) for frame in frames]
    voiced = np.repeat([voicing(frame) for frame in frames], HOP)
    n = len(voiced)
    t = np.linspace(0, 1, n)
    pitch = 75 * 4 ** rng.random() * 2 ** (rng.uniform(-0.5, 0.2) * t + rng.uniform(0, 0.15) * np.sin(2 * np.pi * rng.uniform(0.5, 2.5) * t + rng.uniform(0, 6)))
    excitation, out, state = source(kind, voiced, pitch, rng), np.zeros(n), np.zeros(order)
    for i, (a, gain) in enumerate(fits):
        out[i * HOP:(i + 1) * HOP], state = lfilter([gain], a * dull[:order + 1], excitation[i * HOP:(i + 1) * HOP], zi=state)
    out = lfilter([1], [1, -0.95], out)
    return out if np.isfinite(out).all() and np.abs(out).max() > 1e-4 else samples
