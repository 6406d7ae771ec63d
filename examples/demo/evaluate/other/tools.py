"""What all halves use: programs that make sound, filters, and the model's list of what it knows."""
import functools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from scipy.signal import butter, sosfilt

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "train"))
import world  # noqa: E402,F401  only its tables: what the model says it knows

RATE = 32000


def run(command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr[-400:]}")
    return done.stdout


def read(file):
    """Any sound file as float samples [N] at RATE."""
    raw = run(["ffmpeg", "-v", "error", "-i", file, "-ac", 1, "-ar", RATE, "-f", "f32le", "-"])
    return np.frombuffer(raw, np.float32).astype(float)


def trim(samples, floor=0.02):
    """Without the silence at both ends."""
    step = RATE // 200
    loud = np.abs(samples[:len(samples) // step * step]).reshape(-1, step).max(1)
    loud = np.flatnonzero(loud > floor * loud.max())
    return samples[loud[0] * step:(loud[-1] + 1) * step]


def sox(*arguments):
    """`sox -n OUT arguments`"""
    with tempfile.TemporaryDirectory() as folder:
        run(["sox", "-R", "-n", "-r", RATE, "-c", 1, "-b", 24, f"{folder}/out.wav", *map(str, arguments)])
        return read(f"{folder}/out.wav")


def gst_tone(wave, hz, seconds, volume=0.8):
    """GStreamer's audiotestsrc."""
    with tempfile.TemporaryDirectory() as folder:
        count = int(seconds * RATE) // 160
        run(["gst-launch-1.0", "-q", "audiotestsrc", f"wave={wave}", f"freq={hz:.1f}", f"volume={volume}", "samplesperbuffer=160",
             f"num-buffers={max(1, count)}", "!", f"audio/x-raw,rate={RATE},channels=1,format=S16LE", "!", "wavenc", "!",
             "filesink", f"location={folder}/out.wav"])
        return read(f"{folder}/out.wav")


def lavfi(expression, seconds):
    """ffmpeg's aevalsrc."""
    raw = run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"aevalsrc='{expression}':s={RATE}:d={seconds:.3f}", "-f", "f32le", "-"])
    return np.frombuffer(raw, np.float32).astype(float)


def csound(instrument, score, rng):
    """Notes of one instrument of Csound; table 1 is a cosine, table 2 the rise of a grain."""
    tables = "f1 0 16384 11 1\nf2 0 1024 19 0.5 0.5 270 0.5"
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "play.csd").write_text(
            f"<CsoundSynthesizer>\n<CsInstruments>\nsr = {RATE}\nksmps = 8\nnchnls = 1\n0dbfs = 1\nseed {rng.randint(1, 10 ** 6)}\n"
            f"instr 1\n{instrument}\nendin\n</CsInstruments>\n<CsScore>\n{tables}\n{score}\n</CsScore>\n</CsoundSynthesizer>\n")
        run(["csound", "-d", "-m0", "--format=float", "-W", "-o", f"{folder}/out.wav", f"{folder}/play.csd"])
        return read(f"{folder}/out.wav")


