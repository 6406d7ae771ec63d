#!/usr/bin/env python3
"""Writes golden cases for tests/data/golden/demo: small made-up clips, and every stage of what the PyTorch model computes
for them in float32 on the CPU.

usage: golden.py CHECKPOINT OUT_FOLDER [BANK]      (BANK: bank.npz, which bank.py makes)

Each case takes the first clip that has a fitting question with a right answer and no near ties, so a new checkpoint gets
new cases. The same checkpoint and bank give the same values.
"""
import math
import pathlib
import random
import re
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import pictures
import plan
import sounds
from trained import Trained

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
sys.path += [str(REPOSITORY / "tests/tools"), str(REPOSITORY / "examples/demo/evaluate")]
from metrics import temporal_iou  # noqa: E402
from thin_goldens import thin  # noqa: E402

RATE, FRAMES = 2.0, 8
WIDTH, HEIGHT = 80, 45
KEPT = 300  # values of a stage at most
LEAST_IOU, LEAST_PROBABILITY = 0.75, 0.5
LEAST_MARGIN = 0.06  # of logits; tests in half precision allow another id below 0.05
CLIPS_TO_TRY = 5000


# Of a planned question (text, answer, ranges, frame mask, seconds heard): is it one for this case?
FITS = {
    "seen": lambda ranges, mask, heard: len(ranges) == 1 and mask is not None and not heard,
    "heard": lambda ranges, mask, heard: len(ranges) == 1 and mask is None,
    "absent": lambda ranges, mask, heard: not ranges and mask is None,
    "two_ranges": lambda ranges, mask, heard: len(ranges) == 2 and not heard,
    "both": lambda ranges, mask, heard: ranges and mask is not None and heard,
}


def question_for(name, clip):
    """(query or None for the highlights, true ranges in shares), or None when the clip has no such question."""
    if name == "highlight":
        events = re.findall(r"(\d\.\d+)-(\d\.\d+) ([a-z ]+)", clip.highlights)
        fits = len(events) == 2 and events[0][2] != events[1][2] and clip.audio
        return (None, [(float(a), float(b)) for a, b, _ in events]) if fits else None
    for text, _, ranges, mask, heard in clip.questions:
        if clip.audio and FITS[name](ranges, mask, heard):
            return text, ranges
    return None


