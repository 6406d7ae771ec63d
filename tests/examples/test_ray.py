#!/usr/bin/env python3
"""examples/ray: a list of films over two engines, each film once, whoever is killed; and the answers as Parquet. Needs Ray, pyarrow and DuckDB in
build/extras (tests/extras.sh)."""
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import unittest

import batches
import cases
import media

PYTHON = cases.BUILD / "extras/bin/python"
RAY = cases.SOURCE / "examples/ray"
CLUSTER = "import ray; print(ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False).address_info['gcs_address'], flush=True); input()"
# Takes processors of the cluster away, until a line comes.
HOLDER = """import ray, sys
ray.init(log_to_driver=False, logging_level="error")
@ray.remote
class Holder:
    def is_there(self): pass
holder = Holder.options(num_cpus=int(sys.argv[1])).remote()
ray.get(holder.is_there.remote())
print("there", flush=True)
input()"""
N_CLIPS = 8
N_ENGINES = 2
REAL_ENGINE = {"VIDI_ENGINE": os.environ.get("VIDI_ENGINE")}


def lacks(*modules):
    return not PYTHON.exists() or cases.run([PYTHON, "-c", "import " + ", ".join(modules)]).returncode != 0


def command_of(process):
    """Empty when it has ended."""
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def kill(processes):
    """The first of them, where there is one."""
    for process in sorted(processes)[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@unittest.skipIf(lacks("ray", "pyarrow", "duckdb"), "Ray, pyarrow and DuckDB are not installed (tests/extras.sh)")
class Ray(batches.Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # One cluster for all cases, of their own: whoever has no token of it is refused.
        cls.ray = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        cls.cluster = subprocess.Popen([PYTHON, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                       env=cases.environment(**cls.ray, RAY_ADDRESS="local"))
        cls.addClassCleanup(cls.end_cluster)
        cls.ray["RAY_ADDRESS"] = cls.cluster.stdout.readline().strip()

    @classmethod
    def end_cluster(cls):
        cls.cluster.communicate("\n", timeout=cases.LIMIT_S)

    def environment(self, **more):
        return super().environment(**self.ray, **more)

    def ray_command(self, films, *questions):
        return [PYTHON, RAY / "ask.py", self.list_of(map(str, films)), "--out", self.out, "--cpu", "--workers", str(N_ENGINES), "--program", batches.PROGRAM, "--",
                *(questions or ["a dog"])]

    def ask(self, films, *questions, status=0, **more):
        """The ends, by the number of the line."""
        result = cases.run(self.ray_command(films, *questions), env=self.environment(**more), cwd=self.folder)
        self.assertEqual(result.returncode, status, result.stderr)
        self.said = result.stderr
        return {end["line"]: end for end in map(json.loads, result.stdout.splitlines())}

    def begin(self, films, **more):
        """Read without a buffer: of lines that come together communicate() would miss those that a buffer holds."""
        process = subprocess.Popen(self.ray_command(films), bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(**more),
                                   cwd=self.folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def engines(self):
        """The process of each vidi-ask, and that of its actor."""
        found = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if f"--out\0{self.out}".encode() in (command := (folder / "cmdline").read_bytes()) and command.startswith(bytes(batches.PROGRAM)):
                    found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass  # it has ended meanwhile
        return found

    def hold(self, n_processors):
        holder = subprocess.Popen([PYTHON, "-c", HOLDER, str(n_processors)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, env=self.environment())
        self.addCleanup(holder.communicate, "\n")
        self.assertEqual(holder.stdout.readline(), "there\n")
        return holder

    def assert_all_once(self, films):
        self.assertEqual(sorted(row["uri"] for row in self.rows("file")), sorted(film.as_uri() for film in films))
        self.assertEqual(sorted(row["uri"] for row in self.rows("hit")), sorted(film.as_uri() for film in films))

    def test_rows_are_the_hits_of_each_film_alone(self):
        """With the bundled model and 8 clips of 10 s over 2 engines: the union of the rows is what vidi-ask --json says of each."""
        if not REAL_ENGINE["VIDI_ENGINE"] and not (cases.BUILD / "model/libvidi.so").exists():
            self.skipTest("this build has no engine")
        clips = [self.folder / f"clip{i}.mp4" for i in range(N_CLIPS)]
        pictures, sound = media.PICTURES.replace(str(media.N_PICTURES), "250"), media.SOUND.replace(str(media.N_SOUNDS), str(48000 * 10 // 1024))
        media.make(clips[0], "mp4mux", pictures, sound)
        for clip in clips[1:]:
            shutil.copy(clips[0], clip)
        self.assertEqual({end["status"] for end in self.ask(clips, "a phone", "a dog", **REAL_ENGINE).values()}, {"ok"})
        alone = cases.run([batches.PROGRAM, "--quiet", "--json", clips[0], "a phone", "a dog"], env=self.environment(**REAL_ENGINE))
        hits = [(hit["query"], hit["start"], hit["stop"]) for hit in cases.hits_in(alone.stdout)]
        self.assertTrue(hits)
        found = sorted((row["uri"], row["query"], row["start_ns"] / 1e9, row["stop_ns"] / 1e9) for row in self.rows("hit"))
        self.assertEqual(found, sorted((clip.as_uri(), *hit) for clip in clips for hit in hits))

    def test_an_engine_or_an_actor_that_is_killed_loses_nothing(self):
        """kill -9 of a vidi-ask, then of a Ray worker, in the middle (or on a slow machine after the end): the same driver ends with every film
        once."""
        films = self.films(N_CLIPS)
        process = self.begin(films, VIDI_SCRIPTED_SECONDS="1.5")
        process.stdout.readline()
        kill(self.engines())
        process.stdout.readline()
        self.wait_until(lambda: self.engines() or process.poll() is not None, "an engine")
        kill(actor for actor in self.engines().values() if b"ray::" in command_of(actor))  # of an engine that has lost it: init
        out, said = process.communicate(timeout=cases.LIMIT_S)
        self.assertEqual((process.returncode, len(out.splitlines())), (0, N_CLIPS - 2), out + said)
        self.assert_all_once(films)

    def test_a_driver_that_is_killed_goes_on_when_it_is_started_again(self):
        """Killed after 3 films: what was done is not asked again, the rest is; each engine loses at most the two films that it had in work."""
        films = self.films(N_CLIPS)
        process = self.begin(films, VIDI_SCRIPTED_SECONDS="0.3")
        for _ in range(3):
            process.stdout.readline()
        process.kill()
        process.wait()
        self.wait_until(lambda: not self.engines(), "the engines' end")
        n_asked, n_done = self.n_asked(), len(self.rows("file"))
        self.assertGreaterEqual(n_done, 3)
        self.assertLessEqual(n_asked - n_done, 2 * N_ENGINES)
        self.assertEqual(len(self.ask(films)), N_CLIPS)
        self.assert_all_once(films)
        self.assertEqual(self.n_asked() - n_asked, N_CLIPS - n_done)

    def test_an_engine_that_finds_no_place_holds_no_film(self):
        """Another program has one of the two processors: the engine on the other one does all."""
        self.hold(1)
        films = self.films(N_CLIPS)
        self.assertEqual(len(self.ask(films)), N_CLIPS)
        self.assert_all_once(films)

    def test_a_cluster_without_a_place_is_said_and_waited_for(self):
        """Another program has both processors: one sentence, and the films are asked when it lets go."""
        holder = self.hold(2)
        process = self.begin(self.films(2))
        self.assertRegex(process.stderr.readline().decode(), r"^ask\.py: no engine has come in 10 s, Ray has 0 GPU and 0 CPU free of 0 GPU and 2 CPU; waiting$")
        holder.stdin.write("\n")
        holder.stdin.flush()
        out, said = process.communicate(timeout=cases.LIMIT_S)
        self.assertEqual((process.returncode, len(out.splitlines())), (0, 2), said)

    def test_one_truncated_film_of_eight_again_and_with_another_question(self):
        """7 are ok and 1 has failed, with status 0; again nothing is asked; with another question all are."""
        films = self.films(N_CLIPS)
        cut = self.folder / "film003.mp4"
        cut.write_bytes(cases.CLIP.read_bytes()[:3000])
        films[3] = cut
        ends = self.ask(films)
        self.assertEqual([line for line in ends if ends[line]["status"] == "failed"], [4])
        self.assertEqual((len(self.rows("file")), self.n_asked()), (7, 7))
        self.assertIn("8 films, 1 failed", self.said)
        self.assertEqual({end["new"] for end in self.ask(films).values()}, {False})
        self.assertEqual(self.n_asked(), 7)
        self.ask(films, "a cat")
        self.assertEqual(self.n_asked(), 14)

    def test_a_run_that_cannot_go_on_says_why(self):
        """An engine that is not there: vidi-ask's sentence and status 1, and no restart without end."""
        self.ask(self.films(2), status=1, VIDI_ENGINE="/nowhere/libvidi.so")
        self.assertRegex(self.said, r"(?m)^ask\.py: .*libvidi\.so")

    def test_parquet_holds_every_row(self):
        """to_parquet.py and DuckDB, with the line of the documentation: the hits of the folder, and what failed."""
        films = self.films(3)
        self.batch([*films, "gone.avi"], "a dog", "a cat")
        made = cases.run([PYTHON, RAY / "to_parquet.py", self.out, self.folder / "hits.parquet"])
        self.assertEqual((made.returncode, made.stdout), (0, f"{len(self.rows()) + 1} rows\n"), made.stderr)
        line, = [line for line in (RAY / "README.md").read_text().splitlines() if "FROM 'hits.parquet'" in line]
        asked = cases.run([PYTHON, "-c", "import duckdb, sys; print(duckdb.sql(sys.argv[1]).fetchall())", line], cwd=self.folder)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertEqual(asked.stdout.count("a dog"), 1)
        types = cases.run([PYTHON, "-c", "import pyarrow.parquet as p; f = p.read_table('hits.parquet'); print(f.schema.field('start_ns').type, "
                           "f.column('status').to_pylist().count('failed'), f.num_columns)"], cwd=self.folder)
        self.assertEqual(types.stdout, "int64 1 21\n", types.stderr)

    def test_a_folder_with_another_row_is_no_parquet(self):
        """A line that is no row is named, nothing is written, and an older file stays."""
        self.out.mkdir()
        (self.out / "x.jsonl").write_text('{"uri": "x"}\n')
        old = self.folder / "hits.parquet"
        old.write_text("old")
        made = cases.run([PYTHON, RAY / "to_parquet.py", self.out, old])
        self.assertNotEqual(made.returncode, 0)
        self.assertRegex(made.stderr, r"(?m)^to_parquet\.py: .*x\.jsonl, line 1: expected a row")
        self.assertEqual((old.read_text(), sorted(path.name for path in self.folder.glob(".*"))), ("old", []))


if __name__ == "__main__":
    cases.main(__name__)
