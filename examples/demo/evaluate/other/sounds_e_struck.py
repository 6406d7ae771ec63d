"""Half E's sounds of blows: hands, bells, drums, doors, clocks. Called as those of sounds_a.py."""
import numpy as np
from scipy.signal import lfilter

from tools import RATE, clock, edges, faust, filtered, midi, noise, place, turned

MUSESCORE = "MuseScore_General.sf3"


def ring(force, hz, fade):
    """What a mode of hz that dies to 1/e in `fade` seconds answers to a force."""
    radius = np.exp(-1 / (fade * RATE))
    if hz > 0.45 * RATE:
        return np.zeros(len(force))
    return lfilter([np.sin(2 * np.pi * hz / RATE)], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius ** 2], force)


def contact(modes, hard, speed, seconds):
    """A body with [(Hz, fade, level)] that a small hammer strikes: the hammer is simulated, so that it may bounce, stay or strike twice.
    `hard`: the stiffness of the contact; `speed` of the hammer."""
    hz, fade, loud = (np.array(column, float) for column in zip(*[m for m in modes if m[0] < 0.4 * RATE]))
    radius, turn = np.exp(-1 / (fade * RATE)), np.exp(2j * np.pi * hz / RATE)
    state, x, v = np.zeros(len(hz), complex), 0.0, speed
    force = np.zeros(int(seconds * RATE))
    for n in range(int(0.012 * RATE)):
        depth = x - (state.imag * loud).sum()
        push = hard * max(depth, 0.0) ** 1.5
        state = state * radius * turn + push * loud * 0.02
        v -= push
        x += v
        force[n] = push
        if v < 0 and depth < -0.5:
            break
    return sum(level * ring(force, f, d) for f, d, level in zip(hz, fade, loud))


# -- clapping
def clap_of(rng, size):
    """Palms: a handful of tones that die within milliseconds, each a little after the other."""
    t, out = clock(0.05), np.zeros(int(0.05 * RATE))
    for _ in range(7):
        late, hz = rng.uniform(0, 0.0025), size * np.exp(rng.uniform(np.log(500), np.log(3800)))
        u = np.clip(t - late, 0, None)
        out += rng.uniform(0.3, 1) * np.sin(2 * np.pi * hz * u) * np.exp(-u / rng.uniform(0.0015, 0.006)) * (t >= late)
    return out + 0.5 * filtered(noise(rng, 0.05), 900, 7000) * np.exp(-t / 0.0025)


def falling_in(rng, seconds):
    """An audience whose hands draw each other into step, more or less: coupled clocks."""
    count, seconds = rng.randint(6, 30), max(seconds, 1.5)
    own = np.array([rng.gauss(3.2, 0.35) for _ in range(count)])
    phase, pull = np.array([rng.random() for _ in range(count)]), rng.uniform(0, 2.5)
    claps, loud = [clap_of(rng, rng.uniform(0.8, 1.2)) for _ in range(count)], [rng.uniform(0.3, 1) for _ in range(count)]
    parts, step = [], 0.002
    for i in range(int(seconds / step)):
        middle = np.exp(2j * np.pi * phase).mean()
        phase = phase + step * (own + pull / 6 * np.imag(middle * np.exp(-2j * np.pi * phase)))
        for k in np.flatnonzero(phase >= 1):
            parts.append((i * step + rng.uniform(0, step), claps[k] * loud[k] * rng.uniform(0.8, 1)))
            phase[k] -= 1
    return place(parts, seconds)


def one_pair(rng, seconds):
    """One person near by, with the echo of a wall."""
    beat, size, echo, parts, at = rng.uniform(0.2, 0.36), rng.uniform(0.7, 1.1), rng.uniform(0.008, 0.03), [], 0.0
    while at < max(seconds, 1.2) - 0.06:
        clap = clap_of(rng, size) * rng.uniform(0.75, 1)
        parts += [(at, clap), (at + echo, 0.3 * filtered(clap, None, 3000))]
        at += beat * rng.gauss(1, 0.03)
    return place(parts, at)


def sampled_applause(rng, seconds):
    seconds = max(seconds, 1.2)
    return edges(midi([(0, seconds, 0, 126, rng.randint(57, 66), 120)], seconds, MUSESCORE), 0.03, 0.08)


