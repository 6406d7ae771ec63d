"""The sounds of the world, synthesised: for every key of world.SOUNDS a function that draws one variant of it.

A recipe is called as `recipe(rng, height, kind)`: `height` in [0, 1) sets what differs most between variants (mostly
pitch or size), `kind` counts the variants and picks among the sorts of a sound. Both are spread evenly over the
variants, so that they differ more than free draws would. Returned is float [N] at RATE, 0.25-1.6 s, of any level.

Rumbles (drums, engine, explosion) have a clear shape in time on purpose: a model that knows them by their spectrum
alone hears them in every wind and fan.
"""
import numpy as np

from bank_tones import RATE, band, lay, noise, ping, seconds, span, swell, tone


def beep(rng, height, kind):
    count, each, pause = [(1, 0.45, 0), (2, 0.12, 0.1), (3, 0.08, 0.07), (4, 0.15, 0.12), (1, 0.25, 0)][kind % 5]
    each *= rng.uniform(0.8, 1.3)
    levels = [(1.0,), (1.0, 0, 0.25, 0, 0.1)][kind % 2]  # a pure tone, or a rather square one
    one = tone(span(700, 2600, height), int(each * RATE), levels)
    one *= swell(len(one), 0.004, 0.004)
    return lay([(i * (each + pause), one) for i in range(count)], count * (each + pause) - pause)


def siren(rng, height, kind):
    duration = rng.uniform(1.3, 1.6)
    t, low = seconds(duration), span(450, 800, height)
    if kind % 3 == 0:  # a slow wail, once up and down
        hz = low * span(1, rng.uniform(1.9, 2.5), 0.5 - 0.5 * np.cos(2 * np.pi * t / duration))
    elif kind % 3 == 1:  # a yelp, several times a second
        hz = low * 1.2 * span(1, rng.uniform(1.7, 2.2), np.abs((t * rng.uniform(2.5, 5)) % 1 * 2 - 1))
    else:  # two tones in turn
        hz = low * np.where((t * rng.uniform(1.2, 2.2) * 2) % 2 < 1, 1.0, rng.uniform(1.26, 1.42))
    samples = tone(hz, None, 0.7 ** np.arange(6) * rng.uniform(0.3, 1, 6) * [2, 1, 1, 1, 1, 1])
    return samples * swell(len(samples), 0.03, 0.05)


def clapping(rng, height, kind):
    duration = rng.uniform(1.1, 1.6)
    people = [4, 15, 40][kind % 3]
    parts = []
    for _ in range(people):
        every, late = rng.uniform(0.2, 0.32), rng.uniform(0, 0.3)
        centre, level = span(800, 2400, 0.6 * height + 0.4 * rng.random()), rng.uniform(0.25, 1)
        for start in np.arange(late, duration - 0.05, every):
            clap = noise(rng, 0.06, centre * 0.6, centre * 1.7) * np.exp(-seconds(0.06) / rng.uniform(0.004, 0.012))
            parts.append((max(start + rng.normal(0, 0.012), 0), clap * level))
    return lay(parts, duration)


def bell(rng, height, kind):
    duration, hz = rng.uniform(1.2, 1.6), span(350, 1900, height)
    ratios = np.array([0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.1, 5.4]) * rng.uniform(0.99, 1.01, 10)
    levels = np.array([0.4, 1, 0.8, 0.3, 0.9, 0.4, 0.4, 0.5, 0.35, 0.2]) * rng.uniform(0.6, 1.2, 10)
    ring = rng.uniform(0.35, 0.8)
    stroke = sum(level * ping(hz * ratio, duration, ring / ratio ** 0.7)
                 for ratio, level in zip(ratios, levels) if hz * ratio < 7000)
    return lay([(start, stroke) for start in [[0], [0, 0.5], [0, 0.35, 0.7]][kind % 3]], duration)


def skin(hz, bend, bend_time, decay):
    """A struck drum: its pitch starts higher by the share `bend` and settles at hz."""
    t = seconds(0.25)
    return tone(hz * (1 + bend * np.exp(-t / bend_time))) * np.exp(-t / decay)


def kick(rng, hz):
    return skin(hz, 2.5, 0.02, 0.08)


def snare(rng, hz):
    t = seconds(0.2)
    return 0.7 * noise(rng, 0.2, 1200) * np.exp(-t / 0.05) + 0.6 * ping(hz * 3.2, 0.2, 0.05)


def hat(rng, hz):
    return 0.45 * noise(rng, 0.08, 5000) * np.exp(-seconds(0.08) / 0.018)


