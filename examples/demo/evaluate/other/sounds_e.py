"""Half E's sounds that last, and its table: numpy by ways that the other halves do not go, programs of Faust, sounds that two General MIDI
sets keep beyond the usual 128, and one family in four out of recordings (recordings_e.py). Called as those of sounds_a.py; no family is in
another half.
"""
import numpy as np

import recordings_e as r
import sounds_e_air as air
import sounds_e_rough as rough
import sounds_e_struck as struck
from sounds_e_air import partials, steady
from tools import RATE, clock, edges, faust, filtered, midi, noise, place, resonate, turned

MUSESCORE, GS = "MuseScore_General.sf3", "FluidR3_GS"


def in_a_row(one, count, every):
    return place([(i * every, one) for i in range(count)], (count - 1) * every + len(one) / RATE)


# -- a beep
def smoke_alarm(rng, seconds):
    """A piezo disc driven hard: loud near its resonance, thin elsewhere."""
    hz, each = rng.uniform(2700, 3400), rng.uniform(0.15, 0.45)
    driven = np.tanh(4 * partials(steady(hz, each), (1,)))
    return in_a_row(edges(resonate(driven, hz, 600) + 0.1 * driven, 0.003, 0.008), rng.randint(1, 3), each + rng.uniform(0.15, 0.45))


def watch_alarm(rng, seconds):
    """Pairs or fours of short pips."""
    hz, pip, gap = rng.choice((2048, 4096, 3277, 2731)), rng.uniform(0.045, 0.065), rng.uniform(0.05, 0.07)
    one = edges(partials(steady(hz, pip), (1, 0, 0.25, 0, 0.06)), 0.001, 0.003)
    group = in_a_row(one, rng.choice((2, 4)), pip + gap)
    return in_a_row(group, rng.randint(1, 3), len(group) / RATE + rng.uniform(0.3, 0.5))


def computer_speaker(rng, seconds):
    """A square wave through a paper cone of two inches."""
    hz, each = rng.uniform(650, 1050), rng.uniform(0.15, 0.5)
    wave = partials(steady(hz, each), [1 / k if k % 2 else 0 for k in range(1, 14)])
    cone = resonate(wave, 520, 300) + resonate(wave, 2700, 900) + 0.3 * filtered(wave, 350, 6000)
    return in_a_row(edges(cone, 0.002, 0.004), rng.randint(1, 3), each + rng.uniform(0.12, 0.35))


# -- a siren
def through_a_loudspeaker_horn(wave):
    return resonate(wave, 800, 500) + 0.9 * resonate(wave, 1700, 900) + 0.4 * filtered(wave, 400, 4000)


def capacitor(rng, seconds):
    """A patrol car's, electronic: a capacitor that is charged and drained sets the pitch."""
    period = rng.choice((rng.uniform(2.2, 3.8), rng.uniform(0.26, 0.42)))
    n, up = int(max(seconds, 2.0) * RATE), rng.uniform(0.4, 0.6)
    at = (np.arange(n) / RATE / period) % 1
    charge = np.where(at < up, 1 - np.exp(-2.2 * at / up), (1 - np.exp(-2.2)) * np.exp(-2.2 * (at - up) / (1 - up)))
    hz = rng.uniform(480, 640) + rng.uniform(750, 1000) * charge
    return edges(through_a_loudspeaker_horn(partials(hz, (1, 0.1, 0.33, 0.05, 0.2, 0, 0.14))), 0.02, 0.05)


def port_wheel(rng, seconds):
    """Air through the holes of a wheel that a motor turns up and lets run down, as on roofs in the war."""
    length = max(seconds, 2.4)
    at = clock(length) / length
    speed = np.interp(at, (0, 0.4, 0.65, 1), (0.35, 0.97, 1, 0.45)) ** 0.8
    turns = turned(rng.uniform(420, 620) * speed)
    flow = np.clip(1.6 * (1 - np.abs(2 * (turns % 1) - 1)) - 0.3, 0, 1)
    air = flow * (1 + 0.04 * noise(rng, length)[:len(flow)])
    return edges(filtered(resonate(air, 900, 900) + 0.5 * (air - air.mean()), 180, 5000) * speed, 0.15, 0.2)


