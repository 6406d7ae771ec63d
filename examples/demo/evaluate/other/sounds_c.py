"""Half C's sounds: mostly Csound's physical models and generators, other sounds of the General MIDI synthesiser, and numpy by ways that
the other halves do not go. Called as those of sounds_a.py; no family is in another half.
"""
import numpy as np

from tools import RATE, clock, csound, edges, filtered, midi, place


def series(one, count, every):
    return place([(i * every, one) for i in range(count)], (count - 1) * every + len(one) / RATE)


def lines(rows):
    """A score: i1 with its start, its length and more."""
    return "\n".join("i1 " + " ".join(f"{value:.4f}" for value in row) for row in rows)


# -- a beep
def oven(rng, seconds):
    hz, each, count = rng.uniform(1000, 2300), rng.uniform(0.15, 0.4), rng.randint(1, 4)
    one = csound("a1 vco2 0.5, p4, 2, p5\na1 moogladder a1, p4*2.5, 0.1\naenv linseg 0, 0.004, 1, p3-0.012, 1, 0.008, 0\nout a1*aenv",
                 f"i1 0 {each} {hz} {rng.uniform(0.25, 0.5)}", rng)
    return series(one, count, each + rng.uniform(0.1, 0.4))


def scanner(rng, seconds):
    one = csound("aenv linseg 0, 0.002, 1, p3-0.006, 1, 0.004, 0\na1 foscil 0.5, p4, 1, 2, 0.4\nout a1*aenv",
                 f"i1 0 {rng.uniform(0.08, 0.14)} {rng.uniform(1500, 3000)}", rng)
    return series(one, rng.randint(2, 5), rng.uniform(0.2, 0.35))


def answering(rng, seconds):
    return csound("aenv linseg 0, 0.01, 1, p3-0.03, 1, 0.02, 0\na1 oscili 0.5, p4\na2 oscili 0.04, p4*3\nout (a1+a2)*aenv",
                  f"i1 0 {rng.uniform(0.5, 1.1)} {rng.uniform(650, 1300)}", rng)


# -- a siren
def rotor(rng, seconds):
    """Air chopped by a wheel that runs up and slows down."""
    length = max(seconds, 1.8)
    return csound("kf expseg p4, p3*0.5, p5, p3*0.5, p4*1.1\na1 gbuzz 0.4, kf, 14, 1, 0.75, 1\na2 fractalnoise 0.03, 0.6\n"
                  "aenv linseg 0, 0.08, 1, p3-0.2, 1, 0.12, 0\nout (a1+a2)*aenv",
                  f"i1 0 {length} {rng.uniform(280, 420)} {rng.uniform(750, 1100)}", rng)


def saw_yelp(rng, seconds):
    return csound("kl lfo 1, p5, 1\na1 vco2 0.4, p4*semitone(7*kl), 0\na1 moogladder a1, 2600, 0.2\n"
                  "aenv linseg 0, 0.02, 1, p3-0.07, 1, 0.05, 0\n"
                  "out a1*aenv", f"i1 0 {max(seconds, 1.2)} {rng.uniform(700, 1050)} {rng.uniform(2.2, 5)}", rng)


def two_trumpets(rng, seconds):
    low, each = rng.uniform(400, 560), rng.uniform(0.35, 0.75)
    rows = [(i * each, each, low * (1, rng.choice((1.26, 1.35)))[i % 2]) for i in range(max(3, round(seconds / each)))]
    return csound("a1 gbuzz 0.4, p4, 18, 1, 0.82, 1\na1 butterbp a1, 1400, 2200\n"
                  "aenv linseg 0, 0.012, 1, p3-0.024, 1, 0.012, 0\nout a1*aenv", lines(rows), rng)