def tom(rng, hz):
    return skin(hz * rng.uniform(1.4, 3), 0.4, 0.04, 0.09)


def drums(rng, height, kind):
    """Eight steps: k kick, s snare, h hat, t tom; in half of the variants a hat marks every other step too."""
    pattern = ["khshkksh", "ksksksss", "khhshksh", "ttksttks", "sssskssk", "ktstktss"][kind % 6]
    step, hz = rng.uniform(0.12, 0.19), span(45, 85, height)
    struck = {"k": kick, "s": snare, "h": hat, "t": tom}
    parts = [(i * step, struck[letter](rng, hz) * rng.uniform(0.75, 1)) for i, letter in enumerate(pattern)]
    parts += [(i * step, hat(rng, hz)) for i in range(0, 8, 2) if kind % 2 == 0]
    return lay(parts, 8 * step + 0.08)


def bark(rng, hz, size):
    """Harmonics under two formants that fall, over a puff of breath."""
    duration = rng.uniform(0.13, 0.24)
    t = seconds(duration) / duration
    pitch = hz * (0.75 + 0.45 * np.sin(np.pi * np.clip(t * 1.15, 0, 1)) ** 0.7)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    throat = [(size * (1.35 - 0.6 * t), 0.28, 1.0), (size * 2.3 * (1.2 - 0.35 * t), 0.2, 0.6)]
    voice = 0
    for k in range(1, int(6000 / hz)):
        level = sum(weight * np.exp(-(np.log(k * pitch / formant) / width) ** 2) for formant, width, weight in throat)
        voice = voice + (level + 0.08 / k) * np.sin(k * phase + 0.6 * np.sin(phase / 2))
    breath = noise(rng, duration, 500, 4000) * 0.5
    return (voice + breath) * np.clip(t / 0.08, 0, 1) * np.exp(-3 * t) * (1 - t) ** 0.5


def barking(rng, height, kind):
    count, every = 1 + kind % 3, rng.uniform(0.32, 0.5)
    hz, size = span(220, 620, height), span(550, 1000, height)
    parts = [(i * every, bark(rng, hz, size) * rng.uniform(0.7, 1)) for i in range(count)]
    return lay(parts, (count - 1) * every + 0.3)


def plucked(rng, hz, duration):
    """A string after Karplus and Strong: a burst of noise runs round and round through a gentle low-pass."""
    delay = int(RATE / hz)
    out = np.zeros(int(duration * RATE))
    out[:delay] = rng.uniform(-1, 1, delay)
    for start in range(delay, len(out), delay):  # a whole period at a time; every sample needs only the one before
        last = out[start - delay:start]
        out[start:start + delay] = (0.498 * (last + np.roll(last, 1)))[:len(out) - start]
    return out


def blown(rng, hz, duration):
    t = seconds(duration)
    hum = tone(hz * (1 + 0.006 * np.sin(2 * np.pi * 5.5 * t)), None, (1, 0.3, 0.12))
    return (hum + 0.06 * noise(rng, duration, hz, hz * 3)) * swell(len(t), 0.04, 0.06)


def organ(rng, hz, duration):
    held = tone(hz, int(duration * RATE), (1, 0.7, 0.2, 0.5, 0, 0.2, 0, 0.3))
    return held * swell(len(held), 0.012, 0.03)


