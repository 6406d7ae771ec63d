"""Half D's sounds that last, and its table: programs of ChucK, the FluidR3 sounds, numpy by ways that the other halves do not go, and one
family in four out of recordings (recordings.py). Called as those of sounds_a.py; no family is in another half.
"""
import numpy as np

import recordings as r
import sounds_d_struck as struck
from tools import RATE, chuck, clock, edges, filtered, midi, noise, place, resonate, turned

FLUID = "FluidR3_GM"


def harmonic(hz, levels):
    """Harmonics of a varying frequency, those below 0.45 of the rate."""
    turns = turned(hz)
    return sum(a * np.sin(2 * np.pi * k * turns) * (k * hz < 0.45 * RATE) for k, a in levels.items())


# -- a beep
def reversing(rng, seconds):
    """A lorry that backs up."""
    hz, each = rng.uniform(1000, 1400), rng.uniform(0.28, 0.5)
    one = edges(harmonic(np.full(int(each * RATE), hz), {1: 1, 3: 0.3, 5: 0.15, 7: 0.06}), 0.003, 0.006)
    return struck.times(one, rng.randint(2, 3), 2 * each)


def kitchen_timer(rng, seconds):
    hz, each, gap = rng.uniform(1900, 2800), rng.uniform(0.06, 0.09), rng.uniform(0.05, 0.09)
    pips = "0.9 => g.gain; %f::second => now; 0 => g.gain; %f::second => now;\n" % (each, gap)
    rest = f"{rng.uniform(0.35, 0.6)}::second => now;\n"
    return chuck(f"PulseOsc o => HPF h => LPF f => Gain g => out; 300 => h.freq; {hz} => o.freq; 0.35 => o.width; 7000 => f.freq;\n"
                 + rest.join([pips * rng.choice((2, 3, 4))] * rng.randint(1, 2)), rng)


def busy_line(rng, seconds):
    low, high = rng.choice(((425, 425), (480, 620), (400, 450)))
    each, t = rng.uniform(0.24, 0.5), clock(0.5)
    one = (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t))[:int(each * RATE)]
    return struck.times(edges(one, 0.004, 0.008), rng.randint(2, 4), 2 * each)


# -- a siren
def loudspeaker(rng, seconds):
    """A patrol car's: a clipped triangle through the horn of its loudspeaker."""
    t, turn, low = clock(max(seconds, 1.8)), rng.choice((rng.uniform(0.25, 0.4), rng.uniform(1.6, 3.2))), rng.uniform(550, 700)
    rise = 1 - np.abs(2 * ((t / turn) % 1) - 1)
    wave = np.tanh(3 * (2 * np.abs(2 * (turned(low * 2.2 ** rise) % 1) - 1) - 1))
    return edges(resonate(wave, 950, 500) + 0.8 * resonate(wave, 1900, 900) + 0.2 * wave, 0.02, 0.06)


def martin_horn(rng, seconds):
    """Two notes of two reeds each."""
    low, each = rng.uniform(390, 470), rng.uniform(0.45, 0.8)
    notes = "".join(f"{hz} => a.freq; {hz * 2.003} => b.freq; {each}::second => now;\n" for hz in (low, low * 4 / 3) * 2)
    reeds = """
        PulseOsc a => HPF h => LPF f => out; PulseOsc b => h;
        0.2 => a.width; 0.3 => b.width; 0.35 => b.gain; 150 => h.freq; 3800 => f.freq;
        """
    return edges(chuck(reeds + notes, rng), 0.01, 0.03)


def alarm_drum(rng, seconds):
    """Two rows of holes in one drum that spins up, stays and runs down."""
    low, top, ratio = rng.uniform(150, 220), rng.uniform(430, 620), rng.choice((1.2, 1.25, 1.33))
    return edges(chuck(f"""
        SawOsc a => LPF f => out; SawOsc b => f; 2600 => f.freq; 0.6 => b.gain;
        {low} => float hz;
        fun void turn(float to, float s) {{
            for (0 => int i; i < 100; i++) {{
                hz + (to - hz) * 0.045 => hz; hz => a.freq; hz * {ratio} => b.freq;
                (s / 100)::second => now;
            }}
        }}
        turn({top}, 1.2); turn({top}, 0.5); turn({low}, 0.9);""", rng), 0.15, 0.25)


