"""Half E's recorded families, out of files of other Debian packages than half D's (recordings.py). Nothing of them is in this repository.
Where a file holds more than the sound, which seconds of it are taken is written here; it was chosen by its spectrogram.
"""
import functools
import pathlib
import zipfile

from recordings import cut, file, stretch, strokes, unpacked, varied
from tools import RATE, edges, filtered, level, place

GAMES = "/usr/share/games/"
SCORCHED = GAMES + "scorched3d/data/globalmods/"
LINCITY = GAMES + "lincity-ng/sounds/"
POMODORO = "/usr/share/gnome-pomodoro/sounds/"
PI = "/usr/share/sonic-pi/samples/"


@functools.cache
def blobby(name):
    """A sound of Blobby Volley, which keeps them in an archive."""
    with zipfile.ZipFile("/usr/share/blobby/sounds.zip") as archive:
        return unpacked(pathlib.Path(name).name, archive.read(name))


def taken(rng, places, much=0.06):
    """One of [(file, start, stop)], a little faster or slower."""
    name, start, stop = rng.choice(places)
    return varied(cut(file(name), start, stop), rng, much)


def recorded_signal(rng, seconds):
    """The beeps of a game's computer, in a row."""
    name, stop = rng.choice(((SCORCHED + "none/data/wav/misc/beep.wav", 0.12), (GAMES + "tuxfootball/sound/beep.wav", 0.3)))
    one = varied(cut(file(name), 0, stop), rng, 0.1)
    every = len(one) / RATE + rng.uniform(0.1, 0.35)
    return place([(i * every, one) for i in range(rng.randint(1, 4))], 4 * every)


def recorded_sirens(rng, seconds):
    """A patrol car, fire engines, ambulances."""
    name, start, stop = rng.choice(((SCORCHED + "apoc/data/wav/misc/policecar.wav", 0.3, 5.2), (SCORCHED + "apoc/data/wav/misc/firetruck.wav", 0.2, 3.2),
                                    (LINCITY + "Health3.wav", 0.1, 3.0), (LINCITY + "Health4.wav", 0.8, 3.9)))
    return stretch(file(name), start, stop, max(seconds, 1.8), rng)


def recorded_applause(rng, seconds):
    name, start, stop = rng.choice(((GAMES + "frozen-bubble/snd/applause.ogg", 0, 2.0), (GAMES + "monsterz/sound/applause.wav", 2.5, 3.7),
                                    (GAMES + "circuslinux/data/sounds/applause.wav", 0, 3.4)))
    return stretch(file(name), start, stop, max(seconds, 1.2), rng)


def recorded_bells(rng, seconds):
    """A desk's bell, a struck bowl."""
    if rng.random() < 0.5:
        one, every = varied(file(POMODORO + "loud-bell.ogg"), rng, 0.12), rng.uniform(0.4, 0.7)
        return place([(i * every, one) for i in range(rng.randint(1, 3))], 3 * every + 1.2)
    return varied(edges(file(PI + "perc_bell.flac")[:int(2.2 * RATE)], 0.0005, 0.9), rng, 0.12)


def recorded_tabla(rng, seconds):
    names = {"n": "na", "g": f"ghe{rng.choice('123')}", "t": f"te{rng.choice('12')}", "k": f"ke{rng.choice('123')}",
             "d": "dhec", "u": f"tun{rng.choice('123')}"}
    sounds = {c: edges(level(file(f"{PI}tabla_{name}.flac")[:int(0.45 * RATE)]), 0.0002, 0.05) for c, name in names.items()}
    pattern, every = rng.choice(("g.tknkt.", "gntkgtnk", "d.tkd.un", "gtkngtku")), rng.uniform(0.12, 0.18)
    return strokes((pattern * 4)[:max(8, int(seconds / every))], every, sounds, rng)


def recorded_breaks(rng, seconds):
    """Bars that a drummer played."""
    name, stop = rng.choice(((PI + "loop_amen_full.flac", 6.8), (PI + "loop_breakbeat.flac", 1.88)))
    return stretch(file(name), 0, stop, max(seconds, 1.4), rng)


def recorded_three_dogs(rng, seconds):
    which = rng.choice((1, 2, 2, 3))
    folder = SCORCHED + "apoc/data/wav/misc/"
    if which == 1:
        one, every = varied(cut(file(folder + "dog.wav"), 0, 0.3), rng, 0.1), rng.uniform(0.42, 0.7)
        return place([(i * every, one * rng.uniform(0.8, 1)) for i in range(rng.randint(1, 4))], 4 * every)
    if which == 2:
        return varied(cut(file(folder + "dog2.wav"), 0, 0.93), rng, 0.1)
    return stretch(filtered(file(folder + "dog3.wav"), 200), 0, 3.6, max(1.0, seconds), rng)