def music(rng, height, kind):
    """A short melody on a scale, in three instruments, some with a bass."""
    scale = np.array([[0, 2, 4, 7, 9, 12, 14, 16], [0, 3, 5, 7, 10, 12, 15, 17], [0, 2, 4, 5, 7, 9, 11, 12]][kind % 3])
    play = [plucked, blown, organ][(kind // 3) % 3]
    base, length = span(220, 480, height), rng.uniform(0.17, 0.3)
    places = np.clip(np.cumsum(rng.choice([-2, -1, 1, 1, 2, 3], int(1.5 / length))), 0, 7)
    parts = [(i * length, play(rng, base * 2 ** (scale[place] / 12), length * (1.6 if play is plucked else 1)))
             for i, place in enumerate(places)]
    if kind % 2:
        parts += [(i * length, 0.7 * plucked(rng, base / 2, 4 * length)) for i in range(0, len(places), 4)]
    return lay(parts, len(places) * length)


def whistle(rng, height, kind):
    if kind % 2:  # a referee's: two close tones, chopped by the pea, and much breath
        duration, hz = rng.uniform(0.35, 1.1), span(2100, 3300, height)
        t = seconds(duration)
        pea = 0.55 + 0.45 * np.sin(2 * np.pi * rng.uniform(22, 42) * t)
        samples = (tone(hz * (1 + 0.02 * pea)) + 0.6 * tone(hz * 1.06 * (1 + 0.02 * pea))) * pea
        return (samples + 0.25 * noise(rng, duration, hz * 0.8, hz * 1.3)) * swell(len(t), 0.015, 0.03)
    # of lips: a glide up, a glide up and down, or one that falls
    duration, hz = rng.uniform(0.6, 1.3), span(900, 1900, height)
    t = seconds(duration) / duration
    glide = [t ** 2, np.sin(np.pi * t) ** 2, np.where(t < 0.4, t * 2.5, 1.4 - t)][kind // 2 % 3]
    sung = hz * span(1, rng.uniform(1.5, 2), glide) * (1 + 0.008 * np.sin(2 * np.pi * 6 * t * duration))
    gap = 1 - 0.97 * np.exp(-((t - 0.42) / 0.03) ** 2) if kind // 2 % 3 == 2 else 1
    return (tone(sung, None, (1, 0.05)) + 0.05 * noise(rng, duration, hz, hz * 2)) * swell(len(t), 0.04, 0.06) * gap


def knocking(rng, height, kind):
    count, every, hz = 2 + kind % 4, rng.uniform(0.16, 0.3), span(90, 300, height)
    wood = [(hz * ratio, rng.uniform(0.4, 1) / ratio ** 0.5) for ratio in (1, 1.7, 2.6, 4.1)]
    parts = []
    for i in range(count):
        thud = sum(level * ping(pitch, 0.16, 0.028) for pitch, level in wood)
        thud[:80] += 0.5 * noise(rng, 0.005, 300, 3000)
        parts.append((i * every + rng.normal(0, 0.006) * (i > 0), thud * rng.uniform(0.75, 1)))
    return lay(parts, (count - 1) * every + 0.2)


def ringing(rng, height, kind):
    duration = rng.uniform(0.9, 1.5)
    t = seconds(duration)
    if kind % 3 == 0:  # two brass bells, a hammer between them
        every, hz = rng.uniform(0.032, 0.045), span(900, 1700, height)
        strokes = [sum(ping(p * h, 0.5, 0.12) * l for p, l in ((1, 1), (2.4, 0.6), (3.6, 0.4))) for h in (hz, hz * 1.22)]
        return lay([(i * every, strokes[i % 2]) for i in range(int((duration - 0.3) / every))], duration)
    if kind % 3 == 1:  # electronic: two notes in quick turn, in one burst or two
        hz = span(800, 1700, height) * np.where((t * rng.uniform(26, 44)) % 2 < 1, 1, 1.25)
        gate = ((t / duration * (1 + kind % 2)) % 1 < 0.8) * 1.0
        return tone(hz, None, (1, 0, 0.35, 0, 0.15)) * np.convolve(gate, np.ones(80) / 80, "same") * swell(len(t))
    step, hz = rng.uniform(0.07, 0.1), span(650, 1250, height)  # a mobile's: a run of notes, twice
    chord = np.array([[0, 4, 7, 12, 7, 4], [12, 7, 4, 0, 4, 7], [0, 7, 12, 16, 12, 7]][kind // 3 % 3])
    notes = np.tile(chord, 2)
    parts = [(i * step, ping(hz * 2 ** (n / 12), 0.2, 0.07) + 0.25 * ping(4 * hz * 2 ** (n / 12), 0.2, 0.02))
             for i, n in enumerate(notes)]
    return lay(parts, len(notes) * step + 0.1)


def birdsong(rng, height, kind):
    """Phrases of one chirp, said again a few times, then another."""
    duration, low, start, parts = rng.uniform(0.9, 1.5), span(1900, 3600, height), 0.0, []
    while start < duration - 0.12:
        length, bend, turn = rng.uniform(0.035, 0.13), rng.uniform(1.2, 1.8), rng.integers(3)
        t = seconds(length) / length
        curve = [t, 1 - t, np.sin(np.pi * t)][turn]
        trill = 1 + 0.04 * np.sin(2 * np.pi * 45 * t * length) * (kind % 2)
        chirp = tone(low * span(1, bend, curve) * trill, None, (1, 0.08))
        for _ in range(rng.integers(1, 3 + 2 * (kind % 3))):
            parts.append((start, chirp * np.sin(np.pi * t) * rng.uniform(0.6, 1)))
            start += length + rng.uniform(0.015, 0.05)
        start += rng.uniform(0.03, 0.12)
    return lay(parts, duration)


def ticking(rng, height, kind):
    every, hz = [0.5, 0.25, 0.33, 0.2][kind % 4] * rng.uniform(0.92, 1.08), span(1500, 4200, height)
    count = int(1.5 / every)
    tock = rng.uniform(0.7, 0.95)  # every second one is a little lower
    parts = []
    for i in range(count):
        pitch = hz * (tock if i % 2 else 1)
        tick = sum(level * ping(pitch * ratio, 0.05, decay)
                   for ratio, level, decay in ((1, 1, 0.003), (1.63, 1, 0.0018), (0.3, 0.4, 0.006)))
        tick[:24] += 0.4 * noise(rng, 0.0015)
        parts += [(i * every, tick), (i * every + 0.02, 0.3 * tick)]
    return lay(parts, count * every - every + 0.08)


def horn(rng, height, kind):
    """Two notes at once, reedy; once long, or short and short again."""
    lengths = [(0.8,), (0.18, 0.45), (0.35,), (0.15, 0.15, 0.5)][kind % 4]
    hz, apart = span(210, 460, height), rng.choice([1.19, 1.25, 1.26, 1.33])
    levels = np.arange(1, 19) ** -0.6 * rng.uniform(0.5, 1.2, 18)
    start, parts = 0.0, []
    for length in np.array(lengths) * rng.uniform(0.85, 1.2):
        count = int(length * RATE)
        note = tone(hz, count, levels) + tone(hz * apart, count, levels)
        parts.append((start, note * swell(count, 0.012, 0.025)))
        start += length + 0.09
    return lay(parts, start - 0.07)


def explosion(rng, height, kind):
    """A crack, a boom that gets duller as it dies, and debris; far ones have less of the crack."""
    duration = rng.uniform(1.2, 1.6)
    t, blast = seconds(duration), rng.standard_normal(int(duration * RATE))
    layers = [(7000, 0.03, [1.0, 0.5, 0.2][kind % 3]), (1800, 0.12, 1.2), (500, 0.25, 3.0), (180, 0.35, 6.0)]
    dull, slow = span(1.1, 0.5, height), rng.uniform(0.5, 1.25)
    boom = sum(level * band(blast, 0, high * dull) * np.exp(-t / (fade * slow)) for high, fade, level in layers)
    sub = tone(span(60, 110, height) * (0.4 + np.exp(-t / 0.15))) * np.exp(-t / 0.25)
    debris = [(rng.uniform(0.15, 0.9), noise(rng, 0.02, 800, 5000) * rng.uniform(0.05, 0.25) * np.hanning(320))
              for _ in range(8 + 10 * (kind % 2))]
    return np.tanh(0.9 * (boom + 1.2 * sub)) * swell(len(t), 0.002, 0.2) + lay(debris, duration)


def engine(rng, height, kind):
    """Firings of unequal cylinders, each a pulse that rings in the pipe: idling, revved up and down, or speeding up.

    Four firings are a turn, and they limp: the level swings a few times a second, which no steady rumble does.
    """
    duration = rng.uniform(1.2, 1.6)
    t = seconds(duration) / duration
    rev = [1 + 0.05 * np.sin(4 * np.pi * t), span(1, 2.4, np.sin(np.pi * t) ** 2), span(1, 2, t)][kind % 3]
    turns = np.cumsum([span(14, 34, height), span(24, 55, height), span(24, 55, height)][kind % 3] * rev) / RATE
    strength = np.array([1, rng.uniform(0.15, 0.4), rng.uniform(0.5, 0.8), rng.uniform(0.15, 0.4)])
    pipe = sum(level * ping(rng.uniform(low, 1.7 * low), 0.08, decay) for low, level, decay in
               ((80, 1, 0.014), (250, 0.8, 0.008), (700, 0.5, 0.004), (1500, 0.3, 0.002)))
    out = np.zeros(len(t) + len(pipe))
    for i, at in enumerate(np.flatnonzero(np.diff(np.floor(turns)) > 0)):
        out[at:at + len(pipe)] += strength[i % 4] * pipe * (1 + 0.12 * rng.standard_normal(len(pipe)))
    return out[:len(t)] * swell(len(t), 0.02, 0.02)


RECIPES = {"a beep": beep, "a siren": siren, "clapping": clapping, "a bell": bell, "drums": drums, "barking": barking,
           "music": music, "a whistle": whistle, "knocking": knocking, "ringing": ringing, "birdsong": birdsong,
           "ticking": ticking, "a horn": horn, "an explosion": explosion, "an engine": engine}