# -- a whistle
def three_chambers(rng, seconds):
    """A referee's without a ball: three tones that beat, and the air beside them."""
    hz, count = rng.uniform(2900, 3500), rng.choice((1, 1, 2))
    parts, at = [], 0.0
    for length in [rng.uniform(0.35, 0.9)] if count == 1 else [rng.uniform(0.15, 0.25), rng.uniform(0.3, 0.6)]:
        t = clock(length)
        swell = 1 + 0.02 * np.exp(-t / 0.04) - 0.01 * (t > length - 0.05)
        blow = sum(np.sin(2 * np.pi * turned(hz * k * swell)) for k in (1, 1.021, 1.083)) + 0.25 * filtered(noise(rng, length), 2000, 7000)
        parts.append((at, edges(blow, 0.015, 0.03)))
        at += length + 0.09
    return place(parts, at - 0.09)


def lips_glide(rng, seconds):
    """Someone whistles after somebody: up, and up and down."""
    low = rng.uniform(800, 1050)
    shapes = rng.choice((((1, 2.1, 0.4), (1.05, 1.9, 0.25), (1.9, 0.9, 0.4)), ((1, 1.6, 0.3), (1.6, 1.5, 0.35)), ((1.8, 1.2, 0.5),)))
    glide = "".join(f"""
        for (0 => int i; i < 100; i++) {{
            {low} * ({a} + {b - a} * i / 100.0) => hz; hz + v.last() * 9 => s.freq; hz => n.freq;
            {length / 100}::second => now;
        }}""" for a, b, length in shapes)
    lips = """
        SinOsc v => blackhole; 5.5 => v.freq; SinOsc s => out; float hz;
        Noise w => ResonZ n => out; 9 => n.Q; 0.1 => n.gain;
        """
    return edges(chuck(lips + glide, rng), 0.06, 0.07)


def whistled_notes(rng, seconds):
    """General MIDI's whistle: a short call."""
    step, root = rng.uniform(0.2, 0.35), rng.randint(74, 82)
    call = rng.choice(((0, 4), (7, 0), (0, 4, 7), (0, 5, 4)))
    return midi([(i * step, step * 0.95, 0, 78, root + k, 110) for i, k in enumerate(call)], len(call) * step + 0.25, FLUID)


# -- a phone ringing
def ring_ring(rng, seconds):
    """A wall phone with the double ring of Britain: a hammer between two gongs."""
    hz, rate = rng.uniform(900, 1400), rng.uniform(19, 25)
    hits = f"for (0 => int i; i < {int(0.4 * rate)}; i++) {{ 30 => k.next; {0.5 / rate}::second => now; 30 => l.next; {0.5 / rate}::second => now; }}\n"
    gongs = "".join(f"{k} => ResonZ r{n} => out; {hz * ratio} => r{n}.freq; {q} => r{n}.Q; {g} => r{n}.gain;\n" for n, (k, ratio, q, g) in
                    enumerate((("k", 1, 120, 6), ("k", 2.62, 200, 3), ("l", 1.17, 120, 6), ("l", 3.1, 200, 3), ("k", 4.4, 200, 1))))
    return chuck("Impulse k; Impulse l;\n" + gongs + f"{hits}0.2::second => now;\n{hits}0.12::second => now;\n", rng)


def mobile_tune(rng, seconds):
    """One voice of a cheap loudspeaker: the same few notes again."""
    step, root = rng.uniform(0.1, 0.14), rng.uniform(650, 900)
    tune = rng.choice(((12, 11, 4, 7, 9, 7, 0, 4), (0, 7, 12, 7, 0, 7, 12, 16), (12, 12, 7, 12, 12, 7, 14, 12)))
    notes = [edges(harmonic(np.full(int(step * RATE), root * 2 ** (k / 12)), {1: 1, 2: 0.3, 3: 0.5, 5: 0.2}), 0.003, 0.012) for k in tune]
    return filtered(np.concatenate(notes * rng.choice((1, 2))), 500, 6000)


def desk_bell(rng, seconds):
    """General MIDI's telephone."""
    length = rng.uniform(0.9, 1.8)
    return edges(midi([(0, length + 0.1, 0, 124, rng.randint(65, 74), 120)], length, FLUID), 0.003, 0.05)


