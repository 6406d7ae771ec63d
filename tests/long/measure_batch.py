"""What vidi-ask --batch keeps when it is killed, and what it costs; the engine is scripted. Each check is a line; the last line counts them.

    measure_batch.py [NAME...]    kills bad list ahead ray items (all of them by default)
"""
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import batches
import cases

PYTHON = cases.BUILD / "extras/bin/python"
ASK = cases.SOURCE / "examples/ray/ask.py"
checks = []


def check(name, good, what):
    checks.append(good)
    print(f"{'ok    ' if good else 'FAILED'} {name}: {what}", flush=True)


class Place:
    """Films and a folder of answers, which go at the end."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.out, self.asked = self.folder / "out", self.folder / "asked"
        self.asked.touch()
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def films(self, n, seconds=2):
        first = batches.make_film(self.folder / "film.avi", seconds)
        paths = [self.folder / f"film{i:05}.avi" for i in range(n)]
        for path in paths:
            os.link(first, path)
        return paths

    def list_of(self, lines):
        path = self.folder / "list"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def environment(self, seconds=0.0):
        return cases.environment(VIDI_ENGINE=str(batches.ENGINE), VIDI_SCRIPTED_ANSWER="0.20-0.60", VIDI_SCRIPTED_LOG=str(self.asked),
                                 VIDI_SCRIPTED_SECONDS=str(seconds), RAY_USAGE_STATS_ENABLED="0", RAY_ADDRESS="local")

    def start(self, command, seconds=0.0):
        return subprocess.Popen(list(map(str, command)), env=self.environment(seconds), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def batch(self, lines, *more):
        return [batches.PROGRAM, "--quiet", "--batch", self.list_of(lines), "--out", self.out, *more, "a dog"]

    def rows(self):
        return [json.loads(line) for path in self.out.glob("*.jsonl") for line in path.read_text().splitlines()]


def timed(process):
    """Seconds, and the ends with the moment at which each came."""
    begin, ends = time.monotonic(), []
    threading.Thread(target=process.stderr.read, daemon=True).start()
    for line in process.stdout:
        ends.append((time.monotonic(), json.loads(line)))
    process.wait()
    return time.monotonic() - begin, ends


def kills(n_kills=30, n_films=40):
    """kill -9 at random moments; the same list is begun again until it ends."""
    moments, n_done = random.Random(1), 0
    with Place() as place:
        films = place.films(n_films)
        torn = []
        for _ in range(n_kills):
            process = place.start(place.batch(films), 0.15)
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
            reader.start()
            try:
                process.wait(moments.uniform(0.1, 2.5))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                n_done += 1
            reader.join()
            for path in place.out.glob("*.jsonl"):
                text = path.read_text()
                if not text.endswith("\n") or json.loads(text.splitlines()[-1])["kind"] != "file":
                    torn.append(path.name)
            if len(list(place.out.glob("*.jsonl"))) == n_films:  # again, from the beginning
                shutil.rmtree(place.out)
        _, ends = timed(place.start(place.batch(films)))
        rows = place.rows()
        hits = sorted(row["uri"] for row in rows if row["kind"] == "hit")
        check("kills", not torn and hits == [film.as_uri() for film in films] and {end["status"] for _, end in ends} == {"ok"},
              f"{n_done} of {n_kills} runs were killed; {len(hits)} rows of {n_films} films, {len(set(hits))} different, {len(torn)} torn files")
        left = [path.name for path in place.out.iterdir() if path.suffix != ".jsonl" and path.name != "settings.json"]
        check("kills", not left, f"left behind: {left}")


def bad(n=1000):
    """1,000 films, 5 % of them bad, of ten kinds."""
    with Place() as place:
        films = list(map(str, place.films(n)))
        clip = cases.CLIP.read_bytes()
        (place.folder / "folder").mkdir()
        for name, content in [("cut.mp4", clip[:200_000]), ("header.mp4", clip[:3000]), ("text.mp4", b"no film\n" * 100), ("empty.mp4", b""),
                              ("noise.mp4", random.Random(1).randbytes(20_000)), ("picture.png", bytes.fromhex("89504e470d0a1a0a") + b"x" * 100)]:
            (place.folder / name).write_bytes(content)
        kinds = [place.folder / name for name in ["cut.mp4", "header.mp4", "text.mp4", "empty.mp4", "noise.mp4", "picture.png", "folder", "gone.mp4"]]
        kinds += ['{"uri": 1}', "nothing://x"]
        wrong = [kind if i == 0 or str(kind).startswith(("{", "n")) else f"{kind}" for i in range(5) for kind in kinds]
        for i, kind in enumerate(wrong):
            films[20 * i] = kind
        process = place.start([one for one in place.batch(films) if one != "--quiet"])
        begin = time.monotonic()
        out, said = process.communicate()
        ends = [json.loads(line) for line in out.splitlines()]
        n_failed = sum(end["status"] == "failed" for end in ends)
        summary = said[said.index(f"{n} files: "):]
        check("bad", (process.returncode, len(ends), n_failed) == (0, n, 50), f"{len(ends)} ends, {n_failed} failed, status {process.returncode}, "
              f"{(time.monotonic() - begin) / n * 1000:.1f} ms a film")
        check("bad", summary.count(" failed: ") == 10, f"{summary.count(' failed: ')} kinds in the summary of {len(summary.splitlines())} lines")
        strict = place.start(place.batch(films, "--strict"))
        strict.communicate()
        check("bad", strict.returncode == 3, f"--strict: status {strict.returncode}")


def dump(value):
    return json.dumps(value, separators=(",", ":")).encode()


def model_stamp(folder):
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        facts = path.stat()
        files.append([str(path.relative_to(folder)), facts.st_size, *divmod(facts.st_mtime_ns, 10**9)])
    return hashlib.sha256(dump({"config": (folder / "config.json").read_text(), "files": files})).hexdigest()


def key_of(film, model):
    """As vidi-ask makes it: what a run of hours would have left behind is written at once."""
    facts = film.stat()
    settings = {"task": "retrieval", "window": None, "stride": None, "rate": None, "min_confidence": None, "max_highlights": 0, "audio_track": "",
                "video_track": ""}
    seconds, rest = divmod(facts.st_mtime_ns, 10**9)
    return hashlib.sha256(dump({"uri": film.as_uri(), "stamp": f"size {facts.st_size} time {seconds}.{rest}", "queries": ["a dog"],
                                "settings": dump(settings).decode(), "model": model, "weights": "native", "keys": "native",
                                "precision": "fp32"})).hexdigest()[:20]


def listing(n=100_000):
    """A list of 100,000 films, all of them done: what it takes to find that out, beside a plain look at the same names."""
    model = model_stamp(cases.CHECKPOINT)
    with Place() as place:
        films = place.films(1)
        timed(place.start(place.batch(films)))
        answer = next(place.out.glob("*.jsonl"))
        check("list", answer.stem == key_of(films[0], model), "the key is the one that is expected")
        for i in range(1, n):
            films.append(place.folder / f"{i:06}.avi")
            films[-1].symlink_to(films[0])
            os.link(answer, place.out / f"{key_of(films[-1], model)}.jsonl") if i % 30_000 else shutil.copy(answer, place.out / f"{key_of(films[-1], model)}.jsonl")
            if i % 30_000 == 0:  # a file has only so many names
                answer = place.out / f"{key_of(films[-1], model)}.jsonl"
        command = place.batch(films)
        begin = time.monotonic()
        os.listdir(place.out), [film.stat() for film in films]
        plain = time.monotonic() - begin
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        took, ends = timed(place.start(command))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        n_new = sum(end["new"] for _, end in ends)
        check("list", took < 2 and (len(ends), n_new) == (n, 0), f"{len(ends)} films, {n_new} of them new: {took:.2f} s, {own:.2f} s of processor time (os.listdir and stat of each: {plain:.2f} s)")


def ahead(n=20, seconds=3.0):
    """The model's time is 3 s a film: what is not the model's of the time that a batch takes, from the first film's end on."""
    with Place() as place:
        films = place.films(n, 20)
        for jobs in (1, 2):
            shutil.rmtree(place.out, ignore_errors=True)
            _, ends = timed(place.start(place.batch(films, "--jobs", jobs), seconds))
            took = (ends[-1][0] - ends[0][0]) / (n - 1)
            idle = 1 - seconds / took
            check("ahead", jobs == 1 or idle < 0.05, f"--jobs {jobs}: {took:.3f} s a film of which {seconds} s are the model's, it waits {100 * idle:.1f} %")