# -- clapping
def some_hands(rng, seconds):
    rows = []
    for _ in range(rng.randint(3, 14)):
        at, beat, hz, loud = rng.uniform(0, 0.3), rng.uniform(0.18, 0.32), rng.uniform(800, 1700), rng.uniform(0.3, 1)
        while at < seconds - 0.08:
            rows.append((at, 0.08, hz * rng.uniform(0.95, 1.05), loud))
            at += beat * rng.gauss(1, 0.06)
    return csound("an noise 0.6, 0\nae expseg 1, 0.004, 0.5, 0.012, 0.1, 0.06, 0.001\na1 butterbp an*ae, p4, p4*0.7\n"
                  "a2 butterbp an*ae, p4*2.3, p4\n"
                  "out (a1+0.5*a2)*p5", lines(rows), rng)


def stalls(rng, seconds):
    """Many hands, each stroke a grain."""
    noise = np.random.default_rng(rng.getrandbits(32))
    out = np.zeros(int(seconds * RATE))
    for at in np.flatnonzero(noise.random(len(out)) < rng.uniform(80, 260) / RATE):
        n = min(len(out) - at, int(0.035 * RATE))
        grain = noise.normal(size=n) * np.exp(-np.arange(n) / RATE / noise.uniform(0.003, 0.009))
        out[at:at + n] += np.convolve(grain, np.hanning(noise.integers(8, 22)), "same") * noise.uniform(0.1, 1)
    return edges(filtered(out, 400, 6000), 0.02, 0.05)


# -- a bell
def fm_tubular(rng, seconds):
    return csound("a1 fmbell 0.4, p4, 1, p5, 0, 4\naenv linseg 1, p3-0.1, 1, 0.1, 0\nout a1*aenv",
                  f"i1 0 {rng.uniform(1.4, 2.4)} {rng.uniform(350, 1100)} {rng.uniform(2, 5)}", rng)


def tinkle(rng, seconds):
    every = rng.uniform(0.3, 0.6)
    return midi([(i * every, 1, 0, 112, rng.randint(70, 84), 120) for i in range(rng.randint(1, 3))], 2.2)


def bowl(rng, seconds):
    hz, every = rng.uniform(450, 1300), rng.uniform(0.4, 0.6)
    rows = [(i * every, 1.4, hz) for i in range(rng.randint(1, 3))]
    return csound("ai mpulse 1, 0\na1 mode ai, p4, 1100\na2 mode ai, p4*2.71, 1400\na3 mode ai, p4*5.1, 1200\na4 mode ai, p4*1.008, 1100\n"
                  "aenv linseg 1, p3-0.2, 1, 0.2, 0\nout (a1+a4+0.5*a2+0.25*a3)*aenv*0.02", lines(rows), rng)


# -- drums
def skins(rng, seconds):
    step, low, pattern = rng.uniform(0.12, 0.2), rng.uniform(60, 95), rng.choice(("0121", "0012", "02102", "0101121"))
    rows = [(i * step, 0.35, low * (1, 1.7, 2.6)[int(pattern[i % len(pattern)])], rng.uniform(0.5, 1)) for i in range(max(7, int(seconds / step)))]
    return csound("kf expseg p4*1.5, 0.05, p4, 1, p4\na1 pluck 0.9, kf, p4, 0, 3, 0.5\na1 butterlp a1, p4*9\n"
                  "a3 oscili 0.6, kf\na2 noise 0.3, 0\na2 butterbp a2, 2200, 1800\nae expseg 1, 0.03, 0.05, 1, 0.001\n"
                  "aenv expseg 1, 0.15, 0.2, 0.2, 0.001\nout ((a1+a3)*aenv+a2*ae)*p5", lines(rows), rng)


def congas(rng, seconds):
    step, notes = rng.uniform(0.13, 0.2), rng.choice(((62, 63, 64, 63), (64, 62, 63, 62, 64, 64), (65, 66, 65, 66, 66)))
    count = max(8, int(seconds / step))
    return midi([(i * step, 0.1, 9, None, note, rng.randint(95, 127)) for i in range(count) for note in {notes[i % len(notes)], 36 if i % 4 == 0 else 64}],
                count * step + 0.2)


