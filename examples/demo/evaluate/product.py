"""Runs vidi-ask on a file, as a user would, and reads its JSON lines."""
import json
import pathlib
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


class Product:
    def __init__(self, program, model, precision, device="auto"):
        self.program = str(program)
        self.options = ["--json", "--quiet", "--model", str(model), "--precision", precision, "--device", device]

    def run(self, *arguments):
        """The hits as dictionaries, and the seconds that it took; ends everything if the program fails."""
        started = time.monotonic()
        done = subprocess.run([self.program, *self.options, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{self.program} {' '.join(arguments)}: {done.stderr.strip() or f'exit status {done.returncode}'}")
        lines = [json.loads(line) for line in done.stdout.splitlines() if line]
        return [line for line in lines if line.get("type") != "media"], time.monotonic() - started

    def ask(self, file, queries):
        """All questions in one call: {query: [(start, stop)]}."""
        hits, seconds = self.run("--", str(file), *queries)
        found = {query: [] for query in queries}
        for hit in hits:
            found[hit["query"]].append((hit["start"], hit["stop"]))
        return found, seconds

    def highlights(self, file):
        """[(start, stop, label)]"""
        hits, seconds = self.run("--task", "highlight", "--", str(file))
        return [(hit["start"], hit["stop"], hit.get("label", "").strip()) for hit in hits], seconds
