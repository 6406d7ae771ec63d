"""Half D's sounds of blows: hands, bells, drums, dogs, doors, clocks, blasts, engines. Called as those of sounds_a.py."""
import numpy as np
from scipy.signal import lfilter

from tools import RATE, chuck, clock, edges, filtered, midi, noise, place, resonate, turned

FLUID = "FluidR3_GM"


def times(one, count, every):
    return place([(i * every, one) for i in range(count)], (count - 1) * every + len(one) / RATE)


def touch(milliseconds):
    """The force of a soft contact: half a sine."""
    return np.sin(np.pi * np.linspace(0, 1, max(3, int(milliseconds * RATE / 1000))))


def rung(force, modes, seconds):
    """What a body with [(Hz, seconds until 1/e, level)] answers to a force."""
    push = np.zeros(int(seconds * RATE))
    push[:min(len(force), len(push))] = force[:len(push)]
    out = np.zeros(len(push))
    for hz, fade, loud in modes:
        radius = np.exp(-1 / (fade * RATE))
        if hz < 0.45 * RATE:
            out += loud * lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius ** 2], push) * np.sin(2 * np.pi * hz / RATE)
    return out


# -- clapping
def palms_meet(rng, seconds):
    """A few people: skin on skin, and the hollow between the hands."""
    parts = []
    for _ in range(rng.randint(2, 9)):
        beat, hollow, loud = rng.uniform(0.19, 0.32), rng.uniform(550, 1500), rng.uniform(0.35, 1)
        at = rng.uniform(0, beat)
        while at < seconds - 0.07:
            slap = noise(rng, 0.06) * np.exp(-clock(0.06) / rng.uniform(0.0015, 0.004))
            parts.append((at, loud * (resonate(slap, hollow * rng.uniform(0.9, 1.1), hollow * 0.4) + 0.25 * filtered(slap, 2000, 8000))))
            at += beat * rng.gauss(1, 0.05)
    return place(parts, seconds)


def machine_claps(rng, seconds):
    """General MIDI's clap, by several people."""
    hits = []
    for _ in range(rng.randint(2, 6)):
        beat, at, loud = rng.uniform(0.2, 0.32), rng.uniform(0, 0.25), rng.randint(60, 127)
        while at < seconds - 0.12:
            hits.append((at, 0.1, 9, None, 39, max(30, min(127, loud + rng.randint(-12, 12)))))
            at += beat * rng.gauss(1, 0.05)
    return midi(hits, seconds, FLUID)


def full_hall(rng, seconds):
    """Hundreds: sparse pulses through the claps of a dozen people, and what the walls add."""
    draw, out = np.random.default_rng(rng.getrandbits(32)), np.zeros(int(seconds * RATE))
    for _ in range(12):
        pulses = (draw.random(len(out)) < draw.uniform(8, 22) / RATE) * draw.uniform(0.3, 1, len(out))
        clap = draw.normal(size=1400) * np.exp(-np.arange(1400) / draw.uniform(90, 220))
        clap = resonate(clap, draw.uniform(800, 2200), 700)
        out += np.convolve(pulses, clap)[:len(out)]
    late = draw.normal(size=6000) * np.exp(-np.arange(6000) / 1800) * 0.03
    return edges(filtered(out + np.convolve(out, late)[:len(out)], 300, 7000), 0.05, 0.08)


# -- a bell
def struck_rim(rng, seconds):
    """A hand bell: each mode of the rim is two that beat, the clapper is soft."""
    hz, modes = rng.uniform(520, 1500), []
    for ratio, fade, loud in ((1, 0.6, 1), (2.0, 0.45, 0.5), (2.98, 0.3, 0.45), (4.1, 0.2, 0.25), (5.4, 0.12, 0.2)):
        modes += [(hz * ratio, fade, loud), (hz * ratio + rng.uniform(1, 5), fade, 0.7 * loud)]
    one = rung(touch(rng.uniform(0.15, 0.5)), modes, 1.8)
    return edges(times(one, rng.randint(1, 3), rng.uniform(0.35, 0.6)), 0.0005, 0.15)


def tubes(rng, seconds):
    """The Synthesis Toolkit's tubular bell."""
    hz, second = rng.uniform(260, 700), rng.choice((None, 0.8, 0.75))
    more = f"0.55::second => now; {hz * second} => b.freq; b.noteOn(1);\n" if second else ""
    return edges(chuck(f"TubeBell b => out; {hz} => b.freq; b.noteOn(1);\n{more}1.9::second => now;", rng), 0.0005, 0.3)


