#!/usr/bin/env python3
"""Asks about the films of a list on every GPU of a Ray cluster, each film exactly once.

    ask.py films.txt --out /shared/hits -- --model Vidi1.5-9B "a dog" "someone saying goal"
    ask.py films.txt --out hits --cpu --workers 2 -- "a dog"

An actor a GPU (--cpu: as many as --workers says) holds one `vidi-ask --batch -`, which has a few lines in work and a few more
waiting, so that it always decodes ahead. What is done stands in DIR by name: killed and started again, this goes on, and an actor
whose engine dies is started anew with the lines that it had. DIR, the films and the model are at the same place on every machine.
Each film's end is a line of JSON on stdout. What follows `--` is vidi-ask's: options and questions.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import threading

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to Ray's authors
import ray

AHEAD = 4  # lines that an engine has at once: two in work, two that wait
TRIES = 16  # of a line whose engine dies; a film that kills it is given up by vidi-ask before


@ray.remote(max_restarts=-1, max_task_retries=TRIES, max_concurrency=AHEAD)
class Engine:
    """One vidi-ask, and the films that it has not ended yet, by the number of their line."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, errors="surrogateescape")
        self.lock, self.waiting, self.n_lines, self.said = threading.Lock(), {}, 0, ""
        threading.Thread(target=self.read_ends, daemon=True).start()
        threading.Thread(target=self.read_errors, daemon=True).start()

    def read_errors(self):
        for line in self.process.stderr:
            self.said = line.strip() or self.said

    def read_ends(self):
        for line in self.process.stdout:
            end = json.loads(line)
            self.waiting.pop(end["line"]).set_result(end)
        if self.process.wait() < 0:
            os._exit(1)  # a signal: Ray starts this actor anew, and its lines with it
        with self.lock:  # no model, a full disk: a sentence on stderr
            for future in self.waiting.values():
                future.set_exception(RuntimeError(self.said))

    def ask(self, line):
        future = concurrent.futures.Future()
        with self.lock:
            if self.process.poll() is not None and self.process.returncode >= 0:
                raise RuntimeError(self.said)
            self.n_lines += 1
            self.waiting[self.n_lines] = future
            try:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass  # read_ends() sees to it
        return future.result()


def films_in(name):
    """The lines that name something, one after the other: a list may be longer than memory."""
    with sys.stdin if name == "-" else open(name, errors="surrogateescape") as lines:
        for line in lines:
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.rstrip("\r\n")


def ends_of(films, engines):
    """The end of each film, as they come; each engine has AHEAD of them at most."""
    films, of = iter(films), {}
    idle = [engine for engine in engines for _ in range(AHEAD)]
    while True:
        for line in films:
            engine = idle.pop()
            of[engine.ask.remote(line)] = engine
            if not idle:
                break
        if not of:
            return
        done, _ = ray.wait(list(of))
        for task in done:
            idle.append(of.pop(task))
            yield ray.get(task)


def engines_for(args):
    n = args.workers or int(ray.cluster_resources().get("CPU" if args.cpu else "GPU", 0))
    if n < 1:
        sys.exit("ask.py: Ray has no GPU here, expected one or more, or --cpu")
    needs = {"num_cpus": 1} if args.cpu else {"num_gpus": 1}
    command = [args.program, "--batch", "-", "--out", os.path.abspath(args.out), *args.rest]
    return [Engine.options(**needs).remote(command, os.getcwd()) for _ in range(n)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", help="a file with a film a line, as for vidi-ask --batch, or - for stdin")
    parser.add_argument("--out", required=True, help="folder of the answers")
    parser.add_argument("--cpu", action="store_true", help="engines without a GPU")
    parser.add_argument("--workers", type=int, default=0, help="engines (default: one a GPU, or with --cpu one a processor)")
    parser.add_argument("--program", default="vidi-ask", help="where vidi-ask is on every machine")
    parser.add_argument("rest", nargs="*", help="options of vidi-ask and questions, after --")
    args = parser.parse_args()
    ray.init(log_to_driver=False, logging_level="error")
    n_failed = n = 0
    try:
        for end in ends_of(films_in(args.list), engines_for(args)):
            print(json.dumps(end, ensure_ascii=False), flush=True)
            n, n_failed = n + 1, n_failed + (end["status"] != "ok")
    except (RuntimeError, ray.exceptions.RayError) as why:
        sys.exit(f"ask.py: {getattr(why, 'cause', None) or why}")
    print(f"{n} films, {n_failed} failed", file=sys.stderr)


if __name__ == "__main__":
    main()
