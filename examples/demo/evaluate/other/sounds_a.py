"""Half A's sounds: mostly sox, GStreamer's audiotestsrc and a General MIDI synthesiser, several families of each.

A family is called with (rng, seconds): a random.Random, and how long a sound that can last should last. It returns one take.
"""
import numpy as np

from tools import (RATE, clock, edges, filtered, fit, gst_tone, lavfi, midi, place, sox)


def pips(one, count, every):
    return place([(i * every, one) for i in range(count)], (count - 1) * every + len(one) / RATE)


# -- a beep
def microwave_beep(rng, seconds):
    return pips(edges(gst_tone("sine", rng.uniform(900, 2200), 0.35)), rng.randint(1, 4), rng.uniform(0.6, 0.75))


def square_beep(rng, seconds):
    one = edges(gst_tone("square", rng.uniform(600, 1700), rng.uniform(0.1, 0.2), 0.4))
    return pips(filtered(one, 200, 8000), rng.randint(1, 5), rng.uniform(0.22, 0.35))


def triangle_beep(rng, seconds):
    return edges(gst_tone("triangle", rng.uniform(700, 2600), rng.uniform(0.3, 0.9)))


# -- a siren
def wail(rng, seconds):
    low, high, half = rng.uniform(450, 700), rng.uniform(1100, 1500), rng.uniform(0.6, 1.6)
    turns = max(1, round(seconds / (2 * half)))
    up = sox("synth", half, "sawtooth", f"{low:.0f}/{high:.0f}", "lowpass", 3500)
    down = sox("synth", half, "sawtooth", f"{high:.0f}/{low:.0f}", "lowpass", 3500)
    return np.concatenate([up, down] * turns)


def hi_lo(rng, seconds):
    low, each = rng.uniform(390, 520), rng.uniform(0.4, 0.7)
    one = [edges(gst_tone("square", hz, each, 0.4)) for hz in (low * 1.33, low)]
    return filtered(np.concatenate(one * max(1, round(seconds / (2 * each)))), 150, 3000)


def sine_yelp(rng, seconds):
    rate, middle = rng.uniform(2.5, 4.5), rng.uniform(800, 1100)
    return edges(lavfi(f"0.6*sin(2*PI*{middle:.0f}*t-{middle * 0.38 / rate:.1f}*cos(2*PI*{rate:.2f}*t))", seconds), 0.02, 0.05)


# -- clapping
def few_hands(rng, seconds):
    noise, parts = sox("synth", 0.05, "whitenoise"), []
    for _ in range(rng.randint(2, 7)):
        beat, centre = rng.uniform(0.19, 0.3), rng.uniform(900, 1800)
        clap = filtered(noise, centre * 0.7, centre * 1.5, 1) * np.exp(-clock(0.05)[:len(noise)] / rng.uniform(0.006, 0.014))
        at = rng.uniform(0, beat)
        while at < seconds - 0.06:
            parts.append((at, clap * rng.uniform(0.6, 1)))
            at += beat * rng.gauss(1, 0.05)
    return place(parts, seconds)


def hall(rng, seconds):
    """An audience."""
    noise = sox("synth", 0.04, "whitenoise", "highpass", 500, "lowpass", 4500)
    parts = []
    for _ in range(int(seconds * rng.uniform(90, 220))):
        fade = np.exp(-np.arange(len(noise)) / RATE / rng.uniform(0.004, 0.01))
        parts.append((rng.uniform(0, seconds - 0.05), noise * fade * rng.uniform(0.1, 1)))
    return place(parts, seconds)


# -- a bell
def fm_bell(rng, seconds):
    t, hz, fade = clock(rng.uniform(1.3, 2.4)), rng.uniform(300, 900), rng.uniform(0.4, 0.8)
    index = rng.uniform(3, 7) * np.exp(-t / fade)
    return edges(np.exp(-t / fade) * np.sin(2 * np.pi * hz * t + index * np.sin(2 * np.pi * hz * 1.4 * t)), 0.001, 0.05)


def tubular(rng, seconds):
    note = rng.randint(60, 79)
    return midi([(0, 1.6, 0, 14, note, 120)], 2.0)