# -- birdsong
def flutes_and_twitter(rng, seconds):
    """A thrush: some clear notes with a glide, a twitter of two voices after them."""
    parts, at = [], 0.0
    while at < seconds - 0.3:
        for _ in range(rng.randint(2, 4)):
            length, hz = rng.uniform(0.09, 0.22), rng.uniform(1900, 3200)
            t = clock(length) / length
            note = np.sin(2 * np.pi * turned(hz * (1 + rng.uniform(-0.2, 0.2) * t ** 2 + 0.015 * np.sin(40 * t))))
            parts.append((at, note * np.sin(np.pi * t) ** 0.7))
            at += length + rng.uniform(0.02, 0.06)
        length = rng.uniform(0.12, 0.3)
        t = clock(length)
        sweep = 4300 + 1100 * np.sin(2 * np.pi * rng.uniform(18, 34) * t)
        two = np.sin(2 * np.pi * turned(sweep)) + 0.5 * np.sin(2 * np.pi * turned(sweep * 1.31))
        parts.append((at, 0.4 * two * np.sin(np.pi * t / length)))
        at += length + rng.uniform(0.05, 0.2)
    return place(parts, max(seconds, at))


CHIRP = """
    fun void chirp(float at, float s, float hz, float up, float loud) {
        at::second => now;
        SinOsc a => Envelope e => out; SinOsc b => e; 0.12 => b.gain; loud => a.gain;
        (s * 0.4)::second => e.duration; e.keyOn();
        for (0 => int i; i < 40; i++) {
            hz * (i < 16 ? 1 + (up - 1) * i / 16.0 : up - (up - 0.8) * (i - 16) / 24.0) => a.freq; a.freq() * 2 => b.freq;
            if (i == 24) e.keyOff();
            (s / 40)::second => now;
        }
        e =< out;
    }
    """


def sparrows(rng, seconds):
    """Short chirps, two birds."""
    rows = []
    for _ in range(2):
        hz, at, every = rng.uniform(3000, 4800), rng.uniform(0, 0.15), rng.uniform(0.16, 0.3)
        while at < seconds - 0.15:
            rows.append((at, rng.uniform(0.05, 0.1), hz * rng.uniform(0.9, 1.1), rng.uniform(1.15, 1.5), rng.uniform(0.4, 1)))
            at += every * rng.uniform(0.8, 1.3)
    chirps = "".join("spork ~ chirp(%.3f, %.3f, %.0f, %.3f, %.2f);\n" % row for row in rows)
    return chuck(f"{CHIRP}{chirps}{seconds}::second => now;", rng)


def tweet(rng, seconds):
    """General MIDI's bird."""
    return edges(midi([(i * 0.7, 0.7, 0, 123, rng.randint(62, 76), 115) for i in range(max(1, int(seconds / 0.7)))], max(0.7, seconds), FLUID), 0.01, 0.05)