def bent_phase(rng, seconds):
    """Nee-naw: two notes whose sine runs through its first half too fast."""
    each, low, ratio = rng.uniform(0.4, 0.75), rng.uniform(400, 520), rng.choice((1.26, 1.33, 1.41))
    notes, bend = [], rng.uniform(0.12, 0.25)
    for i in range(max(3, round(seconds / each))):
        phase = turned(steady(low * (ratio, 1)[i % 2], each)) % 1
        warped = np.where(phase < bend, 0.5 * phase / bend, 0.5 + 0.5 * (phase - bend) / (1 - bend))
        notes.append(edges(np.sin(2 * np.pi * warped), 0.015, 0.015))
    return filtered(np.concatenate(notes), 250, 5000)


def sampled_siren(rng, seconds):
    length = max(1.8, seconds)
    return edges(midi([(0, length, 0, (5, 125), rng.randint(56, 63), 120)], length, GS), 0.02, 0.08)


# -- a phone ringing
def circling(rng, seconds):
    """An office phone: three or four tones that chase each other."""
    root, rate, ratios = rng.uniform(800, 1200), rng.uniform(16, 26), rng.choice(((1, 1.25, 1.5), (1, 1.19, 1.41, 1.68), (1, 1.5, 1.25, 1.5)))
    n = int(rng.uniform(0.45, 1.2) * RATE)
    hz = root * np.array(ratios)[(np.arange(n) / RATE * rate).astype(int) % len(ratios)]
    one = edges(filtered(partials(hz, (1, 0.15, 0.3, 0.05, 0.12)), 500, 5500), 0.004, 0.01)
    return in_a_row(one, 2 if n < 0.7 * RATE else 1, n / RATE + rng.uniform(0.15, 0.3))


def two_gongs(rng, seconds):
    """A phone on a table: a hammer between two gongs, the coil's buzz, the tin around them."""
    rate, length, hz = rng.uniform(18, 27), rng.uniform(0.9, 1.7), rng.uniform(850, 1300)
    strokes = [np.zeros(int((length + 0.25) * RATE)) for _ in range(2)]
    for i in range(int(length * rate)):
        at = int((i / rate + rng.gauss(0, 0.0008) + 0.002) * RATE)
        strokes[i % 2][at:at + 6] += np.hanning(8)[1:-1] * rng.uniform(0.7, 1)
    gongs = sum(loud * struck.ring(force, hz * apart * ratio, fade) for force, apart in zip(strokes, (1, 1.13))
                for ratio, fade, loud in ((1, 0.16, 1), (2.45, 0.12, 0.7), (2.49, 0.11, 0.5), (4.3, 0.06, 0.4), (6.2, 0.03, 0.2)))
    tin = sum(resonate(strokes[0] + strokes[1], f, 120) for f in (430, 760, 2100))
    return edges(gongs + 2 * tin, 0.001, 0.08)


def sampled_phone(rng, seconds):
    """Telephones of two sets."""
    if rng.random() < 0.5:
        return in_a_row(edges(midi([(0, 0.62, 0, (1, 124), rng.randint(56, 64), 120)], 0.62, GS), 0.003, 0.04), rng.randint(1, 3), 0.62)
    length = rng.uniform(0.8, 1.6)
    return edges(midi([(0, length + 0.1, 0, 124, rng.randint(57, 66), 120)], length, MUSESCORE), 0.003, 0.05)


MARIMBA = 'process=pm.marimba(nentry("hz",440,50,3000,0.1),1,nentry("cutoff",6000,100,12000,1),0.25,1,button("gate"));'


def marimba_ringtone(rng, seconds):
    """A pocket phone's: one figure on wooden bars, again and again."""
    step, root = rng.uniform(0.11, 0.15), rng.uniform(440, 620)
    figure = rng.choice(((0, 7, 12, 7, 4, 7, 12, 16), (12, 7, 9, 4, 7, 0), (0, 4, 7, 11, 7, 4), (7, 12, 7, 12, 14, 12)))
    bars = {}
    for k in set(figure):
        tone = faust(MARIMBA, [(0, "hz", root * 2 ** (k / 12)), (0.002, "gate", 1), (0.03, "gate", 0)], 0.35)
        bars[k] = edges(tone / np.abs(tone).max(), 0.0005, 0.1)
    figure = figure * max(1, round(1.4 / step / len(figure)))
    return filtered(place([(i * step, bars[k]) for i, k in enumerate(figure)], len(figure) * step + 0.15), 350, 8000)


