"""Half D's recorded families: what people and things sounded like, out of files of Debian's packages. Nothing of them is in this
repository. Called as those of sounds_a.py; a take is a stretch of one recording or a rhythm of recorded strokes, a little faster or slower.
"""
import functools
import pathlib
import struct
import tempfile
import zlib

from scipy.signal import resample

from tools import RATE, edges, filtered, level, place, read, trim

STAMPS = "/usr/share/tuxpaint/stamps/"
PAK = "/usr/share/games/simutrans/pak/sound/"
KITS = "/usr/share/hydrogen/data/drumkits/"


def unpacked(name, data):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, name)
        file.write_bytes(data)
        return read(file)


@functools.cache
def gcompris(archive, wanted):
    """A file out of one of Qt's resource archives: its tree holds nodes of 14 or, from version 2 on, 22 bytes."""
    data = pathlib.Path(f"/usr/share/gcompris-qt/rcc/{archive}.rcc").read_bytes()
    version, tree, contents, names = struct.unpack(">4xIIII", data[:20])
    size = 14 if version < 2 else 22
    for at in range(tree, len(data) - 13, size):
        name, flags = struct.unpack(">IH", data[at:at + 6])
        count, = struct.unpack(">H", data[names + name:names + name + 2])
        text = data[names + name + 6:names + name + 6 + 2 * count].decode("utf-16-be", "replace")
        if text == wanted and not flags & 2:
            start = contents + struct.unpack(">I", data[at + 10:at + 14])[0]
            body = data[start + 4:start + 4 + struct.unpack(">I", data[start:start + 4])[0]]
            return unpacked(wanted, zlib.decompress(body[4:]) if flags & 1 else body)
    raise FileNotFoundError(f"{wanted} in {archive}.rcc")


@functools.cache
def openttd(number):
    """A sound of OpenSFX: the file begins with places and lengths, each sound with its name."""
    data = pathlib.Path("/usr/share/games/openttd/baseset/opensfx/opensfx.cat").read_bytes()
    start, size = struct.unpack("<II", data[8 * number:8 * number + 8])
    start &= 0x7fffffff
    start += 1 + data[start]
    return unpacked("sound.wav", data[start:start + size])


@functools.cache
def file(path):
    return read(path)


def varied(samples, rng, much=0.05):
    """As played a little faster or slower."""
    return resample(samples, int(len(samples) / rng.uniform(1 - much, 1 + much)))


def cut(samples, start, stop):
    return edges(samples[int(start * RATE):int(stop * RATE)], 0.004, 0.02)


def stretch(samples, start, stop, seconds, rng):
    """`seconds` of what lies between start and stop, or all of it."""
    spare = max(0.0, stop - start - seconds)
    at = start + rng.uniform(0, spare)
    return edges(varied(cut(samples, at, min(stop, at + seconds)), rng), 0.03, 0.06)


def strokes(pattern, every, sounds, rng):
    """A rhythm: characters of `sounds`, others are rests."""
    parts = [(i * every + rng.uniform(0, 0.008), sounds[c] * rng.uniform(0.7, 1)) for i, c in enumerate(pattern) if c in sounds]
    return place(parts, len(pattern) * every + 0.3)


def recorded_fire_engine(rng, seconds):
    return stretch(file(STAMPS + "vehicles/emergency/firetruck.ogg"), 5.4, 9.6, max(seconds, 1.5), rng)


def recorded_hands(rng, seconds):
    """A few people, each with another hardness and pace."""
    parts = []
    for _ in range(rng.randint(2, 8)):
        clap = varied(file(f"{KITS}Gimme A Hand 1.0/HandClap-{rng.choice(('Med', 'Hard', 'Hardest'))}.wav")[:int(0.25 * RATE)], rng, 0.15)
        at, beat, loud = rng.uniform(0, 0.3), rng.uniform(0.19, 0.33), rng.uniform(0.4, 1)
        while at < seconds - 0.1:
            parts.append((at, clap * loud))
            at += beat * rng.gauss(1, 0.05)
    return place(parts, seconds)


def recorded_audience(rng, seconds):
    if rng.random() < 0.5:
        return stretch(openttd(29), 0.8, 3.3, seconds, rng)
    return stretch(gcompris("memory-sound", "LRApplauses_1_LA_cut.ogg"), 0.1, 2.6, seconds, rng)


def recorded_crossing(rng, seconds):
    return varied(cut(openttd(14), 0, rng.choice((1.05, 1.6, 2.0))), rng, 0.12)