# -- music
def mandolin_and_flute(rng, seconds):
    """Models of the Synthesis Toolkit: broken chords and a tune."""
    step, root, scale = rng.uniform(0.22, 0.36), rng.uniform(200, 280), rng.choice(((0, 2, 4, 5, 7, 9, 11, 12), (0, 2, 3, 5, 7, 8, 10, 12)))
    chords, at, lines = rng.choice(((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3))), 4, []

    def tone(k, octave=0):
        return root * 2 ** (scale[k % 7] / 12 + k // 7 + octave)

    for i in range(max(6, int(seconds / step))):
        chord = chords[i // 4 % 4]
        at = max(0, min(7, at + rng.choice((-2, -1, 1, 1, 2))))
        lines.append(f"{tone(chord + (0, 2, 4, 2)[i % 4]):.2f} => m.freq; m.pluck(0.8);\n")
        if i % 2 == 0:
            lines.append(f"{tone(at, 1):.2f} => f.freq; f.noteOn(0.7);\n")
        lines.append(f"{step}::second => now;\n")
    players = "Mandolin m => HPF h => out; Flute f => h; 60 => h.freq; 0.9 => m.gain; 0.5 => f.gain; 0.2 => f.jetDelay;\n"
    players += f"Math.srandom({rng.randint(1, 10 ** 6)});\n"  # again: the flute seeds its breath by the clock
    return edges(chuck(players + "".join(lines), rng), 0.002, 0.08)


def small_band(rng, seconds):
    """General MIDI: a tune, chords, a bass; other instruments than the other halves'."""
    tune, chord_of, beat, root = rng.choice(((11, 25), (73, 46), (66, 4), (22, 24), (68, 48))), (0, 5, 7, 3), rng.uniform(0.2, 0.34), rng.randint(55, 62)
    count, events = max(6, int(seconds / beat)), []
    for i in range(count):
        base = root + chord_of[i // 4 % 4]
        if i % 4 != 3:
            events.append((i * beat, beat * rng.choice((0.9, 1.8)), 0, tune[0], base + 12 + rng.choice((0, 4, 7, 9, 12)), rng.randint(90, 115)))
        if i % 4 == 0:
            events += [(i * beat, 3.6 * beat, 1, tune[1], base + k, 75) for k in (0, 4, 7)]
        if i % 2 == 0:
            events.append((i * beat, 1.6 * beat, 2, 33, base - 24 + (0, 7)[i // 2 % 2], 100))
    return midi(events, count * beat + 0.15, FLUID)


def strings_swell(rng, seconds):
    """Chords of detuned saws that a slow filter opens, and one line above them."""
    beat, root, out = rng.uniform(0.5, 0.8), rng.uniform(110, 165), []
    for i in range(max(3, int(seconds / beat))):
        chord = (0, -4, 3, -2)[i % 4] if rng.random() < 0.8 else 5
        n = int(beat * RATE)
        tones = [root * 2 ** ((chord + k) / 12) for k in (0, 7, 12, 15 if chord == 0 else 16, 24 + rng.choice((0, 2, 3, 7)))]
        out.append(edges(sum((turned(np.full(n, hz * d)) + rng.random()) % 1 - 0.5 for hz in tones for d in (0.997, 1, 1.004)), 0.03, 0.05))
    return edges(filtered(np.concatenate(out), 90, rng.uniform(1800, 3200)), 0.08, 0.1)


# -- a car horn
def air_chord(rng, seconds):
    """A lorry's three trumpets: brighter as the pressure comes."""
    hz, parts, at = rng.uniform(300, 370), [], 0.0
    for length in rng.choice(((1.0,), (0.3, 0.7), (0.35, 0.35))):
        t = clock(length)
        bright = 0.55 + 0.27 * (1 - np.exp(-t / 0.06))
        blow = sum(harmonic(np.full(len(t), hz * ratio), {k: bright ** k for k in range(1, 16)}) for ratio in (1, 1.2, 1.5))
        parts.append((at, edges(blow, 0.03, 0.05)))
        at += length + 0.12
    return filtered(place(parts, at - 0.12), 250)


def two_discs(rng, seconds):
    hz, ratio = rng.uniform(380, 440), rng.choice((1.2, 1.24, 1.26))
    gap = "0 => g.gain; 0.1::second => now;\n"
    toots = gap.join(f"1 => g.gain; {length}::second => now;\n" for length in rng.choice(((0.8,), (0.18, 0.18), (0.25, 0.6))))
    return chuck(f"""
        Gain g; PulseOsc a => HPF h => g; PulseOsc b => h; 200 => h.freq;
        {hz} => a.freq; {hz * ratio} => b.freq; 0.12 => a.width => b.width;
        g => ResonZ u => out; 2000 => u.freq; 3 => u.Q; 2 => u.gain;
        g => ResonZ v => out; 3300 => v.freq; 3 => v.Q; 1 => v.gain;
        g => LPF w => out; 1200 => w.freq; 0.5 => w.gain;
        {toots}0 => g.gain;""", rng)


def scooter(rng, seconds):
    """One small horn: a buzz of a single note."""
    hz = rng.uniform(430, 560)
    return edges(chuck(f"""
        SawOsc a => HPF h => LPF l => out; SqrOsc b => h; 0.5 => b.gain; 350 => h.freq; 4200 => l.freq;
        {hz} => a.freq; {hz * 1.006} => b.freq; {rng.uniform(0.35, 0.9)}::second => now;""", rng), 0.012, 0.025)


FAMILIES = {
    "a beep": [reversing, kitchen_timer, busy_line], "a siren": [loudspeaker, martin_horn, alarm_drum, r.recorded_fire_engine],
    "clapping": [struck.palms_meet, struck.machine_claps, struck.full_hall, r.recorded_hands, r.recorded_audience],
    "a bell": [struck.struck_rim, struck.tubes, struck.chimes, r.recorded_crossing], "drums": [struck.mesh, struck.kits, r.recorded_djembe, r.recorded_kit],
    "barking": [struck.big_throat, struck.small_dog, r.recorded_dogs], "music": [mandolin_and_flute, small_band, strings_swell, r.recorded_music],
    "a whistle": [three_chambers, lips_glide, whistled_notes], "knocking": [struck.door_leaf, struck.wooden_bar, r.recorded_box],
    "ringing": [ring_ring, mobile_tune, desk_bell, r.recorded_phone], "birdsong": [flutes_and_twitter, sparrows, tweet, r.recorded_birds],
    "ticking": [struck.mantelpiece, struck.alarm_clock, struck.quartz], "a horn": [air_chord, two_discs, scooter, r.recorded_car_horn],
    "an explosion": [struck.echoing, struck.fireball, struck.debris, r.recorded_blast], "an engine": [struck.exhaust, struck.two_stroke, r.recorded_motor],
}
