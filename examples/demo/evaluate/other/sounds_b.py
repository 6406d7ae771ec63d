"""Half B's sounds: mostly numpy by physical and modal models, ffmpeg's aevalsrc and other General MIDI instruments. Called as those
of sounds_a.py; no family is in both.
"""
import numpy as np

from tools import (RATE, clock, edges, filtered, fit, lavfi, midi, place, resonate)


def noise(rng, seconds):
    return np.random.default_rng(rng.getrandbits(32)).normal(size=int(seconds * RATE))


def again(one, count, every):
    return place([(i * every, one) for i in range(count)], (count - 1) * every + len(one) / RATE)


def swept(hz):
    """Phase of a frequency that varies."""
    return 2 * np.pi * np.cumsum(hz) / RATE


def pulses(hz, duty=0.15):
    """A pulse wave without its mean, of a frequency given for each sample."""
    return ((swept(hz) / (2 * np.pi)) % 1 < duty) - duty


# -- a beep
def piezo(rng, seconds):
    hz, each = rng.uniform(1900, 3300), rng.uniform(0.08, 0.25)
    return again(edges(resonate(pulses(np.full(int(each * RATE), hz), 0.4), hz, 900), 0.002, 0.004), rng.randint(1, 4), each + rng.uniform(0.08, 0.3))


def monitor(rng, seconds):
    return again(edges(lavfi(f"0.7*sin(2*PI*{rng.uniform(850, 1100):.0f}*t)+0.15*sin(2*PI*2900*t)", 0.12), 0.004, 0.01),
                 rng.randint(2, 4), rng.uniform(0.5, 0.8))


def long_tone(rng, seconds):
    return edges(lavfi(f"0.7*sin(2*PI*{rng.uniform(500, 1400):.0f}*t)", rng.uniform(0.4, 1.0)), 0.003, 0.006)


# -- a siren
def horn_yelp(rng, seconds):
    t, rate, low = clock(seconds), rng.uniform(2, 5), rng.uniform(500, 800)
    hz = low * (1 + 0.9 * (1 - np.abs(2 * ((rate * t) % 1) - 1)) ** 0.7)
    return edges(resonate(pulses(hz, 0.5), 1400, 1600) + 0.4 * pulses(hz, 0.5) * 0.5, 0.02, 0.05)


def slow_wail(rng, seconds):
    t, turn, low = clock(max(seconds, 1.5)), rng.uniform(1.8, 3.5), rng.uniform(350, 550)
    hz = low * 2 ** (1.1 * (0.5 - 0.5 * np.cos(2 * np.pi * t / turn)))
    return edges(np.sin(swept(hz)) + 0.4 * np.sin(2 * swept(hz)) + 0.25 * np.sin(3 * swept(hz)), 0.05, 0.1)


def hi_lo_pulse(rng, seconds):
    t, each, low = clock(seconds), rng.uniform(0.35, 0.8), rng.uniform(420, 600)
    hz = np.where((t / each) % 2 < 1, low, low * rng.choice((1.2, 1.33, 1.5)))
    return edges(filtered(pulses(hz, 0.3), 250, 4000), 0.02, 0.05)


# -- clapping
def palms(rng, seconds):
    parts = []
    for _ in range(rng.randint(3, 12)):
        beat, body, sharp = rng.uniform(0.2, 0.33), rng.uniform(700, 1300), rng.uniform(1800, 3000)
        hit = noise(rng, 0.05) * np.exp(-clock(0.05) / 0.003)
        clap = resonate(hit, body, 350) + 0.7 * resonate(hit, sharp, 900)
        at, gain = rng.uniform(0, 0.3), rng.uniform(0.3, 1)
        while at < seconds - 0.06:
            parts.append((at, clap * gain))
            at += beat + rng.gauss(0, 0.012)
    return place(parts, seconds)


def crowd(rng, seconds):
    return midi([(0, seconds, 0, 126, rng.randint(60, 72), 127)], seconds)


# -- a bell
def church(rng, seconds):
    t, hz = clock(rng.uniform(1.6, 2.6)), rng.uniform(220, 520)
    modes = [(0.5, 1, 1.2), (1, 0.9, 1.0), (1.2, 0.8, 0.8), (1.5, 0.4, 0.6), (2, 1, 0.7), (3, 0.4, 0.35), (4.2, 0.25, 0.2), (5.4, 0.2, 0.12)]
    return edges(sum(a * np.sin(2 * np.pi * hz * r * t) * np.exp(-t / (0.7 * d)) for r, a, d in modes), 0.001, 0.1)