# -- a dog barking
def formants(rng, seconds):
    """Grains of a throat."""
    length, hz, size = rng.uniform(0.14, 0.24), rng.uniform(190, 420), rng.uniform(0.85, 1.25)
    one = csound(f"kf expseg p4*0.9, p3*0.25, p4*1.35, p3*0.75, p4*0.7\n"
                 f"a1 fof 0.5, kf, {650 * size}, 0, 90, 0.003, 0.02, 0.007, 60, 1, 2, p3\n"
                 f"a2 fof 0.3, kf, {1300 * size}, 0, 140, 0.003, 0.02, 0.007, 60, 1, 2, p3\n"
                 "an noise 0.12, 0\nan butterbp an, 1200, 1600\naenv linseg 0, p3*0.12, 1, p3*0.4, 0.6, p3*0.48, 0\n"
                 "out tanh(2.5*(a1+a2+an))*aenv",
                 f"i1 0 {length} {hz}", rng)
    return series(one, rng.randint(1, 4), length + rng.uniform(0.15, 0.4))


def rough_voice(rng, seconds):
    """Two oscillators that disturb each other, as a voice that is pressed does."""
    length, hz = rng.uniform(0.13, 0.22), rng.uniform(300, 600)
    t = clock(length)
    fall = 2 * np.pi * np.cumsum(hz * (1.25 - 0.6 * t / length)) / RATE
    air = np.random.default_rng(rng.getrandbits(32)).normal(size=len(t))
    bark = np.sin(fall + 2.2 * np.sin(fall * 0.5) + 0.7 * air) + 0.5 * np.sin(2 * fall + 1.5 * np.sin(fall))
    bark = filtered(bark + 0.3 * air, 350, 2800) * np.clip(t / 0.012, 0, 1) * (1 - t / length) ** 0.8
    return series(bark, rng.randint(2, 4), length + rng.uniform(0.15, 0.35))


# -- music
def band(rng, seconds):
    """A blown melody over plucked strings."""
    step, root, scale = rng.uniform(0.24, 0.42), rng.uniform(220, 330), rng.choice(((0, 2, 4, 7, 9, 12, 14), (0, 3, 5, 7, 10, 12, 15)))
    rows, at = [], 3
    for i in range(max(5, int(seconds / step))):
        at = max(0, min(6, at + rng.choice((-2, -1, 1, 1, 2))))
        rows.append((i * step, step * 1.1, 2 * root * 2 ** (scale[at] / 12), 1))
        rows += [(i * step, step * 3, root * 2 ** (k / 12), 0) for k in (0, 7, scale[2]) if i % 2 == 0]
    return csound("if p5 > 0.5 then\na1 wgclar 0.5, p4, -0.3, 0.03, 0.05, 0.1, 5, 0.06\n"
                  "aenv linseg 0, 0.02, 1, p3-0.06, 1, 0.04, 0\nout a1*aenv\nelse\n"
                  "a1 pluck 0.25, p4, p4, 0, 1\naenv linseg 1, p3-0.1, 1, 0.1, 0\nout a1*aenv\nendif", lines(rows), rng)