def recorded_tunes(rng, seconds):
    name, start, stop = rng.choice(((GAMES + "frozen-bubble/snd/frozen-mainzik-1p.ogg", 20, 300), (GAMES + "frozen-bubble/snd/introzik.ogg", 20, 180),
                                    (GAMES + "lincity-ng/music/default/02 - Robert van Herk - City Blues.ogg", 15, 200),
                                    (GAMES + "lincity-ng/music/default/03 - Robert van Herk - Architectural Contemplations.ogg", 10, 110)))
    return stretch(file(name), start, stop, max(seconds, 1.5), rng)


def recorded_referee(rng, seconds):
    """Whistles of two ball games."""
    if rng.random() < 0.25:
        one = varied(blobby("sounds/pfiff.wav"), rng, 0.1)
        return place([(i * 0.55, edges(one, 0.004, 0.03)) for i in range(rng.choice((1, 1, 2)))], 1.2)
    name, stop = rng.choice((("end", 1.6), ("long", 1.1), ("short", 0.35), ("twice", 0.6)))
    return varied(edges(file(f"{GAMES}tuxfootball/sound/refwhistle{name}.wav")[:int(stop * RATE)], 0.001, 0.12), rng, 0.1)


def recorded_woods(rng, seconds):
    """Birds of gardens and woods."""
    if rng.random() < 0.25:
        return stretch(filtered(file(POMODORO + "birds.ogg"), 1200), 1, 200, max(1.2, seconds), rng)
    name, start, stop = rng.choice(((LINCITY + "Green1.wav", 0, 4), (LINCITY + "Green3.wav", 0, 3.6), (LINCITY + "ParklandPlane2.wav", 0, 4),
                                    (SCORCHED + "none/data/wav/misc/birdchirp4.wav", 0, 1.1), (SCORCHED + "none/data/wav/misc/birdchirp1.wav", 0, 1.5)))
    return stretch(filtered(file(name), 1000), start, stop, max(1.2, seconds), rng)


def recorded_clocks(rng, seconds):
    """A clock and a timer that somebody works by."""
    name, stop = rng.choice((("clock", 14.5), ("timer", 4.0)))
    return stretch(filtered(file(f"{POMODORO}{name}.ogg"), 250), 0, stop, max(seconds, 3.3), rng)


def recorded_horns(rng, seconds):
    """Nine cars."""
    folder, old = SCORCHED + "apoc/data/wav/misc/carhorn", GAMES + "micropolis/res/sounds/honkhonk-"
    return taken(rng, ((folder + "1.wav", 0, 0.85), (folder + "2.wav", 0, 0.88), (folder + "3.wav", 0, 0.89), (folder + "4.wav", 0, 1.6),
                       (folder + "5.wav", 0, 1.75), (folder + "6.wav", 0, 1.1), (old + "hi.wav", 0, 0.66), (old + "low.wav", 0, 0.95), (old + "med.wav", 0, 0.8)))


def recorded_charges(rng, seconds):
    """Effects of games, made of recordings."""
    plain, apoc = SCORCHED + "none/data/wav/explosions/", SCORCHED + "apoc/data/wav/explosions/"
    name = rng.choice((plain + "large.wav", plain + "medium.wav", plain + "small.wav", plain + "xlarge.wav", apoc + "exp.wav", apoc + "tank.wav",
                       GAMES + "madbomber/sounds/bigexplosion.wav", GAMES + "hedgewars/Data/Sounds/explosion.ogg"))
    samples = filtered(file(name), 25)[:int(2.6 * RATE)]
    return varied(edges(samples, 0.001, min(0.5, len(samples) / RATE / 3)), rng, 0.1)


def recorded_engines(rng, seconds):
    """A light aeroplane, an old car that starts, a bomber."""
    name, start, stop = rng.choice(((SCORCHED + "apoc/data/wav/misc/cessna.wav", 0.5, 6), (GAMES + "micropolis/res/sounds/ignition.wav", 0, 3.0),
                                    (GAMES + "hedgewars/Data/Sounds/plane.ogg", 0.2, 3.7)))
    return stretch(file(name), start, stop, max(seconds, 1.4), rng)
