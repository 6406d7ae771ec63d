#!/usr/bin/env python3
"""Asks about the films of a list on every GPU of a Ray cluster, each film exactly once.

    ask.py films.txt --out /shared/hits -- --model Vidi1.5-9B "a dog" "someone saying goal"
    ask.py films.txt --out hits --cpu --workers 2 -- "a dog"

An actor a GPU (--cpu: as many as --workers says) holds one `vidi-ask --batch -`, which has a few lines in work and a few more
waiting, so that it always decodes ahead. What is done stands in DIR by name: killed and started again, this goes on, and an actor
whose engine dies is started anew with the lines that it had. DIR, the films and the model are at the same place on every machine.
Variables that begin with VIDI_ or GST_ are handed on.
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
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first is said, of all that an engine had
import ray

AHEAD = 4  # lines that an engine has at once: two in work, two that wait
PATIENCE_S = 10  # until it is said that no engine has come
TRIES = 16  # of a line whose engine dies; a film that kills it is given up by vidi-ask before


@ray.remote(max_restarts=-1, max_task_retries=TRIES, max_concurrency=AHEAD)
class Engine:
    """One vidi-ask, and the films that it has not ended yet, by the number of their line."""

    def __init__(self, command, folder, environment):
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="surrogateescape")
        self.lock, self.waiting, self.n_lines, self.said = threading.Lock(), {}, 0, ""
        self.errors = threading.Thread(target=self.read_errors, daemon=True)
        self.errors.start()
        threading.Thread(target=self.read_ends, daemon=True).start()

    def read_errors(self):
        for line in self.process.stderr:
            self.said = line.strip() or self.said

    def read_ends(self):
        for line in self.process.stdout:
            end = json.loads(line)
            self.waiting.pop(end["line"]).set_result(end)
        if self.process.wait() < 0:
            os._exit(1)  # a signal: Ray starts this actor anew, and its lines with it
        why = self.why_ended()
        with self.lock:  # no model, a full disk: a sentence on stderr
            for future in self.waiting.values():
                future.set_exception(why)

    def why_ended(self):
        """What it said last, once all of it is read; a child of its that lives on may hold stderr open."""
        self.errors.join(10)
        return RuntimeError(self.said)

    def is_there(self):
        """Answers as soon as Ray has found it a place."""

    def ask(self, line):
        future = concurrent.futures.Future()
        with self.lock:
            if self.process.poll() is not None and self.process.returncode >= 0:
                raise self.why_ended()
            self.n_lines += 1
            self.waiting[self.n_lines] = future
            try:
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass  # read_ends() sees to it
        return future.result()


def films_in(name):
    """The lines that name something, with their numbers, one after the other: a list may be longer than memory."""
    with open(sys.stdin.fileno() if name == "-" else name, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield number, line.rstrip("\r\n")


def said_when_none_comes(tasks):
    """Those that are done, once any is; until then, why nothing happens, once."""
    done, _ = ray.wait(tasks, timeout=PATIENCE_S)
    if not done:
        print(f"ask.py: no engine has come in {PATIENCE_S} s, Ray has {kinds_in(ray.available_resources())} free "
              f"of {kinds_in(ray.cluster_resources())}; waiting", file=sys.stderr)
    return done


def kinds_in(resources):
    return " and ".join(f"{resources.get(kind, 0):g} {kind}" for kind in ("GPU", "CPU"))


def ends_of(films, engines):
    """The end of each film, as they come. An engine has AHEAD of them at most, and none before it is there: one that
    finds no place in a cluster that others use holds nobody's film."""
    films, of, idle = iter(films), {}, []
    coming = {engine.is_there.remote(): engine for engine in engines}
    done = said_when_none_comes(list(coming))
    while True:
        for task in done:
            if task in coming:
                ray.get(task)
                idle += [coming.pop(task)] * AHEAD
            else:
                engine, number = of.pop(task)
                idle.append(engine)
                yield {**ray.get(task), "line": number}
        while idle and (film := next(films, None)):
            number, line = film
            engine = idle.pop()
            of[engine.ask.remote(line)] = engine, number
        if idle and not of:
            return
        done, _ = ray.wait([*of, *coming])


def engines_for(args, of_engine):
    kind = "CPU" if args.cpu else "GPU"
    n_there = ray.cluster_resources().get(kind, 0)
    n = args.workers or int(n_there)
    if n_there < 1 or n < 1:
        sys.exit(f"ask.py: Ray has no {kind} here, expected one or more{'' if args.cpu else ', or --cpu'}")
    share = min(1, int(n_there / n * 1000) / 1000)  # more engines than there are share one
    needs = {"num_cpus": share} if args.cpu else {"num_gpus": share}
    command = [args.program, "--batch", "-", "--out", os.path.abspath(args.out), *of_engine]
    environment = {name: value for name, value in os.environ.items() if name.startswith(("VIDI_", "GST_"))}
    return [Engine.options(**needs).remote(command, os.getcwd(), environment) for _ in range(n)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", help="a file with a film a line, as for vidi-ask --batch, or - for stdin")
    parser.add_argument("--out", required=True, help="folder of the answers")
    parser.add_argument("--cpu", action="store_true", help="engines without a GPU")
    parser.add_argument("--workers", type=int, default=0, help="engines (default: one a GPU, or with --cpu one a processor)")
    parser.add_argument("--program", default="vidi-ask", help="where vidi-ask is on every machine")
    own = sys.argv[1:]
    of_engine = own[own.index("--") + 1:] if "--" in own else []
    args = parser.parse_args(own[:len(own) - len(of_engine) - 1] if "--" in own else own)
    ends = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what Ray prints is no end of a film
    ray.init(log_to_driver=False, logging_level="error")
    n_failed = n = 0
    try:
        for end in ends_of(films_in(args.list), engines_for(args, of_engine)):
            print(json.dumps(end), file=ends, flush=True)
            n, n_failed = n + 1, n_failed + (end["status"] != "ok")
    except (RuntimeError, ray.exceptions.RayError) as why:
        sys.exit(f"ask.py: {getattr(why, 'cause', None) or why}")
    print(f"{n} films, {n_failed} failed", file=sys.stderr)


if __name__ == "__main__":
    main()