def doorbell(rng, seconds):
    hz, t = rng.uniform(550, 800), clock(1.1)
    ding, dong = (np.exp(-t / 0.4) * (np.sin(2 * np.pi * f * t) + 0.3 * np.sin(2 * np.pi * 3.93 * f * t) * np.exp(-t / 0.08)) for f in (hz, hz * 0.8))
    return edges(place([(0, ding), (0.5, dong)], 1.6), 0.001, 0.1)


def small_bell(rng, seconds):
    hz, t = rng.uniform(1500, 2600), clock(0.9)
    stroke = sum(a * np.sin(2 * np.pi * hz * r * t) * np.exp(-t / d) for r, a, d in ((1, 1, 0.35), (2.1, 0.6, 0.22), (3.3, 0.35, 0.12)))
    return place([(i * 0.3, stroke) for i in range(rng.randint(2, 4))], 1.8)


# -- drums
def membrane(rng, seconds):
    def hit(hz, fade):
        t = clock(0.3)
        bend = 1 + 0.25 * np.exp(-t / 0.02)
        return sum(a * np.sin(swept(hz * r * bend)) * np.exp(-t / (fade / r)) for r, a in ((1, 1), (1.59, 0.6), (2.14, 0.4), (2.3, 0.3), (2.65, 0.25))) \
            + 0.3 * filtered(noise(rng, 0.3), 800, 5000) * np.exp(-t / 0.012)
    low, step = rng.uniform(65, 110), rng.uniform(0.13, 0.22)
    voices = {"o": hit(low, 0.2), "a": hit(low * 1.9, 0.13), "i": hit(low * 3.1, 0.08)}
    pattern = rng.choice(["oiaioaia", "ooaioiaa", "oaiiaoai"])
    count = max(6, int(seconds / step))
    return place([(i * step, voices[pattern[i % 8]] * rng.uniform(0.6, 1)) for i in range(count)], count * step + 0.1)


def machine(rng, seconds):
    t, step = clock(0.25), rng.uniform(0.11, 0.16)
    kick = np.sin(swept(50 + 140 * np.exp(-t / 0.03))) * np.exp(-t / 0.12)
    snare = (0.5 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05) + filtered(noise(rng, 0.25), 1500) * np.exp(-t / 0.06))
    hat = 0.4 * filtered(noise(rng, 0.25), 7000) * np.exp(-t / 0.02)
    pattern = rng.choice(["khshkhsh", "kkshkhsk", "khskhksh"])
    count = max(8, int(seconds / step))
    hits = {"k": kick, "s": snare, "h": hat}
    return place([(i * step, hits[pattern[i % 8]]) for i in range(count)], count * step + 0.1)


def midi_drums(rng, seconds):
    step, pattern = rng.uniform(0.12, 0.18), rng.choice([(35, 40, 35, 40, 47, 45, 43, 40), (35, 46, 40, 46, 35, 35, 40, 46)])
    count = max(8, int(seconds / step))
    return midi([(i * step, 0.1, 9, None, pattern[i % 8], rng.randint(90, 127)) for i in range(count)], count * step + 0.2)


# -- a dog barking
def throat(rng, seconds):
    length, base, size = rng.uniform(0.13, 0.25), rng.uniform(180, 480), rng.uniform(0.8, 1.3)
    t = clock(length) / length
    source = pulses(base * (1 + 0.5 * np.sin(np.pi * t)), 0.12) + 0.12 * noise(rng, length)
    voice = sum(a * resonate(source, f * size, w) for f, w, a in ((650, 120, 1), (1250, 200, 0.7), (2600, 400, 0.35)))
    bark = np.tanh(3 * voice / np.abs(voice).max()) * np.clip(t / 0.1, 0, 1) * (1 - t) ** 0.7
    return again(bark, rng.randint(1, 4), length + rng.uniform(0.15, 0.4))