def ray(seconds=5.0, rounds=4):
    """T(1) / (n T(n)) for 1, 2 and 4 engines that are busy for 5 s a film, from each one's first end on."""
    with Place() as place:
        one = None
        for n in (1, 2, 4):
            films = place.films(n * (rounds + 1)) if n == 1 else [place.folder / f"film{i:05}.avi" for i in range(n * (rounds + 1))]
            for film in films:
                if not film.exists():
                    os.link(place.folder / "film.avi", film)
            shutil.rmtree(place.out, ignore_errors=True)
            command = [PYTHON, ASK, place.list_of(films), "--out", place.out, "--cpu", "--workers", n, "--program", batches.PROGRAM, "--", "a dog"]
            process = place.start(command, seconds)
            _, ends = timed(process)
            moments = [moment for moment, _ in ends]
            a_film = (moments[-1] - moments[n - 1]) / (len(moments) - n) if len(moments) > n else float("nan")
            one = one or a_film
            efficiency = one / (n * a_film)
            check("ray", efficiency >= 0.95, f"{n} engines: {a_film:.3f} s a film, efficiency {efficiency:.3f}")


STAND_IN = """#!/usr/bin/env python3
import json, sys
for number, line in enumerate(sys.stdin, 1):
    print(json.dumps({"type": "file", "line": number, "uri": line.strip(), "status": "ok", "new": True}), flush=True)
"""


