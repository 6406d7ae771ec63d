"""Words spoken by flite, festival and voices of espeak-ng that training has not."""
import pathlib
import tempfile

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


# No voice is in both halves, and none of espeak-ng's is one of training's.
VOICES = {
    "A": [(flite, "kal16"), (flite, "slt"), (festival, "kal_diphone"), (festival, "cmu_us_slt_arctic_hts"),
          (espeak, "en-gb-x-gbcwmd+Mario"), (espeak, "en-us-nyc+belinda")],
    "B": [(flite, "awb"), (flite, "rms"), (festival, "ked_diphone"), (espeak, "en-us-nyc+Marco"), (espeak, "en-gb-x-gbcwmd+aunty")],
}


def say(half, text, rng):
    """-> (name of the voice, samples at RATE)"""
    program, voice = rng.choice(VOICES[half])
    return f"{program.__name__} {voice}", trim(program(voice, text, rng))