# -- a car horn
def toots(rng, one):
    """`one`(seconds) in one of a driver's rhythms."""
    parts, at = [], 0.0
    for length in rng.choice(((0.9,), (0.2, 0.2), (0.25, 0.65), (0.45, 0.45))):
        parts.append((at, one(length * rng.uniform(0.9, 1.2))))
        at += len(parts[-1][1]) / RATE + rng.uniform(0.09, 0.15)
    return place(parts, at)


def clipped_discs(rng, seconds):
    """Two discs that swing until they strike their stops."""
    low, ratio, stop = rng.uniform(390, 460), rng.choice((1.19, 1.22, 1.25)), rng.uniform(0.3, 0.6)

    def blow(length):
        t = clock(length)
        rise = 1 - 0.03 * np.exp(-t / 0.02)
        discs = [np.diff(np.minimum(np.sin(2 * np.pi * turned(hz * rise)), stop), 2, prepend=[0, 0]) for hz in (low, low * ratio)]
        both = sum(disc / np.abs(disc[100:]).max() for disc in discs)
        return edges(resonate(both, 1500, 700) + 0.8 * resonate(both, 2900, 900) + 0.6 * resonate(both, 500, 400), 0.012, 0.025)
    return toots(rng, blow)


def coach(rng, seconds):
    """A bus: two deep trumpets whose tone gets harder as the air comes."""
    low, ratio = rng.uniform(190, 260), rng.choice((1.19, 1.26, 1.33))

    def blow(length):
        hard = 1 + 5 * (1 - np.exp(-clock(length) / 0.07))
        wave = sum(np.tanh(hard * (np.sin(2 * np.pi * hz * clock(length)) + 0.4)) for hz in (low, low * ratio))
        return edges(filtered(wave, 220, 3200), 0.04, 0.06)
    return toots(rng, blow)


def meep(rng, seconds):
    """A small old car's single reed, through the nose."""
    hz, sizes = rng.uniform(480, 640), [rng.uniform(0.9, 1.1) for _ in range(3)]

    def blow(length):
        wave = partials(steady(hz, length) * (1 + 0.004 * np.sin(2 * np.pi * 31 * clock(length))), [1] * 12)
        return edges(sum(resonate(wave, f * size, 260) for f, size in zip((1250, 2500, 3700), sizes)) + 0.15 * wave, 0.008, 0.02)
    return toots(rng, blow)


FAMILIES = {
    "a beep": [smoke_alarm, watch_alarm, computer_speaker, r.recorded_signal],
    "a siren": [capacitor, port_wheel, bent_phase, sampled_siren, r.recorded_sirens],
    "clapping": [struck.falling_in, struck.one_pair, struck.sampled_applause, r.recorded_applause],
    "a bell": [struck.cast_bell, struck.hotel_desk, struck.sampled_church, r.recorded_bells],
    "drums": [struck.snare_line, struck.goblets, struck.sampled_taiko, r.recorded_tabla, r.recorded_breaks],
    "barking": [rough.partials_and_breath, rough.hoarse, rough.sampled_dog, r.recorded_three_dogs],
    "music": [air.chip_tune, air.nylon_strings, air.folk_group, r.recorded_tunes],
    "a whistle": [air.jet_and_ball, air.two_fingers, air.bosun_pipe, r.recorded_referee],
    "knocking": [struck.plate, struck.window_pane, struck.door_knocker], "ringing": [circling, two_gongs, sampled_phone, marimba_ringtone],
    "birdsong": [air.gestures, air.falling_song, air.two_notes, air.sampled_birds, r.recorded_woods],
    "ticking": [struck.ratchet_timer, struck.long_case, r.recorded_clocks], "a horn": [clipped_discs, coach, meep, r.recorded_horns],
    "an explosion": [rough.avalanche, rough.quarry, rough.sampled_explosion, r.recorded_charges],
    "an engine": [rough.v_twin, rough.tractor, rough.orders, rough.sampled_car, r.recorded_engines],
}