def recorded_djembe(rng, seconds):
    player = rng.choice("1345")
    sounds = {c: level(file(f"{KITS}circAfrique v4/Djembe{player} {name}.wav")[:int(0.5 * RATE)])
              for c, name in (("b", "Bass"), ("t", "Tone"), ("s", "Slap"))}
    pattern = rng.choice(("b.ttb.s.", "btts.tt.", "b.sbttss", "b.tsb.tt"))
    every = rng.uniform(0.12, 0.18)
    return strokes((pattern * 4)[:max(8, int(seconds / every))], every, sounds, rng)


def recorded_kit(rng, seconds):
    names = {"k": "PearlKick", "s": "PearlSnare", "h": "SabianHatClosed", "t": "PearlTom1", "f": "PearlTomFloor"}
    sounds = {c: file(f"{KITS}The Black Pearl 1.0/{name}-{rng.choice(('Med', 'Hard'))}.wav")[:int(0.6 * RATE)] for c, name in names.items()}
    pattern = rng.choice(("k.h.s.h.kkh.s.hs", "khskkhskkhskttff", "k.hhs.h.kkhhs.tf"))
    every = rng.uniform(0.11, 0.16)
    return strokes((pattern * 3)[:max(8, int(seconds / every))], every, sounds, rng)


def recorded_dogs(rng, seconds):
    """Four dogs, one or a few barks of one of them."""
    take = rng.choice((("stamp", 0, 0.9), ("farm", 0, 0.85), ("LRBark_1_LA_cut.ogg", 0.45, 1.0), ("LRBark_1_LA_cut.ogg", 1.05, 1.8),
                       ("LRBark_3_LA_cut.ogg", 0.2, 0.9), ("LRBark_3_LA_cut.ogg", 0.6, 1.95)))
    samples = {"stamp": lambda: file(STAMPS + "animals/mammals/dogs/dog.ogg"),
               "farm": lambda: gcompris("explore_farm_animals", "dog.ogg")}.get(take[0], lambda: gcompris("memory-sound", take[0]))()
    return varied(cut(samples, *take[1:]), rng, 0.1)


def recorded_music(rng, seconds):
    name, start, stop = rng.choice((("macroform-cold_day", 5, 200), ("macroform-robot_dity", 6, 180), ("manolo_camp-morning_coffee", 6, 60),
                                    ("reno_project-system", 8, 300)))
    return stretch(file(f"/usr/share/asterisk/moh/{name}.wav"), start, stop, max(seconds, 1.5), rng)


def recorded_box(rng, seconds):
    """Knuckles and palms on a wooden box; now and then a gavel."""
    if rng.random() < 0.25:
        return varied(cut(file(PAK + "gavel.wav"), 0, rng.choice((0.9, 1.35))), rng, 0.1)
    one = file(f"{KITS}Gimme A Hand 1.0/Cajon{rng.choice(('Slaps', 'Thumps'))}-{rng.choice(('Med', 'Hard'))}.wav")[:int(0.3 * RATE)]
    return strokes("x" * rng.randint(2, 5), rng.uniform(0.17, 0.3), {"x": varied(one, rng, 0.2)}, rng)


def recorded_phone(rng, seconds):
    if rng.random() < 0.5:
        return varied(cut(file("/usr/share/sounds/linphone/rings/oldphone-mono.wav"), 0, 1.8), rng)
    return varied(cut(file("/usr/share/sounds/freedesktop/stereo/phone-incoming-call.oga"), 0, 1.5), rng)


def recorded_birds(rng, seconds):
    name, start, stop = rng.choice((("blackbird", 0, 1.1), ("blackbird", 1.9, 3.0), ("lark", 0, 1.9), ("lark", 0.35, 1.9)))
    return varied(cut(file(f"{STAMPS}animals/birds/{name}.ogg"), start, stop), rng, 0.08)


def recorded_car_horn(rng, seconds):
    samples = trim(openttd(35))
    return varied(samples[:int(rng.choice((0.24, 0.7)) * RATE)], rng, 0.08)


def recorded_blast(rng, seconds):
    """Effects of games, made of recordings."""
    path = rng.choice((PAK + "explosion.wav", "/usr/share/games/bzflag/explosion.wav", "/usr/share/games/teeworlds/data/audio/wp_flump_explo-01.wv",
                       STAMPS + "seasonal/newyears/fireworks.ogg", None))
    return varied(edges(filtered(openttd(18) if path is None else file(path), 25), 0.001, 0.1), rng, 0.1)


def recorded_motor(rng, seconds):
    which = rng.choice((("diesel", 0, 1.7), ("bus", 0, 3.4), ("truck", 0, 2.5), None))
    if which is None:
        return stretch(gcompris("memory-sound", "LRStartAndStopCarEngine1LACut.ogg"), 0.9, 4.5, max(seconds, 1.0), rng)
    return stretch(file(f"{PAK}{which[0]}.wav"), which[1], which[2], max(seconds, 1.0), rng)