def draw(clip, gallery, waves, seed):
    """-> (frames uint8 [F, H, W, 3], samples int16)"""
    generator = torch.Generator().manual_seed(seed)
    dice = pictures.Dice(generator, torch.device("cpu"))
    scene = pictures.Scene(clip.frames, np.array([clip.aspect], np.float32), pictures.sprite_rows([clip]), gallery, dice)
    small = F.interpolate(scene.draw(), (HEIGHT, WIDTH), mode="bicubic", antialias=True, align_corners=False)
    frames = (small.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    sound = waves.mix(1, sounds.note_rows([clip]), round(clip.seconds * sounds.RATE))
    sound = sounds.disturb(sound, generator, np.array([clip.bed]))
    return frames, (sound[0] * 32767).round().short().numpy()


def is_clear(trained, ids, logits, name, clip, ranges):
    """A right answer, sure enough of every token that another rounding gives the same one."""
    best = logits.topk(2).values
    sure = logits.log_softmax(-1).max(-1).values.mean().exp()
    text = trained.text(ids)
    found = [(float(a), float(b)) for a, b in re.findall(r"(\d\.\d+)-(\d\.\d+)", text)]
    right = temporal_iou(found, ranges) >= LEAST_IOU and len(found) == len(ranges)
    labels = name != "highlight" or re.sub(r"[\d.-]+", "", text) == re.sub(r"[\d.-]+", "", clip.highlights)
    return right and labels and (best[:, 0] - best[:, 1]).min() >= LEAST_MARGIN and sure >= LEAST_PROBABILITY


def find_case(name, trained, bank, gallery, waves):
    """-> (query, duration, frames, samples) of the first clip that will do"""
    for number in range(CLIPS_TO_TRY):
        rng = random.Random(f"golden/{name}/{number}")
        clip = plan.draw_clip(rng, bank, FRAMES, RATE, 1.0)
        asked = question_for(name, clip)
        if not asked or not 1.6 < clip.aspect < 2:
            continue
        frames, samples = draw(clip, gallery, waves, rng.getrandbits(60))
        ids, logits = trained.answer(trained.watch(frames, samples), trained.prompt(asked[0]))
        print(f"{name}, clip {number}: {asked[0] or clip.highlights}: {trained.text(ids)}", file=sys.stderr)
        if is_clear(trained, ids, logits, name, clip, asked[1]):
            return asked[0], clip.seconds, frames, samples
    raise SystemExit(f"{name}: none of {CLIPS_TO_TRY} clips will do")


def hooked(model):
    """Stages of the media side, filled in while the model runs."""
    m, stages = model.model, {}

    def on(module, name, pick):
        module.register_forward_hook(lambda _, inputs, output: stages.__setitem__(name, pick(inputs[0], output)))

    on(m.mm_vis, "vision.features", lambda x, y: y)
    on(m.mm_rand_img_projector, "image.pooled", lambda x, y: x)
    on(m.mm_rand_img_norm, "image.projected", lambda x, y: y)
    on(m.mm_rand_aud_pool, "audio.encoder", lambda x, y: x[0].t())
    on(m.mm_rand_aud_projector, "audio.pooled", lambda x, y: x[0])
    return stages


def stages_of(trained, query, frames, samples):
    """Every stage by name, as shared with the tests."""
    model, scale = trained.model, trained.model.sizes.hidden ** 0.5
    stages = hooked(model)
    image, audio = trained.look(frames), trained.listen(samples)
    seen, heard = model.encode(image, audio)
    prompt = trained.prompt(query)
    ids, logits = trained.answer((seen, heard, 1.0), prompt)
    _, hidden = model.read(torch.tensor([prompt]), seen, heard, taps=range(1, model.sizes.layers + 1))
    stages |= {"frames.pixel_values": trained.pixels(frames), "audio.mel": trained.mel(samples),
               "audio.size": torch.tensor([len(samples) // 160]),
               "image.tokens": image[0] / scale, "audio.tokens": audio[0] / scale,
               "prompt.ids": torch.tensor(prompt), "prompt.embeds": model.model.embed_tokens(torch.tensor(prompt)) * scale,
               "decoder.logits": logits, "output.ids": torch.tensor(ids)}
    for i in range(model.sizes.layers):
        stages[f"decoder.layer{i}.hidden"] = hidden[i][0]
        for name, pairs in (("image", seen), ("audio", heard)):
            stages[f"decoder.layer{i}.{name}_key"], stages[f"decoder.layer{i}.{name}_value"] = (t[0] for t in pairs[i])
    return {name: t.contiguous() for name, t in stages.items()}


def clock(seconds):
    whole = math.floor(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def printed(text, duration):
    """The answer as the published program prints it."""
    ranges = re.findall(r"(\d\.\d+)-(\d\.\d+)", text)
    return ", ".join("-".join(clock(float(share) * duration) for share in pair) for pair in ranges)


def write_case(folder, trained, query, duration, frames, samples):
    folder.mkdir(parents=True, exist_ok=True)
    task = "retrieval" if query else "highlight"
    told = {"question": query or "", "duration": f"{duration:.6f}", "task": task}
    save_file({"frames": torch.from_numpy(frames), "audio": torch.from_numpy(samples)}, folder / "input.safetensors", told)
    stages = stages_of(trained, query, frames, samples)
    text = trained.text(stages["output.ids"].tolist())
    told |= {"family": "vidi15", "output.text": text, "output.ranges": printed(text, duration)}
    with tempfile.TemporaryDirectory() as scratch:
        save_file(stages, f"{scratch}/whole", told)
        thin(f"{scratch}/whole", folder / "expected.safetensors", KEPT)
    for path in folder.iterdir():
        path.chmod(0o644)


def main(checkpoint, out, bank_file="bank.npz"):
    with np.load(bank_file) as file:
        data = {name: file[name] for name in file.files}
    trained, bank = Trained(checkpoint), plan.bank_of(data)
    gallery, waves = pictures.Gallery(data, bank.backgrounds, "cpu"), sounds.Waves(data, "cpu")
    for name in (*FITS, "highlight"):
        write_case(pathlib.Path(out) / name, trained, *find_case(name, trained, bank, gallery, waves))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    torch.manual_seed(0)
    with torch.no_grad():
        main(*sys.argv[1:])