# -- music
def midi_tune(rng, seconds):
    program, beat, root = rng.choice((40, 56, 21, 105, 65)), rng.uniform(0.22, 0.42), rng.randint(55, 64)
    chords = rng.choice([(0, 5, 7, 0), (0, 9, 5, 7), (0, 7, 9, 5)])
    count, events = max(4, int(seconds / beat)), []
    for i in range(count):
        chord = chords[i // 4 % 4]
        events.append((i * beat, 0.9 * beat, 0, program, root + 12 + chord + rng.choice((0, 4, 7, 12, 2)), 105))
        if i % 4 == 0:
            events += [(i * beat, 3.8 * beat, 1, 32, root - 12 + chord, 90)] + [(i * beat, 3.8 * beat, 2, 19, root + chord + k, 60) for k in (0, 4, 7)]
    return midi(events, count * beat + 0.2)


def bowed(rng, seconds):
    step, root = rng.uniform(0.25, 0.45), rng.uniform(200, 400)
    degrees, at, parts = (0, 2, 4, 5, 7, 9, 12), 3, []
    for i in range(max(4, int(seconds / step))):
        at = max(0, min(6, at + rng.choice((-2, -1, 1, 2))))
        t = clock(step)
        hz = root * 2 ** (degrees[at] / 12) * (1 + 0.005 * np.sin(2 * np.pi * 5.5 * t))
        note = filtered(sum(np.sin(k * swept(hz)) / k for k in range(1, 10)), 150, 3500)
        parts += [(i * step, edges(note, 0.04, 0.05)), (i * step, edges(0.5 * np.sin(swept(hz / 2 if i % 2 else hz * 0.75)), 0.04, 0.05))]
    return place(parts, max(4, int(seconds / step)) * step)


# -- a whistle
def breath(rng, seconds):
    """Air through a sharp resonance: two takes of lips."""
    length, low = rng.uniform(0.5, 1.1), rng.uniform(900, 1500)
    t = clock(length) / length
    curve = rng.choice((t, np.sin(np.pi * t), np.where(t < 0.5, 2 * t, 2 - 2 * t)))
    hz = low * (1 + rng.uniform(0.4, 0.9) * curve)
    body = np.sin(swept(hz) + 0.8 * np.cumsum(noise(rng, length)) / RATE ** 0.5)
    return edges(body + 0.06 * filtered(noise(rng, length), low, low * 2.5), 0.05, 0.06)


def sports(rng, seconds):
    length, hz, rattle = rng.uniform(0.35, 1.0), rng.uniform(2500, 3600), rng.uniform(28, 50)
    t = clock(length)
    chop = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * rattle * t))
    chop = filtered(chop, None, 150)
    return edges(chop * (np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(2 * np.pi * hz * 1.09 * t) + 0.15 * noise(rng, length)), 0.02, 0.03)


# -- knocking
def panel(rng, seconds):
    hit = noise(rng, 0.2) * np.exp(-clock(0.2) / 0.002)
    low = rng.uniform(100, 240)
    thud = sum(a * resonate(hit, low * r, w) for r, w, a in ((1, 25, 1), (2.3, 50, 0.6), (3.9, 90, 0.4), (6.2, 200, 0.2)))
    return again(fit(thud, 0.2), rng.randint(2, 5), rng.uniform(0.18, 0.32))


def knuckle(rng, seconds):
    t, hz = clock(0.1), rng.uniform(250, 520)
    one = np.exp(-t / 0.018) * np.sin(2 * np.pi * hz * t) + 0.5 * np.exp(-t / 0.008) * np.sin(2 * np.pi * 2.7 * hz * t)
    return again(edges(one, 0.0005, 0.01), rng.randint(3, 5), rng.uniform(0.16, 0.26))


# -- a phone ringing
def gongs(rng, seconds):
    hz, t = rng.uniform(1000, 1500), clock(0.35)
    strokes = [sum(a * np.sin(2 * np.pi * f * r * t) * np.exp(-t / d) for r, a, d in ((1, 1, 0.1), (2.7, 0.7, 0.07), (4.6, 0.3, 0.03)))
               for f in (hz, hz * 1.18)]
    rate, length = rng.uniform(20, 28), rng.uniform(1.0, 1.8)
    return place([(i / rate, strokes[i % 2]) for i in range(int(length * rate))], length + 0.2)


def warble(rng, seconds):
    t, a, rate = clock(rng.uniform(0.8, 1.5)), rng.uniform(700, 1300), rng.uniform(10, 18)
    hz = np.where((t * rate) % 1 < 0.5, a, a * 1.2)
    return edges(np.tanh(2 * np.sin(swept(hz))), 0.01, 0.02)


# -- birdsong
def syllables(rng, seconds):
    parts, at = [], 0.0
    while at < seconds - 0.25:
        length, base, depth, wobble = rng.uniform(0.06, 0.18), rng.uniform(2400, 4800), rng.uniform(0.1, 0.4), rng.uniform(15, 60)
        t = clock(length)
        hz = base * (1 + depth * np.sin(2 * np.pi * wobble * t * rng.choice((0.2, 1))))
        note = np.sin(swept(hz)) * np.sin(np.pi * t / length) ** 2
        for _ in range(rng.randint(1, 5)):
            parts.append((at, note * rng.uniform(0.7, 1)))
            at += length + rng.uniform(0.01, 0.06)
        at += rng.uniform(0.05, 0.25)
    return place(parts, seconds)


def trills(rng, seconds):
    rate, hz, t = rng.uniform(9, 18), rng.uniform(3000, 5000), clock(seconds)
    sweep = hz * (1 + 0.2 * (1 - 2 * ((t * rate) % 1)))
    phrase = (np.sin(2 * np.pi * t / rng.uniform(0.7, 1.2)) > -0.5)
    return edges(np.sin(swept(sweep)) * np.sin(np.pi * ((t * rate) % 1)) * filtered(phrase.astype(float), None, 40), 0.02, 0.05)