def hand_bell(rng, seconds):
    hz = rng.uniform(700, 1700)
    parts = [sox("synth", 1.6, "sine", f"{hz * ratio:.1f}", "fade", "l", 0, 1.6, 1.55, "vol", gain)
             for ratio, gain in ((1, 0.5), (2.76, 0.25), (5.4, 0.12)) if hz * ratio < 12000]
    stroke = sum(fit(part, 1.6) for part in parts)
    return place([(i * 0.45, stroke) for i in range(rng.randint(1, 3))], 1.6 + 0.45)


# -- drums
def kit(rng, seconds):
    step = rng.uniform(0.11, 0.17)
    pattern = rng.choice(["k.h.s.h.k.k.s.hh", "k.s.k.s.k.sskks.", "khshkhshkhshkhss"])
    notes = {"k": 36, "s": 38, "h": 42}
    count = max(8, int(seconds / step))
    return midi([(i * step, 0.1, 9, None, notes[pattern[i % 16]], rng.randint(95, 127))
                 for i in range(count) if pattern[i % 16] != "."], count * step + 0.2)


def toms(rng, seconds):
    step, roll = rng.uniform(0.12, 0.2), rng.choice([(41, 45, 48), (43, 47, 50), (38, 45, 41)])
    count = max(6, int(seconds / step))
    return midi([(i * step, 0.1, 9, None, roll[i // 2 % 3], rng.randint(90, 127)) for i in range(count)], count * step + 0.2)


# -- a dog barking
def woof(rng, seconds):
    high, low, length = rng.uniform(380, 620), rng.uniform(200, 330), rng.uniform(0.14, 0.24)
    one = sox("synth", length, "sawtooth", f"{high:.0f}/{low:.0f}", "synth", length, "pinknoise", "mix", "overdrive", 20,
              "bandpass", rng.uniform(600, 1000), "1.5q", "fade", "h", 0.015, length, length * 0.6)
    tonal = sox("synth", length, "sawtooth", f"{high:.0f}/{low:.0f}", "overdrive", 15, "bandpass", rng.uniform(600, 1000), "1q",
                "fade", "h", 0.015, length, length * 0.6)
    bark = fit(one, length) + fit(tonal, length)
    return pips(bark, rng.randint(1, 4), length + rng.uniform(0.15, 0.35))


def yap(rng, seconds):
    length, hz = rng.uniform(0.1, 0.16), rng.uniform(600, 850)
    t = clock(length)
    rough = lavfi(f"tanh(4*sin(2*PI*({hz:.0f}*t-{hz * 1.2:.0f}*t*t))*(0.7+0.5*random(0)))", length)
    one = filtered(rough[:len(t)], 500, 3500) * np.sin(np.pi * t / length)[:len(rough)] ** 0.5
    return pips(one, rng.randint(2, 5), length + rng.uniform(0.12, 0.25))


# -- music
def tune(programs):
    def family(rng, seconds):
        program, step = rng.choice(programs), rng.uniform(0.2, 0.4)
        scale, place_in = rng.choice([(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)]), rng.randint(0, 6)
        events, root = [], rng.randint(57, 65)
        for i in range(max(4, int(seconds / step))):
            place_in += rng.choice((-2, -1, -1, 1, 1, 2, 3))
            note = root + scale[place_in % 7] + 12 * max(-1, min(1, place_in // 7))
            events.append((i * step, step * 0.95, 0, program, note, rng.randint(85, 115)))
            if i % 4 == 0:
                events += [(i * step, step * 3.8, 1, 48 if program > 40 else 0, root - 12 + k, 70) for k in (0, 4 if scale[2] == 4 else 3, 7)]
        return midi(events, max(4, int(seconds / step)) * step + 0.2)
    family.__name__ = f"tune_{programs[0]}"
    return family


# -- a whistle
def referee(rng, seconds):
    hz, length, pea = rng.uniform(2300, 3200), rng.uniform(0.3, 0.9), rng.uniform(25, 45)
    tone = sox("synth", length, "sine", f"{hz:.0f}", "synth", length, "sine", "mix", f"{hz * 1.04:.0f}", "tremolo", f"{pea:.0f}", 60)
    air = sox("synth", length, "whitenoise", "bandpass", f"{hz:.0f}", "600h", "vol", 0.8)
    return edges(fit(tone, length) + fit(air, length), 0.01, 0.04)


def lips(rng, seconds):
    a, b, first, second = rng.uniform(800, 1200), rng.uniform(1500, 2200), rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.5)
    up = sox("synth", first, "sine", f"{a:.0f}/{b:.0f}", "fade", "h", 0.05, first, 0.04)
    down = sox("synth", second, "sine", f"{b:.0f}/{a * 0.95:.0f}", "fade", "h", 0.05, second, 0.06)
    return np.concatenate([up, np.zeros(int(rng.choice((0, 0.05)) * RATE)), down])


# -- knocking
def woodblock(rng, seconds):
    every = rng.uniform(0.17, 0.28)
    return midi([(i * every, 0.1, 9, None, rng.choice((77, 77)), rng.randint(100, 127)) for i in range(rng.randint(2, 5))], 1.6)


def door(rng, seconds):
    hz = rng.uniform(120, 320)
    body = sox("synth", 0.14, "brownnoise", "bandpass", f"{hz:.0f}", "1q", "fade", "l", 0, 0.14, 0.135)
    tap = sox("synth", 0.03, "pinknoise", "bandpass", f"{hz * 4:.0f}", "1q", "fade", "l", 0, 0.03, 0.028, "vol", 0.35)
    return pips(fit(body, 0.14) + fit(tap, 0.14), rng.randint(2, 5), rng.uniform(0.17, 0.3))


# -- a phone ringing
def old_phone(rng, seconds):
    length, hz, rate = rng.uniform(1.0, 2.0), rng.uniform(950, 1500), rng.uniform(18, 26)
    parts = [sox("synth", f"{length:.2f}", "sine", f"{hz * ratio:.0f}", "tremolo", f"{rate:.1f}", 95, "vol", gain)
             for ratio, gain in ((1, 0.4), (1.23, 0.4), (2.9, 0.2), (4.3, 0.1))]
    return edges(sum(fit(part, length) for part in parts), 0.003, 0.15)


def trill(rng, seconds):
    a, rate, length = rng.uniform(900, 1500), rng.uniform(9, 14), rng.uniform(0.9, 1.6)
    return edges(lavfi(f"0.5*sin(2*PI*if(lt(mod(t*{rate:.2f},1),0.5),{a:.0f},{a * 1.26:.0f})*t)", length), 0.01, 0.03)


# -- birdsong
def tweets(rng, seconds):
    low, high = rng.uniform(2500, 3500), rng.uniform(4000, 5500)
    parts, at = [], 0.0
    while at < seconds - 0.2:
        length = rng.uniform(0.05, 0.14)
        ends = (f"{low:.0f}/{high:.0f}", f"{high:.0f}/{low:.0f}")[rng.random() < 0.5]
        chirp = sox("synth", f"{length:.3f}", "sine", ends, "fade", "h", f"{length / 3:.3f}", f"{length:.3f}", f"{length / 3:.3f}")
        for _ in range(rng.randint(1, 4)):
            parts.append((at, chirp * rng.uniform(0.6, 1)))
            at += length + rng.uniform(0.02, 0.08)
        at += rng.uniform(0.03, 0.2)
    return place(parts, seconds)


def canary(rng, seconds):
    hz, rate, depth = rng.uniform(3000, 4500), rng.uniform(12, 28), rng.uniform(300, 900)
    sung = lavfi(f"0.6*sin(2*PI*{hz:.0f}*t+{depth / rate:.1f}*sin(2*PI*{rate:.1f}*t))*gt(sin(2*PI*{rng.uniform(1.2, 2.5):.2f}*t)\\,-0.4)", seconds)
    return edges(sung, 0.02, 0.04)


# -- ticking
def clicks(rng, seconds):
    every, hz = rng.choice((0.5, 0.25, 0.4)), rng.uniform(1800, 4000)
    tick = sox("synth", 0.02, "whitenoise", "bandpass", f"{hz:.0f}", "3q", "fade", "l", 0, 0.02, 0.019)
    return place([(i * every, tick * (1, 0.8)[i % 2]) for i in range(max(3, int(seconds / every)))], max(3, int(seconds / every)) * every)


def two_woods(rng, seconds):
    every = rng.uniform(0.4, 0.55)
    count = max(3, int(seconds / every))
    tick, tock = (sox("synth", 0.05, "sine", f"{hz:.0f}", "fade", "l", 0, 0.05, 0.048)
                  for hz in (rng.uniform(2200, 3000), rng.uniform(1500, 2000)))
    snap = sox("synth", 0.006, "whitenoise", "vol", 0.6)
    return place([(i * every, (tick, tock)[i % 2]) for i in range(count)] + [(i * every, snap) for i in range(count)], count * every)


# -- a car horn
def two_tone_horn(rng, seconds):
    hz, parts, at = rng.uniform(330, 440), [], 0.0
    for length in rng.choice(((0.9,), (0.25, 0.6), (0.4, 0.4))):
        blow = sox("synth", length, "sawtooth", f"{hz:.0f}", "synth", length, "sawtooth", "mix", f"{hz * 1.25:.0f}", "lowpass", 3500, "highpass", 250)
        parts.append((at, edges(blow, 0.015, 0.03)))
        at += length + 0.1
    return place(parts, at - 0.1)


def square_horn(rng, seconds):
    hz, length = rng.uniform(280, 380), rng.uniform(0.5, 1.2)
    blow = sum(gst_tone("square", hz * ratio, length, 0.3)[:int(length * RATE) // 160 * 160] for ratio in (1, 1.19))
    return edges(filtered(blow, 200, 2800), 0.02, 0.04)


# -- an explosion
def blast(rng, seconds):
    length = rng.uniform(1.3, 2.2)
    boom = sox("synth", length, "brownnoise", "lowpass", rng.uniform(300, 900), "overdrive", 25, "fade", "l", 0.003, length, length - 0.02)
    crack = sox("synth", 0.15, "whitenoise", "lowpass", 5000, "fade", "l", 0, 0.15, 0.14, "vol", rng.uniform(0.3, 0.9))
    return fit(boom, length) + fit(crack, length)


# -- an engine
def saw_motor(rng, seconds):
    hz = rng.uniform(28, 60)
    saw = sox("synth", f"{seconds:.2f}", "sawtooth", f"{hz:.1f}", "lowpass", rng.uniform(500, 1200), "tremolo", f"{hz / 4:.1f}", 45)
    rumble = sox("synth", f"{seconds:.2f}", "brownnoise", "lowpass", 400, "tremolo", f"{hz / 2:.1f}", 70, "vol", 0.6)
    return edges(fit(saw, seconds) + fit(rumble, seconds), 0.05, 0.08)


def revving(rng, seconds):
    a, b = rng.uniform(30, 45), rng.uniform(80, 130)
    half = max(0.6, seconds / 2)
    up, down = (sox("synth", f"{half:.2f}", "square", ends, "lowpass", 900, "overdrive", 10) for ends in (f"{a:.0f}/{b:.0f}", f"{b:.0f}/{a:.0f}"))
    rough = sox("synth", f"{2 * half:.2f}", "brownnoise", "lowpass", 700, "tremolo", 25, 60, "vol", 0.5)
    return edges(place([(0, up), (half, down), (0, rough)], 2 * half), 0.05, 0.08)


FAMILIES = {
    "a beep": [microwave_beep, square_beep, triangle_beep], "a siren": [wail, hi_lo, sine_yelp], "clapping": [few_hands, hall],
    "a bell": [fm_bell, tubular, hand_bell], "drums": [kit, toms], "barking": [woof, yap], "music": [tune((0, 24, 11)), tune((73, 71, 60))],
    "a whistle": [referee, lips], "knocking": [woodblock, door], "ringing": [old_phone, trill], "birdsong": [tweets, canary],
    "ticking": [clicks, two_woods], "a horn": [two_tone_horn, square_horn], "an explosion": [blast], "an engine": [saw_motor, revving],
}
