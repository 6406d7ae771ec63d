"""Asks about videos by one `vidi-ask --batch`, whose model stays loaded. What it writes stays in a folder beside the answers, so
that a run that was ended goes on where it was."""
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import urllib.parse

from fields import is_finite, parsed
from problem import Problem, shown

NS = 1e9


def program():
    """vidi-ask beside this program, else the one of the PATH."""
    beside = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), "vidi-ask")
    found = beside if os.access(beside, os.X_OK) else shutil.which("vidi-ask")
    if not found:
        raise Problem(f"expected vidi-ask beside vidi-bench or in the PATH, found neither it nor {shown(beside)}")
    return found


def write_list(path, videos):
    """A line a video: {path: [question]}. JSON's escapes keep any question on its line."""
    with open(path, "w", encoding="ascii") as file:
        for video, questions in videos.items():
            file.write(json.dumps({"uri": uri_of(video), "queries": questions}) + "\n")


def uri_of(path):
    return "file://" + urllib.parse.quote(os.fsencode(path))


@dataclasses.dataclass
class End:
    """What became of one file. An error: it was not watched to its end, and there are no hits."""
    path: str
    error: str = ""
    hits: dict = dataclasses.field(default_factory=dict)  # by question [(start, stop, confidence)], seconds
    duration: float = None  # seconds; None: unknown


def end_of(path, lines):
    """From the rows that vidi-ask wrote about it."""
    end = End(path)
    for line in lines:
        row = parsed(line, "vidi-ask")
        if row.get("kind") == "file" and row.get("stop_ns"):
            end.duration = row["stop_ns"] / NS
        if row.get("kind") != "hit":
            continue
        confidence = row.get("confidence")
        end.hits.setdefault(row["query"], []).append(
            (round(row["start_ns"] / NS, 3), round(row["stop_ns"] / NS, 3), round(confidence, 6) if is_finite(confidence) else 0.0))
    return end


class Asking:
    """One run of vidi-ask over {path: [question]}. `ends()` gives each file's End as it comes. Leaving early ends vidi-ask."""

    def __init__(self, folder, options, videos):
        self.folder = folder
        self.paths = list(videos)
        listed = os.path.join(folder, "videos.list")
        write_list(listed, videos)
        self.process = subprocess.Popen([program(), "--batch", listed, "--out", folder, *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")

    def ends(self):
        for line in self.process.stdout:
            end = parsed(line, "vidi-ask")
            if end.get("type") != "file":
                continue
            path = self.paths[end["line"] - 1]
            if end["status"] == "ok":
                with open(os.path.join(self.folder, end["key"] + ".jsonl"), encoding="utf-8") as rows:
                    yield end_of(path, rows)
            else:
                yield End(path, end["error"])
        status = self.process.wait()
        if status:
            kept = "; what it said stands above" if status == 2 else ". What was answered until then is kept; started again it goes on"
            raise Problem(f"vidi-ask ended {f'by signal {-status}' if status < 0 else f'with status {status}'}{kept}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