# -- ticking
def escapement(rng, seconds):
    every, hz = rng.uniform(0.2, 0.5), rng.uniform(2500, 5000)
    t = clock(0.03)
    def click(f):
        return np.exp(-t / 0.002) * np.sin(2 * np.pi * f * t) + 0.5 * np.exp(-t / 0.0008) * np.sin(2 * np.pi * 2.2 * f * t)
    tick, tock = click(hz), click(hz * 0.8)
    count = max(3, int(seconds / every))
    return place([(i * every, (tick, tock)[i % 2]) for i in range(count)] + [(i * every + 0.03, 0.25 * tick) for i in range(count)], count * every)


def wooden_clock(rng, seconds):
    every = rng.uniform(0.45, 0.6)
    hit = noise(rng, 0.06) * np.exp(-clock(0.06) / 0.0007)
    tick = resonate(hit, rng.uniform(1400, 2000), 120) + 0.5 * resonate(hit, rng.uniform(3000, 4500), 300)
    count = max(3, int(seconds / every))
    return place([(i * every, tick * (1, 0.7)[i % 2]) for i in range(count)], count * every)


# -- a car horn
def trumpets(rng, seconds):
    hz, parts, at = rng.uniform(340, 480), [], 0.0
    for length in rng.choice(((1.1,), (0.2, 0.2), (0.3, 0.7))):
        count = int(length * RATE)
        blow = sum(pulses(np.full(count, hz * r), 0.2) for r in (1, 1.26))
        blow = resonate(blow, 1100, 900) + 0.5 * resonate(blow, 2400, 1200)
        parts.append((at, edges(blow, 0.02, 0.03)))
        at += length + 0.12
    return place(parts, at - 0.12)


def lorry(rng, seconds):
    hz, length = rng.uniform(170, 260), rng.uniform(0.6, 1.3)
    blow = lavfi("+".join(f"{1 / k ** 0.7:.3f}*(sin(2*PI*{hz * k:.1f}*t)+sin(2*PI*{hz * k * 1.2:.1f}*t))" for k in range(1, 13)), length)
    return edges(blow, 0.03, 0.05)


# -- an explosion
def charge(rng, seconds):
    length = rng.uniform(1.4, 2.4)
    t, raw = clock(length), noise(rng, length)
    bands = [(60, 200, 0.6), (200, 700, 0.35), (700, 2500, 0.15), (2500, 8000, 0.05)]
    body = sum(filtered(raw, a, b) / np.sqrt(b - a) * np.exp(-t / (d * rng.uniform(0.8, 1.4))) for a, b, d in bands) * 8
    return edges(np.tanh(body * 2) + np.sin(swept(40 + 60 * np.exp(-t / 0.1))) * np.exp(-t / 0.3), 0.001, 0.2)


# -- an engine
def cylinders(rng, seconds):
    t, rate = clock(seconds), rng.uniform(18, 45)
    hz = rate * (1 + rng.choice((0.04, 0.7)) * np.sin(np.pi * t / seconds) ** 2)
    cycle = (swept(hz) / (2 * np.pi)) % 1
    bang = np.exp(-cycle / 0.12) * (0.7 + 0.3 * np.cos(swept(hz / 4)))
    return edges(resonate(bang, 110, 60) + 0.6 * resonate(bang * (1 + 0.6 * noise(rng, seconds)[:len(t)]), 420, 200), 0.08, 0.1)


def idle(rng, seconds):
    f = rng.uniform(25, 40)
    return edges(lavfi("+".join(f"{a}*sin(2*PI*{f * k:.2f}*t+{p:.2f})" for k, a, p in
                                ((0.5, 0.3, 0), (1, 0.6, 1), (1.5, 0.2, 2), (2, 0.5, 0.4), (3, 0.35, 2.2), (4, 0.3, 1.1), (6, 0.2, 0.2), (9, 0.1, 3)))
                       + "+0.25*(random(0)-0.5)*(1+sin(2*PI*" + f"{f:.2f}*t))", seconds), 0.08, 0.1)


FAMILIES = {
    "a beep": [piezo, monitor, long_tone], "a siren": [horn_yelp, slow_wail, hi_lo_pulse], "clapping": [palms, crowd],
    "a bell": [church, doorbell, small_bell], "drums": [membrane, machine, midi_drums], "barking": [throat], "music": [midi_tune, bowed],
    "a whistle": [breath, sports], "knocking": [panel, knuckle], "ringing": [gongs, warble], "birdsong": [syllables, trills],
    "ticking": [escapement, wooden_clock], "a horn": [trumpets, lorry], "an explosion": [charge], "an engine": [cylinders, idle],
}