def chuck(program, rng):
    """What a program of ChucK plays into `out`; its time ends the sound. Random numbers of ChucK are seeded."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "play.ck").write_text(
            f"Math.srandom({rng.randint(1, 10 ** 6)});\nGain out => WvOut tape => blackhole;\n0.2 => out.gain;\n"
            f'"{folder}/out.wav" => tape.wavFilename;\n{program}\ntape.closeFile();\n')
        run(["chuck", "--silent", f"--srate:{RATE}", f"{folder}/play.ck"])
        return read(f"{folder}/out.wav")


@functools.cache
def compiled(program):
    """A Faust program as something to run: a temporary file that lives as long as this process."""
    folder = tempfile.TemporaryDirectory()
    pathlib.Path(folder.name, "play.dsp").write_text('import("stdfaust.lib");\n' + program)
    run(["faust", "-lang", "cpp", "-cn", "Play", "-a", HERE / "faust_play.arch", "-o", f"{folder.name}/play.cpp", f"{folder.name}/play.dsp"])
    run(["g++", "-O1", "-w", "-o", f"{folder.name}/play", f"{folder.name}/play.cpp"])
    return folder


def faust(program, score, seconds):
    """What a Faust program plays by a score of (time, control, value)."""
    lines = "".join(f"{at:.4f} {name} {value:.5f}\n" for at, name, value in sorted(score, key=lambda line: line[0]))
    raw = run([f"{compiled(program).name}/play", RATE, int(seconds * RATE)], input=lines.encode())
    return np.frombuffer(raw, np.float32).astype(float)


def midi(events, seconds, sounds="TimGM6mb"):
    """[(start, length, channel, program or None for the drums as they are, note, velocity)] played by fluidsynth; a program is a number, or
    the number of its bank and its own. `sounds`: a file of sounds, .sf2 where its ending is not named."""
    def number(value):
        out = [value & 127]
        while value := value >> 7:
            out.append(value & 127 | 128)
        return bytes(out[::-1])

    ticks = []  # 480 a beat of half a second: 960 a second
    for start, length, channel, program, note, velocity in events:
        if isinstance(program, tuple):
            bank, program = program
            ticks.append((int(start * 960), -1, bytes([0xB0 | channel, 0, bank])))
        if program is not None:
            ticks.append((int(start * 960), 0, bytes([0xC0 | channel, program])))
        ticks.append((int(start * 960), 2, bytes([0x90 | channel, note, velocity])))
        ticks.append((int((start + length) * 960), 1, bytes([0x80 | channel, note, 0])))
    track, at = b"", 0
    for tick, _, message in sorted(ticks):
        track += number(tick - at) + message
        at = tick
    track += number(max(0, int(seconds * 960) - at)) + b"\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1]) + (480).to_bytes(2, "big")
    kind = sounds.rpartition(".")[2] if "." in sounds else "sf2"
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "tune.mid").write_bytes(head + b"MTrk" + len(track).to_bytes(4, "big") + track)
        lazy = ["-o", "synth.dynamic-sample-loading=1"] if kind == "sf3" else []  # whose sounds are compressed: only those that are played
        run(["fluidsynth", "-ni", "-q", *lazy, "-R", 0, "-C", 0, "-g", 0.6, "-r", 44100, "-F", f"{folder}/tune.wav",
             f"/usr/share/sounds/{kind}/{sounds.removesuffix(f'.{kind}')}.{kind}", f"{folder}/tune.mid"])
        return fit(read(f"{folder}/tune.wav"), seconds)


def fit(samples, seconds, fade=0.03):
    """Cut or padded to `seconds`, faded at the end."""
    count = int(seconds * RATE)
    out = np.zeros(count)
    out[:len(samples)] = samples[:count]
    fall = min(count, int(fade * RATE))
    if fall:
        out[-fall:] *= np.linspace(1, 0, fall)
    return out


def clock(seconds):
    return np.arange(int(seconds * RATE)) / RATE


def noise(rng, seconds):
    return np.random.default_rng(rng.getrandbits(32)).normal(size=int(seconds * RATE))


def turned(hz):
    """Turns of an oscillator whose frequency is given for each sample."""
    return np.cumsum(hz) / RATE


def filtered(samples, low=None, high=None, order=2):
    for edge, kind in ((low, "highpass"), (high, "lowpass")):
        if edge:
            samples = sosfilt(butter(order, min(edge, RATE * 0.45), kind, fs=RATE, output="sos"), samples)
    return samples


def resonate(samples, hz, width):
    """A resonance of `width` Hz at hz."""
    r = np.exp(-np.pi * width / RATE)
    a1, a2 = -2 * r * np.cos(2 * np.pi * hz / RATE), r * r
    return sosfilt([[1 - r, 0, -(1 - r), 1, a1, a2]], samples)


def place(parts, seconds):
    """Sum of [(start, samples)]."""
    out = np.zeros(int(seconds * RATE))
    for start, samples in parts:
        at = int(start * RATE)
        if 0 <= at < len(out):
            piece = samples[:len(out) - at]
            out[at:at + len(piece)] += piece
    return out


def edges(samples, rise=0.005, fall=0.01):
    t = np.arange(len(samples)) / RATE
    return samples * np.clip(t / rise, 0, 1) * np.clip((len(samples) / RATE - t) / fall, 0, 1)


def level(samples, peak=0.9):
    return samples * (peak / max(1e-9, np.abs(samples).max()))