# -- a bell
def cast_bell(rng, seconds):
    """Faust's models of four cast bells, computed from their shapes, struck at one of several places."""
    shape = rng.choice(("english", "french", "german", "russian"))
    program = (f'process=pm.{shape}Bell(int(nentry("spot",1,0,4,1)),nentry("cutoff",6500,500,12000,1),'
               'nentry("sharp",0.3,0.01,5,0.01),1,button("gate"));')
    spot, cutoff, size = rng.randint(0, 4), rng.uniform(1500, 4500), rng.uniform(0.75, 1.5)
    stroke = faust(program, [(0, "spot", spot), (0, "cutoff", cutoff), (0.002, "gate", 1), (0.05, "gate", 0)], 2.2 * size)
    stroke = np.interp(np.arange(0, len(stroke) - 1, size), np.arange(len(stroke)), filtered(stroke, None, 14000 / size))
    stroke = stroke * np.exp(-clock(len(stroke) / RATE)[:len(stroke)] / rng.uniform(0.5, 0.9))
    hard = 5 * np.sqrt(np.mean(stroke[:RATE // 2] ** 2))  # a recorder's limit: the clapper's click alone would be the peak
    stroke, count, every = hard * np.tanh(stroke / hard), rng.randint(1, 3), rng.uniform(0.5, 0.8)
    return edges(place([(i * every, stroke) for i in range(count)], (count - 1) * every + 1.7), 0.0005, 0.25)


def hotel_desk(rng, seconds):
    """A small bell under a plunger: one ding, or two."""
    hz = rng.uniform(1700, 2700)
    modes = [(hz, 0.5, 1), (hz * 1.004, 0.45, 0.6), (hz * 2.32, 0.3, 0.6), (hz * 3.9, 0.15, 0.4), (hz * 0.42, 0.05, 0.2)]
    ding = contact(modes, rng.uniform(0.05, 0.4), rng.uniform(0.5, 1.5), 1.4)
    return edges(place([(i * 0.32, ding) for i in range(rng.randint(1, 2))], 1.6), 0.0005, 0.2)


def sampled_church(rng, seconds):
    every, count, note = rng.uniform(0.7, 1.0), rng.randint(1, 2), rng.randint(55, 69)
    return edges(midi([(i * every, 1.6, 0, (8, 14), note, 120) for i in range(count)], 1.7 + every * (count - 1), MUSESCORE), 0.001, 0.3)


# -- drums
def snare_line(rng, seconds):
    """Drummers who march: a head, the wires that it throws up, a bass drum on the beat."""
    head, beat, fast = rng.uniform(170, 230), rng.uniform(0.36, 0.52), rng.choice((4, 6))
    t = clock(0.16)

    def stroke(loud):
        skin = sum(np.sin(2 * np.pi * head * m * t) * np.exp(-t / (0.05 / m)) for m in (1, 1.6, 2.3))
        wires = filtered(noise(rng, 0.16), 1400, 9000) * np.exp(-t / (0.03 + 0.04 * loud)) * (0.4 + np.abs(np.sin(2 * np.pi * head * t)))
        return loud * (skin + 1.5 * loud * wires)

    u = clock(0.35)
    bass = 2 * np.sin(2 * np.pi * turned(58 + 25 * np.exp(-u / 0.03))) * np.exp(-u / 0.11) + 0.3 * filtered(noise(rng, 0.35), 200, 1500) * np.exp(-u / 0.01)
    hits = []
    for i in range(max(4, int(max(seconds, 1.6) / beat))):
        figure = rng.choice(("x.xx", "xxxx", "r", "x..x"))
        if figure == "r":  # a roll
            hits += [(i * beat + k * beat / (2 * fast), stroke(0.35 + 0.3 * k / (2 * fast))) for k in range(2 * fast)]
        else:
            hits += [(i * beat + k * beat / 4, stroke(1 if k == 0 else 0.6)) for k, c in enumerate(figure) if c == "x"]
        if i % 2 == 0:
            hits.append((i * beat, bass))
    return place(hits, max(4, int(max(seconds, 1.6) / beat)) * beat + 0.15)


DJEMBE = 'process=pm.djembe(nentry("hz",60,30,300,0.1),nentry("spot",0.5,0,1,0.01),nentry("sharp",0.5,0.01,5,0.01),1,button("gate"));'


def goblets(rng, seconds):
    """Two goblet drums of Faust's that talk: bass, tone, edge."""
    sounds = {}
    for c, hz, spot in (("b", rng.uniform(62, 85), 0.1), ("t", rng.uniform(130, 170), 0.5), ("e", rng.uniform(190, 250), 0.9)):
        one = faust(DJEMBE, [(0, "hz", hz), (0, "spot", spot), (0.002, "gate", 1), (0.03, "gate", 0)], 0.45)
        sounds[c] = edges(one / np.abs(one).max(), 0.0003, 0.15)
    step, pattern = rng.uniform(0.12, 0.18), rng.choice(("b.tetb.e", "bettbee.", "b.eebet.", "tbtbeett"))
    count = max(8, int(seconds / step))
    return place([(i * step + rng.uniform(0, 0.006), sounds[pattern[i % 8]] * rng.uniform(0.65, 1)) for i in range(count) if pattern[i % 8] != "."],
                 count * step + 0.25)


def sampled_taiko(rng, seconds):
    """Big drums: a low one and small ones about it."""
    step, count = rng.uniform(0.14, 0.21), max(8, int(seconds / 0.17))
    low, pattern = rng.choice(((0, 116), (8, 116))), rng.choice(("o.ttottt", "oottottt", "o.t.oott"))
    events = []
    for i in range(count):
        if pattern[i % 8] == "o":
            events.append((i * step, 0.4, 0, low, rng.choice((46, 48)), 122))
        elif pattern[i % 8] == "t":
            events.append((i * step, 0.2, 1, (0, 117), rng.choice((57, 60, 64)), rng.randint(90, 118)))
    return midi(events, count * step + 0.3, MUSESCORE)


# -- knocking
def plate(rng, seconds):
    """Knuckles on a door: a stiff plate on a grid, held at its rim."""
    rows, columns, stiff = rng.randint(9, 12), rng.randint(16, 22), rng.uniform(0.02, 0.05)
    now, before = np.zeros((rows + 4, columns + 4)), np.zeros((rows + 4, columns + 4))
    y, x = rng.randint(4, rows - 3), rng.randint(5, columns - 4)
    out, force = np.zeros(int(0.18 * RATE)), np.hanning(int(rng.uniform(0.0012, 0.0025) * RATE))

    def laplace(u):
        v = np.zeros_like(u)
        v[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]
        return v

    for n in range(len(out)):
        after = 2 * now - before - stiff * laplace(laplace(now)) - 0.0025 * (now - before) + 0.004 * laplace(now - before)
        after[y, x] += force[n] if n < len(force) else 0
        after[:2], after[-2:], after[:, :2], after[:, -2:] = 0, 0, 0, 0
        before, now = now, after
        out[n] = now[rows // 2, columns // 3] + now[y, x] * 0.3
    one = edges(filtered(np.diff(out, prepend=0), 50, 5000), 0.0003, 0.04)
    every = rng.uniform(0.18, 0.3)
    return place([(i * every + rng.uniform(0, 0.02), one * rng.uniform(0.75, 1)) for i in range(rng.randint(2, 5))], 5 * every + 0.2)


def window_pane(rng, seconds):
    """On glass: higher, and a rattle of the frame."""
    hz = rng.uniform(260, 480)
    modes = [(hz * r, 0.035 / r ** 0.4, 1 / r ** 0.5) for r in (1, 1.7, 2.4, 3.1, 4.3, 5.6, 7.4)]
    one = contact(modes, rng.uniform(0.02, 0.08), 1, 0.2)
    rattle = filtered(noise(rng, 0.2), 1500, 6000) * np.exp(-clock(0.2) / 0.012) * np.abs(one).max() * 0.12
    one, every = edges(one + np.roll(rattle, int(0.006 * RATE)), 0.0003, 0.05), rng.uniform(0.16, 0.26)
    return place([(i * every, one * rng.uniform(0.8, 1)) for i in range(rng.randint(2, 5))], 5 * every + 0.2)


def door_knocker(rng, seconds):
    """A ring of iron that falls on a heavy door."""
    wood = [(f * rng.uniform(0.95, 1.05), 0.05 * (100 / f) ** 0.4, loud) for f, loud in ((95, 1), (168, 0.8), (255, 0.6), (410, 0.5), (690, 0.3), (1150, 0.2))]
    iron = [(rng.uniform(1500, 1900), 0.03, 0.15), (rng.uniform(2700, 3300), 0.025, 0.12), (rng.uniform(4200, 5200), 0.015, 0.08)]
    blow = contact(wood + iron, rng.uniform(0.1, 0.5), 1, 0.3)
    bounce, every = rng.uniform(0.05, 0.08), rng.uniform(0.3, 0.45)
    hits = [(i * every + late, blow * loud) for i in range(rng.randint(2, 4)) for late, loud in ((0, 1), (bounce, 0.25))]
    return place([(at, edges(hit, 0.0002, 0.08)) for at, hit in hits], 4 * every + 0.35)


# -- a clock ticking
def ratchet_timer(rng, seconds):
    """A kitchen timer that is wound up: four to six clicks a second in a shell of plastic or tin."""
    every, shell = rng.uniform(0.16, 0.25), rng.uniform(1100, 2200)
    t = clock(0.04)
    tooth = sum(a * np.sin(2 * np.pi * shell * m * t) * np.exp(-t / d) for m, a, d in ((1, 1, 0.004), (2.2, 0.8, 0.002), (3.4, 0.6, 0.0012)))
    count = max(6, int(seconds / every))
    ticks = [(i * every + rng.gauss(0.002, 0.0006), tooth * (1, 0.75, 0.9, 0.7)[i % 4]) for i in range(count)]
    return place(ticks + [(at + 0.011, -0.35 * tooth) for at, _ in ticks], count * every)


def long_case(rng, seconds):
    """A pendulum in a tall case: tick and tock a large half second apart, wood and air behind them."""
    every = rng.uniform(0.45, 0.75)
    case = [(rng.uniform(140, 200), 0.03, 0.5), (rng.uniform(330, 450), 0.02, 0.7), (rng.uniform(900, 1300), 0.008, 1), (rng.uniform(2200, 3000), 0.004, 1)]
    tick = contact(case, 0.3, 1, 0.12)
    tock = contact([(f * 0.85, d * 1.2, a) for f, d, a in case], 0.15, 0.8, 0.12)
    count = max(4, int(max(seconds, 1.8) / every))
    return place([(i * every, (tick, tock)[i % 2]) for i in range(count)] + [(i * every + 0.016, 0.25 * tick) for i in range(count)], count * every)