def chimes(rng, seconds):
    every, root = rng.uniform(0.4, 0.6), rng.randint(60, 74)
    notes = rng.choice(((0,), (0, -4), (4, 0), (0, 0)))
    return edges(midi([(i * every, 1.5, 0, 14, root + k, 118) for i, k in enumerate(notes)], 1.6 + every * (len(notes) - 1), FLUID), 0.001, 0.25)


# -- drums
def skin(rng, side, tension):
    """A struck skin as a square net of springs, 0.3 s of it."""
    now, before = (np.zeros((side, side)) for _ in range(2))
    at = side // 3 + rng.randint(0, 2)
    now[at - 1:at + 2, at - 1:at + 2] = before[at - 1:at + 2, at - 1:at + 2] = np.outer((0.5, 1, 0.5), (0.5, 1, 0.5))
    out = np.zeros(int(0.3 * RATE))
    for n in range(len(out)):
        middle = now[1:-1, 1:-1]
        curve = now[:-2, 1:-1] + now[2:, 1:-1] + now[1:-1, :-2] + now[1:-1, 2:] - 4 * middle
        after = np.zeros_like(now)
        after[1:-1, 1:-1] = (2 * middle - 0.9993 * before[1:-1, 1:-1] + tension * curve) / 1.0006
        before, now = now, after
        out[n] = now[side // 2, side // 2] + 0.5 * now[side // 2, side // 3]
    return filtered(out, 40, 5000) * np.exp(-clock(0.3) / 0.1)[:len(out)]


def mesh(rng, seconds):
    tuned = rng.uniform(0.7, 1.3)
    voices = [skin(rng, 14, k * tuned) for k in (0.004, 0.012, 0.035)]
    voices = [v / np.abs(v).max() for v in voices]
    step, pattern = rng.uniform(0.12, 0.18), rng.choice(("00120122", "01121022", "0.120.12", "01210210"))
    count = max(8, int(seconds / step))
    tap = filtered(noise(rng, 0.02), 1500) * np.exp(-clock(0.02) / 0.003) * 0.15
    hits = [(i * step, voices[int(pattern[i % 8])]) for i in range(count) if pattern[i % 8] != "."]
    return place([(at, part * rng.uniform(0.6, 1)) for at, voice in hits for part in (voice, tap)], count * step + 0.2)


def kits(rng, seconds):
    """Other drummers' sets of the FluidR3 sounds, with fills."""
    step, drums = rng.uniform(0.11, 0.16), rng.choice((0, 8, 16, 40))
    bars = rng.choice(((36, 42, 38, 42, 36, 36, 38, 46), (36, 51, 40, 51, 36, 53, 40, 50), (41, 43, 45, 47, 48, 50, 38, 38)))
    count = max(8, int(seconds / step))
    return midi([(i * step, 0.1, 9, drums, bars[i % 8], rng.randint(85, 127)) for i in range(count)], count * step + 0.2, FLUID)


# -- a dog barking
def big_throat(rng, seconds):
    """A pressed voice that doubles its period in the middle, through a muzzle that opens and shuts."""
    length, hz, size = rng.uniform(0.18, 0.3), rng.uniform(150, 300), rng.uniform(0.85, 1.2)
    t = clock(length) / length
    turns = np.cumsum(hz * (0.9 + 0.5 * np.sin(np.pi * np.minimum(1, 1.6 * t)))) / RATE
    pulse = np.exp(-(turns % 1) / 0.1) - 0.1
    pulse *= 1 - 0.4 * (np.floor(turns) % 2) * (t > 0.3)
    breath = pulse + 0.25 * noise(rng, length)[:len(t)]
    open_share = np.sin(np.pi * t) ** 0.6
    voice = (1 - open_share) * resonate(breath, 380 * size, 120) + open_share * (resonate(breath, 750 * size, 160) + 0.6 * resonate(breath, 1450 * size, 250))
    bark = np.tanh(2.5 * voice / np.abs(voice).max()) * np.clip(t / 0.08, 0, 1) * (1 - t) ** 0.8
    return times(bark, rng.randint(1, 4), length + rng.uniform(0.15, 0.4))


def small_dog(rng, seconds):
    """Yaps: a saw and breath through two formants."""
    hz, length, count = rng.uniform(420, 700), rng.uniform(0.1, 0.17), rng.randint(2, 5)
    one = chuck(f"""
        SawOsc s => Gain g; Noise n => g; 0.25 => n.gain;
        g => ResonZ a => Envelope e => out; 1150 => a.freq; 2 => a.Q; 2 => a.gain;
        g => ResonZ b => e; 2400 => b.freq; 3 => b.Q; 1.2 => b.gain;
        {length * 0.25}::second => e.duration; e.keyOn();
        for (0 => int i; i < 50; i++) {{
            {hz} * (0.8 + 0.55 * Math.sin(3.1416 * Math.sqrt(i / 50.0))) * Math.random2f(0.96, 1.04) => s.freq;
            if (i == 22) {{ {length * 0.55}::second => e.duration; e.keyOff(); }}
            {length / 50}::second => now;
        }}""", rng)
    return times(np.tanh(3 * one / np.abs(one).max()), count, length + rng.uniform(0.12, 0.28))


# -- knocking
def door_leaf(rng, seconds):
    """Knuckles on a thin board: the modes of a plate that is held at its rim."""
    low, long, loss = rng.uniform(70, 130), rng.uniform(1.6, 2.4), rng.uniform(0.02, 0.035)
    modes = [(low * (m * m + (n / long) ** 2 * 4), loss / (1 + 0.12 * (m + n)), 1 / (m + n)) for m in range(1, 5) for n in range(1, 6)]
    one = rung(np.concatenate([touch(1.6), np.zeros(int(rng.uniform(0.003, 0.007) * RATE)), 0.5 * touch(1.0)]), modes, 0.2)
    every = rng.uniform(0.17, 0.28)
    return place([(i * every + rng.uniform(0, 0.02), one * rng.uniform(0.75, 1)) for i in range(rng.randint(2, 5))], 5 * every + 0.2)


def wooden_bar(rng, seconds):
    """The Synthesis Toolkit's wooden bar, low, with a dull tap."""
    hz, every = rng.uniform(130, 300), rng.uniform(0.17, 0.27)
    blow = f"b.strike(1); e.keyOn(); 4::ms => now; e.keyOff(); {every - 0.004}::second => now;\n"
    bar = f"""
        ModalBar b => LPF q => out; 1200 => q.freq; 4 => q.gain;
        b.preset({rng.choice((3, 5))}); {hz} => b.freq; 0.3 => b.stickHardness;
        Noise n => LPF l => Envelope e => out; 1400 => l.freq; 0.12 => n.gain; 4::ms => e.duration;
        """
    return chuck(bar + blow * rng.randint(2, 5), rng)


# -- a clock ticking
def mantelpiece(rng, seconds):
    """Each tick is three small blows, and the case of wood answers."""
    every = rng.uniform(0.3, 0.5)
    case = [(rng.uniform(350, 600), 0.012, 0.5), (rng.uniform(900, 1400), 0.007, 0.7), (rng.uniform(2600, 4000), 0.004, 1), (5600, 0.002, 0.7)]
    ticks = []
    for late in (rng.uniform(0.004, 0.009), rng.uniform(0.006, 0.012)):
        force = np.zeros(int(0.03 * RATE))
        for at, loud in ((0, 0.6), (late, 1), (late * 1.7, 0.4)):
            force[int(at * RATE):int(at * RATE) + 3] += loud * np.array((0.5, 1, 0.5))
        ticks.append(rung(force, case, 0.07))
    count = max(4, int(seconds / every))
    return place([(i * every, ticks[i % 2]) for i in range(count)], count * every)


def alarm_clock(rng, seconds):
    """Tin: quick, and every second tick duller."""
    hz, every = rng.uniform(3000, 4800), rng.uniform(0.18, 0.27)
    both = "".join(f"{a} => k.next; {every}::second => now; " for a in (40, 24))
    tin = f"""
        Impulse k => ResonZ a => out; {hz} => a.freq; 12 => a.Q; 6 => a.gain;
        k => ResonZ b => out; {hz * 1.63} => b.freq; 12 => b.Q; 4 => b.gain;
        k => ResonZ c => out; {hz * 0.42} => c.freq; 6 => c.Q; 4 => c.gain;
        """
    return chuck(tin + f"{both}\n" * max(2, round(seconds / every / 2)), rng)


def quartz(rng, seconds):
    """The hand of a wall clock: a dull click, once or twice a second."""
    every, low = rng.choice((0.5, 1.0, 0.75)), rng.uniform(700, 1300)
    one = rung(touch(0.25), [(low, 0.006, 1), (low * 2.7, 0.004, 0.8), (low * 4.9, 0.002, 0.6)], 0.05)
    count = max(3, int(seconds / every) + 1)
    return place([(i * every, one) for i in range(count)] + [(i * every + 0.018, 0.3 * one) for i in range(count)], (count - 1) * every + 0.08)


# -- an explosion
def echoing(rng, seconds):
    """A pressure wave in the open, and the answers of hills and houses, each duller."""
    length = rng.uniform(1.5, 2.4)
    t, out = clock(length), np.zeros(int(length * RATE))
    blast = (1 - t / 0.006) * np.exp(-t / 0.005) + 1.2 * filtered(noise(rng, length), 60, 1500) * np.exp(-t / 0.1)
    out += blast
    for k in range(1, 14):
        at = int(rng.uniform(0.02, 0.75 * length) * RATE)
        out[at:] += 0.75 * np.exp(-at / RATE / 0.45) * rng.choice((1, -1)) * filtered(blast, None, 1200 / (1 + 0.3 * k))[:len(out) - at]
    return edges(filtered(np.tanh(1.6 * out), 35), 0.0005, 0.25)


def fireball(rng, seconds):
    length = rng.uniform(1.2, 2.0)
    return edges(chuck(f"""
        Noise n => LPF l => Gain g => out; SinOsc s => g; 1 => l.Q;
        for (0 => int i; i < 300; i++) {{
            60 + {rng.uniform(2500, 5000)} * Math.exp(-i / 45.0) => l.freq;
            48 + 80 * Math.exp(-i / 30.0) => s.freq; 0.3 * Math.exp(-i / 70.0) => s.gain;
            Math.min(1, i / 2.0) * Math.exp(-i / 90.0) * (1 + 0.4 * Math.random2f(-1, 1)) * 2.5 => n.gain;
            {length / 300}::second => now;
        }}""", rng), 0.001, 0.2)


def debris(rng, seconds):
    """A boom, and pieces that fall."""
    length = rng.uniform(1.4, 2.2)
    t = clock(length)
    boom = filtered(noise(rng, length), 35, rng.uniform(250, 500)) * np.exp(-t / 0.3) * 4 + filtered(noise(rng, length), 500, 5000) * np.exp(-t / 0.07)

    def piece():
        return filtered(noise(rng, 0.05), 700, 5000) * np.exp(-clock(0.05) / 0.008) * rng.uniform(0.1, 0.5)

    pieces = [(rng.uniform(0.15, 0.8) * length * rng.random() ** 0.5, piece()) for _ in range(30)]
    return edges(np.tanh(boom) + place(pieces, length)[:len(t)], 0.001, 0.2)


# -- an engine
def exhaust(rng, seconds):
    """Four cylinders, none like the next, into a pipe that sends their blows back."""
    seconds = max(seconds, 1.2)
    t, rate = clock(seconds), rng.uniform(22, 48)
    turns = turned(rate * (1 + rng.choice((0.05, 0.05, 0.9)) * np.sin(np.pi * t / seconds) ** 2))
    loud = np.array([rng.uniform(0.7, 1) for _ in range(4)])[np.floor(turns).astype(int) % 4]
    blow = loud * np.exp(-(turns % 1) / 0.09) + 0.15 * noise(rng, seconds)[:len(t)] * np.exp(-(turns % 1) / 0.3)
    delay = int(rng.uniform(0.003, 0.007) * RATE)
    pipe = blow.copy()
    for k in range(1, 7):
        pipe[k * delay:] += (-0.62) ** k * filtered(blow, None, 2200 / k ** 0.5)[:-k * delay]
    return edges(filtered(pipe, 30, 1800), 0.1, 0.12)


def two_stroke(rng, seconds):
    """A moped."""
    hz, seconds = rng.uniform(55, 95), max(seconds, 1.2)
    return edges(chuck(f"""
        PulseOsc p => ResonZ a => out; 0.13 => p.width; 190 => a.freq; 2 => a.Q; 2 => a.gain;
        p => ResonZ b => out; 620 => b.freq; 3 => b.Q; 2 => b.gain;
        Noise n => ResonZ c => Gain g => out; p => g; 3 => g.op; 900 => c.freq; 1 => c.Q; 0.4 => c.gain;
        for (0 => int i; i < 200; i++) {{
            {hz} * (1 + {rng.choice((0.06, 0.5))} * Math.sin(3.1416 * i / 200) + Math.random2f(-0.015, 0.015)) => p.freq;
            {seconds / 200}::second => now;
        }}""", rng), 0.08, 0.1)