def electric_piano(rng, seconds):
    step, root, rows = rng.uniform(0.22, 0.38), rng.uniform(200, 300), []
    chords = rng.choice(((0, 5, 7, 0), (0, 9, 5, 7), (0, -4, 3, -2)))
    for i in range(max(6, int(seconds / step))):
        chord = chords[i // 4 % 4]
        rows.append((i * step, step * 1.8, root * 2 ** ((12 + chord + rng.choice((0, 4, 7, 12))) / 12)))
        rows += [(i * step, step * 3.9, root * 2 ** ((chord + k) / 12)) for k in (0, 4, 7) if i % 4 == 0]
    return csound("ki expseg 1.5, 0.4, 0.3, 3, 0.1\nkt expseg 1, 0.08, 0.01, 3, 0.001\na1 foscil 0.3, p4, 1, 1, ki\n"
                  "a2 oscili 0.1*kt, p4*13\na1 = a1+a2\naenv expseg 1, p3, 0.1\naend linseg 1, p3-0.04, 1, 0.04, 0\n"
                  "out a1*aenv*aend", lines(rows), rng)


# -- a whistle
def air(rng, seconds):
    """Noise through two sharp resonances that glide."""
    length, low = rng.uniform(0.5, 1.1), rng.uniform(900, 1500)
    top = low * rng.uniform(1.4, 2)
    glide = rng.choice((f"expseg {low}, p3, {top}", f"expseg {low}, p3*0.5, {top}, p3*0.5, {low}", f"expseg {top}, p3*0.3, {low}, p3*0.7, {top}"))
    return csound(f"kf {glide}\nan noise 1, 0\na1 reson an, kf, 25, 1\na1 reson a1, kf, 40, 1\na1 balance a1, an\n"
                  f"a2 oscili 0.7, kf\naenv linseg 0, 0.05, 1, p3-0.12, 1, 0.07, 0\n"
                  "out (0.3*a1+a2)*aenv", f"i1 0 {length}", rng)


def pea(rng, seconds):
    """A ball that runs round at no steady pace."""
    return csound("kv randi 8, 12\nkp lfo 0.4, p5+kv\nka = 0.6+kp\na1 oscili ka, p4*(1+0.03*kp)\n"
                  "a2 oscili ka*0.5, p4*1.13*(1+0.03*kp)\nan noise 0.5, 0\nan butterbp an, p4, 900\n"
                  "aenv linseg 0, 0.015, 1, p3-0.05, 1, 0.035, 0\nout (a1+a2+an*ka)*aenv*0.4",
                  f"i1 0 {rng.uniform(0.35, 1)} {rng.uniform(2200, 3300)} {rng.uniform(26, 44)}", rng)


# -- knocking
def board(rng, seconds):
    every, hz = rng.uniform(0.17, 0.3), rng.uniform(110, 260)
    rows = [(i * every + rng.uniform(0, 0.02), 0.2, hz, rng.uniform(0.7, 1)) for i in range(rng.randint(2, 5))]
    return csound("ae expseg 1, 0.003, 0.01, 1, 0.001\nan noise 1, 0\nai = an*ae\na1 mode ai, p4, 12\n"
                  "a2 mode ai, p4*1.9, 14\na3 mode ai, p4*3.2, 14\na4 mode ai, p4*5.7, 10\n"
                  "aenv linseg 1, p3-0.05, 1, 0.05, 0\nout (a1+0.6*a2+0.4*a3+0.2*a4+2*ai)*p5*aenv*0.05", lines(rows), rng)


def crate(rng, seconds):
    """A blow and its echoes between the walls of a box."""
    t, noise = clock(0.16), np.random.default_rng(rng.getrandbits(32))
    hit = noise.normal(size=len(t)) * np.exp(-t / 0.0015)
    out = filtered(hit, 60, 2500)
    for period, keep in ((rng.uniform(0.0022, 0.005), 0.72), (rng.uniform(0.0012, 0.002), 0.6)):
        delay = int(period * RATE)
        for i in range(delay, len(out)):
            out[i] += keep * 0.5 * (out[i - delay] + out[i - delay - 1])
    return series(edges(filtered(out, 60, 3500), 0.0005, 0.03), rng.randint(3, 5), rng.uniform(0.17, 0.28))


# -- a phone ringing
def clapper(rng, seconds):
    length = rng.uniform(1.0, 1.8)
    return csound("ai mpulse 1, 1/p5\naj mpulse 1, 1/p5, 0.5/p5\na1 mode ai, p4, 120\na2 mode ai, p4*2.6, 150\n"
                  "a3 mode aj, p4*1.21, 120\na4 mode aj, p4*3.3, 150\n"
                  "aenv linseg 0, 0.005, 1, p3-0.2, 1, 0.2, 0\nout (a1+a2*0.5+a3+a4*0.4)*aenv*0.02",
                  f"i1 0 {length} {rng.uniform(950, 1500)} {rng.uniform(18, 26)}", rng)


def desk_phone(rng, seconds):
    hz, rate = rng.uniform(800, 1250), rng.uniform(20, 24)
    rows = [(at, 0.4, hz, rate) for at in (0, 0.6)]
    return csound("kg lfo 1, p5, 2\na1 vco2 0.4, p4*(kg > 0 ? 1 : 1.25), 10\na1 butterlp a1, 3500\n"
                  "aenv linseg 0, 0.006, 1, p3-0.02, 1, 0.014, 0\nout a1*aenv", lines(rows), rng)


# -- birdsong
def wagtail(rng, seconds):
    rows, at = [], 0.0
    while at < seconds - 0.25:
        length, hz = rng.uniform(0.05, 0.16), rng.uniform(2500, 4800)
        ends = hz * rng.uniform(0.65, 1.5)
        for _ in range(rng.randint(1, 4)):
            rows.append((at, length, hz, ends, rng.uniform(0.5, 1)))
            at += length + rng.uniform(0.015, 0.07)
        at += rng.uniform(0.04, 0.2)
    return csound("kf expseg p4, p3*0.6, p5, p3*0.4, p5*0.93\nkm lfo 0.04, 38\na1 oscili 0.5, kf*(1+km)\n"
                  "a2 oscili 0.04, kf*2\naenv linseg 0, p3*0.3, 1, p3*0.3, 0.8, p3*0.4, 0\n"
                  "out (a1+a2)*aenv*p6", lines(rows), rng)


def warbler(rng, seconds):
    return csound("kj jspline 0.28, 4, 14\nkt lfo 0.12, p5\nkg lfo 1, p6, 0\na1 oscili 0.5, p4*(1+kj+kt)\n"
                  "kg port (kg > -0.35 ? 1 : 0), 0.012\naenv linseg 0, 0.03, 1, p3-0.08, 1, 0.05, 0\n"
                  "out a1*kg*aenv", f"i1 0 {seconds} {rng.uniform(2900, 4300)} {rng.uniform(10, 26)} {rng.uniform(1.6, 3)}", rng)


# -- ticking
def wrist(rng, seconds):
    every, hz = rng.uniform(0.2, 0.4), rng.uniform(2600, 5200)
    rows = [(i * every, 0.05, hz * (1, 0.86)[i % 2], 1) for i in range(max(4, int(seconds / every)))]
    return csound("ai mpulse 1, 0\na1 mode ai, p4, 22\na2 mode ai, p4*1.7, 18\nout (a1+0.6*a2)*p5*0.1", lines(rows), rng)


def kitchen(rng, seconds):
    every = rng.uniform(0.4, 0.58)
    rows = [(i * every, 0.06, rng.uniform(0.97, 1.03) * (1900, 1450)[i % 2], (1, 0.75)[i % 2]) for i in range(max(3, int(seconds / every)))]
    return csound("an noise 1, 0\nae expseg 1, 0.0015, 0.2, 0.02, 0.001, 1, 0.001\na1 reson an*ae, p4, p4*0.12, 1\n"
                  "a2 reson an*ae, p4*2.4, p4*0.2, 1\nout (a1+0.5*a2)*p5", lines(rows), rng)


# -- a car horn
def discs(rng, seconds):
    hz, rows, at = rng.uniform(320, 450), [], 0.0
    for length in rng.choice(((1.0,), (0.2, 0.5), (0.3, 0.3))):
        rows.append((at, length, hz, rng.choice((1.19, 1.26))))
        at += length + 0.11
    return csound("a1 gbuzz 0.3, p4, 20, 1, 0.88, 1\na2 gbuzz 0.3, p4*p5, 20, 1, 0.88, 1\n"
                  "a1 butterbp a1+a2, 1700, 2600\naenv linseg 0, 0.015, 1, p3-0.045, 1, 0.03, 0\nout a1*aenv", lines(rows), rng)


def snail(rng, seconds):
    return csound("a1 vco2 0.3, p4, 0\na2 vco2 0.3, p4*1.25, 0\na1 moogladder a1+a2, 2200, 0.35\na1 butterhp a1, 250\n"
                  "aenv linseg 0, 0.025, 1, p3-0.065, 1, 0.04, 0\nout a1*aenv",
                  f"i1 0 {rng.uniform(0.5, 1.2)} {rng.uniform(260, 400)}", rng)


# -- an explosion
def charge_far(rng, seconds):
    return csound("an noise 1, 0\nkc expseg p4, 0.12, p4*0.3, 0.5, p4*0.09, p3, 60\na1 lpf18 an, kc, 0.2, 0.4\n"
                  "a2 butterlp an, 140\nae expseg 1, 0.2, 0.5, p3-0.2, 0.003\n"
                  "out (a1+2*a2)*ae", f"i1 0 {rng.uniform(1.3, 2.2)} {rng.uniform(2500, 6000)}", rng)


def pressure(rng, seconds):
    """The pressure of a blast, and the ground's answer."""
    t, noise = clock(rng.uniform(1.2, 2)), np.random.default_rng(rng.getrandbits(32))
    wave = (1 - t / 0.012) * np.exp(-t / 0.012) * 6
    ground = np.cumsum(noise.normal(size=len(t)))
    ground = filtered(ground - ground.mean(), 25, rng.uniform(300, 900)) * np.exp(-t / rng.uniform(0.25, 0.5))
    dust = filtered(noise.normal(size=len(t)), 600, 4500) * np.exp(-t / 0.18)
    return edges(np.tanh(wave + 3 * ground / np.abs(ground).max() + dust * rng.uniform(0.3, 1)), 0.001, 0.2)


# -- an engine
def pistons(rng, seconds):
    return csound("kj jspline 0.06, 2, 9\nkv linseg 1, p3*0.5, p5, p3*0.5, 1\nai mpulse 1, 1/(p4*kv*(1+kj))\n"
                  "a1 reson ai, 95, 45, 2\na2 reson ai, 230, 120, 2\na3 reson ai, 640, 380, 2\n"
                  "an fractalnoise 0.3, 1\nan butterlp an, 800\naenv linseg 0, 0.08, 1, p3-0.18, 1, 0.1, 0\n"
                  "out (a1+0.7*a2+0.4*a3+0.1*an)*aenv*0.5",
                  f"i1 0 {max(seconds, 1.2)} {rng.uniform(22, 48)} {rng.choice((1.05, 1.9))}", rng)


def diesel(rng, seconds):
    t, noise = clock(max(seconds, 1.2)), np.random.default_rng(rng.getrandbits(32))
    rate, out, at, k = rng.uniform(20, 34), np.zeros(len(t) + RATE), 0.0, 0
    knock = np.exp(-clock(0.06) / 0.009) * (np.sin(2 * np.pi * rng.uniform(80, 130) * clock(0.06)) + 0.5 * np.sin(2 * np.pi * rng.uniform(350, 650) * clock(0.06)))
    while at < t[-1]:
        place_in = int(at * RATE)
        out[place_in:place_in + len(knock)] += knock * (1, 0.55, 0.8, 0.45)[k % 4] * noise.uniform(0.8, 1.2)
        at, k = at + noise.normal(1, 0.03) / rate, k + 1
    return edges(out[:len(t)] + 0.05 * filtered(noise.normal(size=len(t)), 200, 1500), 0.08, 0.1)


FAMILIES = {
    "a beep": [oven, scanner, answering], "a siren": [rotor, saw_yelp, two_trumpets], "clapping": [some_hands, stalls],
    "a bell": [fm_tubular, tinkle, bowl], "drums": [skins, congas], "barking": [formants, rough_voice], "music": [band, electric_piano],
    "a whistle": [air, pea], "knocking": [board, crate], "ringing": [clapper, desk_phone], "birdsong": [wagtail, warbler],
    "ticking": [wrist, kitchen], "a horn": [discs, snail], "an explosion": [charge_far, pressure], "an engine": [pistons, diesel],
}