def items(n=10_000):
    """What a film of no time costs the driver of Ray, with a program in vidi-ask's place that answers at once; and vidi-ask itself."""
    with Place() as place:
        program = place.folder / "stand-in"
        program.write_text(STAND_IN)
        program.chmod(0o755)
        command = [PYTHON, ASK, place.list_of(range(n)), "--out", place.out, "--cpu", "--workers", 2, "--program", program, "--", "a dog"]
        process, sizes, seconds = place.start(command), [], []
        threading.Thread(target=process.stderr.read, daemon=True).start()
        moments = []
        for i, _ in enumerate(process.stdout):
            moments.append(time.monotonic())
            if i in (n // 5, n - 1):
                busy = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
                seconds.append(sum(map(int, busy)) / os.sysconf("SC_CLK_TCK"))
                sizes.append(int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6)
        process.wait()
        a_film, own = (moments[-1] - moments[0]) / (len(moments) - 1), (seconds[1] - seconds[0]) / (n - 1 - n // 5)
        check("items", len(moments) == n and own < 0.005, f"{len(moments)} items, {own * 1000:.2f} ms each of the driver's processor time "
              f"({a_film * 1000:.2f} ms from one end to the next, two engines)")
        check("items", sizes[1] - sizes[0] < 30, f"memory of the driver: {sizes[0]:.0f} MB after {n // 5}, {sizes[1]:.0f} MB after {n}")


NAMED = {"kills": kills, "bad": bad, "list": listing, "ahead": ahead, "ray": ray, "items": items}
OF_RAY = {"ray", "items"}


def has_ray():
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", "import ray"], capture_output=True).returncode == 0


def main():
    names = sys.argv[1:] or list(NAMED)
    if unknown := [name for name in names if name not in NAMED]:
        sys.exit(f"measure_batch.py: no '{unknown[0]}', expected some of: {' '.join(NAMED)}")
    skipped = [name for name in names if name in OF_RAY] if OF_RAY & set(names) and not has_ray() else []
    for name in names:
        if name in skipped:
            print(f"skipped {name}: Ray is not installed in build/extras (tests/extras.sh)")
        else:
            NAMED[name]()
    print(f"{sum(checks)} passed, {len(checks) - sum(checks)} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    sys.exit(0 if checks and all(checks) else 1)


if __name__ == "__main__":
    main()
