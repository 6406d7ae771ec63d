#!/usr/bin/env python3
"""vidi-ask --batch: every film of a list exactly once, whatever the list holds and whatever ends the process."""
import http.server
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import threading
import unittest

import batches
import cases

SETTINGS = {"precision": "fp32", "weights": "native", "keys": "native"}
COLUMNS = ("type uri key run_id model query_id query kind start_ns stop_ns confidence source label text window_start_ns window_stop_ns "
           "has_audio frames status error wall_s device").split()


def of(ends, field):
    return [ends[line].get(field) for line in sorted(ends)]


class What(batches.Folder):
    """What is asked, and what stands in the folder."""

    def test_rows_are_the_hits_of_each_film_alone(self):
        """The union of the rows of kind hit is what `vidi-ask --json` says of each film, and every row has every field."""
        films = self.films(3)
        ends = self.batch(films, "a dog", "a cat")
        self.assertEqual(of(ends, "status"), ["ok"] * 3)
        self.assertEqual(of(ends, "hits"), [2] * 3)
        alone = []
        for film in films:
            result = cases.run([batches.PROGRAM, "--quiet", "--json", film, "a dog", "a cat"], env=self.environment())
            alone += [(film.as_uri(), hit["query"], hit["start"], hit["stop"], hit["confidence"]) for hit in cases.hits_in(result.stdout)]
        found = [(row["uri"], row["query"], row["start_ns"] / 1e9, row["stop_ns"] / 1e9, row["confidence"]) for row in self.rows("hit")]
        self.assertEqual(sorted(found), sorted(alone))
        self.assertEqual({tuple(row) for row in self.rows()}, {tuple(COLUMNS)})
        self.assertEqual({(row["query_id"], row["query"], row["text"], row["status"]) for row in self.rows("window")},
                         {("0", "a dog", "0.20-0.60", "ok"), ("1", "a cat", "0.20-0.60", "ok")})
        self.assertEqual([(row["start_ns"], row["stop_ns"], row["device"]) for row in self.rows("file")], [(0, batches.LENGTH_S * 10**9, "cpu")] * 3)

    def test_what_is_done_is_not_asked_again(self):
        """Started again, with the list in another order, nothing is asked; a new question, setting or content is."""
        films = self.films(4)
        self.batch(films)
        self.assertEqual(self.n_asked(), 4)
        rows = self.rows()
        again = self.batch(reversed(films))
        self.assertEqual((of(again, "status"), of(again, "new"), self.n_asked()), (["ok"] * 4, [False] * 4, 4))
        self.assertEqual(self.rows(), rows)
        self.batch(films, "a cat")
        self.assertEqual(self.n_asked(), 8)
        self.batch(films, "a cat", "--min-confidence", "0.5")
        self.assertEqual(self.n_asked(), 12)
        os.utime(films[0], ns=(0, films[0].stat().st_mtime_ns + 1))
        self.assertEqual(of(self.batch(films), "new"), [True, False, False, False])

    def test_lines_of_a_list(self):
        """Comments, empty lines, Windows line ends, a byte order mark, relative paths, URIs, questions of a line's own, and a film twice."""
        for film in self.films(3):
            os.rename(film, film.with_name(film.name.replace("film", "film ü")))
        uri = (self.folder / "film ü001.avi").as_uri()
        lines = ["\ufefffilm ü000.avi\r", "", "# a comment", "  ", uri, json.dumps({"uri": "film ü002.avi", "queries": ["a cat", "a bird", "a cat"]}),
                 "./film ü000.avi"]
        ends = self.batch(self.list_of(lines))
        self.assertEqual((sorted(ends), of(ends, "status")), ([1, 5, 6, 7], ["ok"] * 4))
        self.assertEqual(sorted([ends[1]["new"], ends[7]["new"]]), [False, True])
        self.assertEqual(ends[1]["key"], ends[7]["key"])
        self.assertEqual(ends[5]["uri"], uri)
        self.assertEqual([row["query"] for row in self.rows("hit") if row["key"] == ends[6]["key"]], ["a cat", "a bird"])
        self.assertEqual(self.n_asked(), 3)

    def test_a_name_that_is_no_utf8_is_asked(self):
        """Names of files are bytes: the row has them escaped in the URI."""
        name = b"film\xff.avi"
        shutil.copy(self.film, os.fsencode(self.folder) + b"/" + name)
        ends = self.batch(self.list_of([name]))
        self.assertEqual(ends[1]["status"], "ok")
        self.assertTrue(ends[1]["uri"].endswith("film%FF.avi"), ends[1])

    def test_a_bad_film_is_a_line(self):
        """Ten kinds of bad ones fail with a sentence each, the others are asked; status 0, with --strict 3; the summary names them."""
        good = self.films(2)
        cut = self.folder / "cut.mp4"
        cut.write_bytes(cases.CLIP.read_bytes()[:200_000])
        (self.folder / "text.mp4").write_text("no film\n" * 100)
        (self.folder / "noise.mp4").write_bytes(random.Random(1).randbytes(20_000))
        (self.folder / "empty.mp4").touch()
        (self.folder / "a folder").mkdir()
        os.mkfifo(self.folder / "pipe")
        lines = [good[0], "gone.mp4", cut, "text.mp4", "noise.mp4", "empty.mp4", "a folder", "pipe", '{"uri": 7}', '{"uri": "x", "queries": []}',
                 "nothing://here", good[1]]
        ends = self.batch(lines)
        self.assertEqual(of(ends, "status"), ["ok"] + ["failed"] * 10 + ["ok"], self.said)
        for line, part in [(2, "there is no such file"), (6, "empty"), (7, "a folder"), (8, "a pipe"), (9, "expected a path"), (10, "queries")]:
            self.assertIn(part, ends[line]["error"])
        self.assertRegex(self.said, r"12 files: 2 asked, 0 done before, 10 failed\n")
        for name in ["gone.mp4", "cut.mp4", "text.mp4", "noise.mp4", "empty.mp4", "a folder", "pipe", "line 9", "line 10", "nothing://here"]:
            self.assertRegex(self.said, r"failed: .+\n(    .+\n)*    .*" + re.escape(name))
        failed = [json.loads(path.read_text()) for path in self.out.glob("*.failed")]
        self.assertEqual({(row["kind"], row["status"]) for row in failed}, {("file", "failed")})
        n_asked = self.n_asked()  # the beginning of cut.mp4 as well
        self.assertEqual(of(self.batch(lines, "a dog", "--strict", status=3), "status").count("failed"), 10)
        self.assertEqual(self.n_asked(), n_asked)

    def test_what_failed_is_asked_again_when_told(self):
        """A film that failed stays failed, until --retry-failed; then its marker goes."""
        film, = self.films(1)
        good = film.read_bytes()
        film.write_bytes(b"no film")
        os.utime(film, ns=(0, 10**18))
        self.assertEqual(of(self.batch([film]), "new"), [True])
        self.assertEqual((of(self.batch([film]), "new"), of(self.batch([film], "a dog", "--retry-failed"), "new")), ([False], [True]))
        film.write_bytes(good[:7])  # the same size and time: the same film, as far as is known
        os.utime(film, ns=(0, 10**18))
        self.assertEqual(of(self.batch([film]), "status"), ["failed"])
        film.write_bytes(good)
        ends = self.batch([film])
        self.assertEqual(ends[1]["status"], "ok")

    def test_a_film_that_changes_is_not_taken_for_the_old_one(self):
        """A film that is written to while it is watched has failed, and is asked anew the next time."""
        film, = self.films(1)
        held = self.folder / "held"  # the engine waits at it for a reader
        os.mkfifo(held)
        process = self.start([film], VIDI_SCRIPTED_LOG=str(held))
        self.wait_until(lambda: any(marker.stat().st_size for marker in self.out.glob("*.begun")), "the begin")
        os.utime(film)
        self.addCleanup(os.close, os.open(held, os.O_RDONLY | os.O_NONBLOCK))
        end = json.loads(process.communicate(timeout=cases.LIMIT_S)[0])
        self.assertEqual((end["status"], end["error"]), ("failed", "it was changed while it was watched"))
        self.assertEqual(of(self.batch([film]), "status"), ["ok"])

    def test_a_film_that_takes_too_long_fails_alone(self):
        """--timeout ends one film, with its marker, and the next goes on."""
        films = self.films(2)
        lines = [json.dumps({"uri": str(films[0]), "queries": ["a", "slow one"]}), films[1]]
        ends = self.batch(lines, "a dog", "--timeout", "8", "--jobs", "1", VIDI_SCRIPTED_SECONDS="100", VIDI_SCRIPTED_SLOW="slow one")
        self.assertEqual(of(ends, "status"), ["failed", "ok"])
        self.assertEqual(ends[1]["error"], "it took longer than 8 s (--timeout)")

    def test_shards_are_the_list(self):
        """Every film is one shard's, by its URI alone, and none is two's."""
        films = self.films(12)
        parts = [{end["uri"] for end in self.batch(films, "a dog", "--shard", f"{i}/3").values()} for i in range(3)]
        self.assertEqual(sorted(uri for part in parts for uri in part), [film.as_uri() for film in films])
        self.assertEqual(self.n_asked(), 12)
        again = {end["uri"] for end in self.batch(reversed(films), "another", "--shard", "1/3").values()}
        self.assertEqual(again, parts[1])

    def test_films_over_http_are_known_by_their_etag(self):
        """The same ETag is done, another one is asked anew, and a server that has no such film is a line."""
        if not shutil.which("gst-inspect-1.0") or cases.run(["gst-inspect-1.0", "--exists", "souphttpsrc"]).returncode:
            self.skipTest("reading films over HTTP needs souphttpsrc")
        film, tags = self.film.read_bytes(), ['"one"']

        class Server(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                there = self.path == "/film.avi"
                self.send_response(200 if there else 404)
                self.send_header("Content-Length", str(len(film) if there else 0))
                self.send_header("ETag", tags[0])
                self.end_headers()
                if there:
                    try:
                        self.wfile.write(film)
                    except OSError:
                        pass  # whoever asked has seen enough

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        address = f"http://127.0.0.1:{server.server_port}"
        lines = [f"{address}/film.avi", f"{address}/gone.avi"]
        ends = self.batch(lines)
        self.assertEqual((of(ends, "status"), of(ends, "new")), (["ok", "failed"], [True, True]), ends)
        self.assertEqual(of(self.batch(lines), "new"), [False, False])
        tags[0] = '"two"'
        self.assertEqual(of(self.batch(lines), "new"), [True, False])
        self.assertEqual(self.n_asked(), 2)


class How(batches.Folder):
    """Runs that are ended, that overlap, that cannot go on."""

    def test_lines_may_come_slowly(self):
        """From stdin each line is asked, and its end is printed, while the next has not come."""
        films = self.films(2)
        process = self.start("-")
        for number, film in enumerate([films[0], films[0], films[1]], 1):
            process.stdin.write(f"{film}\n")
            process.stdin.flush()
            end = json.loads(process.stdout.readline())
            self.assertEqual((end["line"], end["status"], end["new"]), (number, "ok", number != 2))
        process.stdin.close()
        self.assertEqual(process.wait(cases.LIMIT_S), 0)

    def test_killed_at_any_moment_nothing_is_lost_doubled_or_half(self):
        """kill -9 in the middle, three times: then the folder has each film once and whole, and no other file is asked twice."""
        films, moments = self.films(12), random.Random(3)
        for _ in range(3):
            process = self.start(films, VIDI_SCRIPTED_SECONDS="0.1")
            for _ in range(moments.randint(1, 3)):
                process.stdout.readline()
            process.kill()
            process.wait()
            self.rows()  # each one whole
        ends = self.batch(films)
        self.assertEqual(of(ends, "status"), ["ok"] * 12)
        self.assertEqual(sorted(row["uri"] for row in self.rows("hit")), [film.as_uri() for film in films])
        self.assertLessEqual(self.n_asked(), 12 + 3 * 2)
        self.assertEqual([path.name for path in self.out.iterdir() if path.suffix != ".jsonl"], ["settings.json"])

    def test_a_film_that_crashes_the_process_twice_has_failed(self):
        """The second time it is asked alone, so nobody else is blamed; then it is a line, and the others are done."""
        films = self.films(4)
        lines = [json.dumps({"uri": str(film), "queries": ["boom" if film == films[1] else "a dog"]}) for film in films]
        for _ in range(2):
            self.batch(lines, "--jobs", "2", status=-signal.SIGSEGV, VIDI_SCRIPTED_CRASH="boom", VIDI_SCRIPTED_SECONDS="0.2")
        ends = self.batch(lines, "--jobs", "2", VIDI_SCRIPTED_CRASH="boom")
        self.assertEqual(of(ends, "status"), ["ok", "failed", "ok", "ok"])
        self.assertRegex(ends[2]["error"], "^crashed: the process ended in the middle of it 2 times$")
        self.assertEqual(of(self.batch(lines, "--retry-failed"), "status"), ["ok"] * 4)

    def test_stopped_it_leaves_nothing_half(self):
        """Ctrl-C and SIGTERM end it with 130 and a sentence; no marker, no temporary file; started again it goes on."""
        films = self.films(3)
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(films, VIDI_SCRIPTED_SECONDS="60")
            self.wait_until(lambda: self.n_asked() > 0, "the question")
            process.send_signal(number)
            _, said = process.communicate(timeout=cases.LIMIT_S)
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("vidi-ask: stopped before the end; started again it goes on.", said)
            self.assertEqual([path.name for path in self.out.iterdir()], ["settings.json"])
            self.asked.write_text("")
        self.assertEqual(of(self.batch(films), "status"), ["ok"] * 3)

    def test_two_runs_share_a_folder(self):
        """Side by side, with the same list, each film is asked once and both runs end with all of them."""
        films = self.films(6)
        runs = [self.start(films, VIDI_SCRIPTED_SECONDS="0.2") for _ in range(2)]
        ends = [[json.loads(line) for line in run.communicate(timeout=cases.LIMIT_S)[0].splitlines()] for run in runs]
        self.assertEqual([sorted(end["line"] for end in run if end["status"] == "ok") for run in ends], [list(range(1, 7))] * 2)
        self.assertEqual((self.n_asked(), len(self.rows("file"))), (6, 6))

    def test_what_a_dead_process_left_goes(self):
        """A temporary file of a process that has ended is taken away; one of another computer stays."""
        self.out.mkdir()
        host = os.uname().nodename.replace(".", "-")
        ended = subprocess.Popen(["true"])
        ended.wait()
        (self.out / f".x.jsonl.{host}.{ended.pid}.0.tmp").touch()
        (self.out / f".x.jsonl.elsewhere.{ended.pid}.0.tmp").touch()
        self.batch(self.films(1))
        self.assertEqual([path.name for path in self.out.glob(".*")], [f".x.jsonl.elsewhere.{ended.pid}.0.tmp"])

    def test_a_full_disk_ends_the_run_and_blames_no_film(self):
        """One sentence and status 1; no film is marked, and with room again all is asked."""
        films = self.films(2)
        self.batch(films, "another")  # the folder has its settings
        limited = cases.run(self.command(films), env=self.environment(), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)))
        self.assertEqual(limited.returncode, 1, limited.stderr)
        self.assertRegex(limited.stderr, r"vidi-ask: .*out/\w+\.jsonl cannot be written: File too large\.\n$")
        self.assertEqual(sorted({path.suffix for path in self.out.iterdir()}), [".json", ".jsonl"])
        self.assertEqual(of(self.batch(films), "new"), [True, True])

    def test_without_a_model_no_film_is_blamed(self):
        """An engine that is not there, a checkpoint that is none: one sentence, status 1, no marker."""
        films = self.films(2)
        self.batch(films, status=1, VIDI_ENGINE="/nowhere/libvidi.so")
        self.assertIn("libvidi.so", self.said)
        self.batch(films, "--model", str(self.folder), "a dog", status=1)
        self.assertIn("has no config.json", self.said)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_a_folder_keeps_to_one_form(self):
        """What `auto` came to is written down; a run that asks for another form, or finds the file torn, ends with a sentence."""
        films = self.films(1)
        self.batch(films)
        self.assertEqual(json.loads((self.out / "settings.json").read_text()), SETTINGS)
        self.batch(films, "--precision", "fp16", "a dog", status=1)
        self.assertRegex(self.said, r"--precision fp16: the answers in \S+ are of fp32 \(its settings.json\)")
        self.batch(films, "--precision", "fp32", "a dog")
        self.assertEqual(self.n_asked(), 1)
        (self.out / "settings.json").write_text("{")
        self.batch(films, status=1)
        self.assertIn("settings.json is not understood", self.said)

    def test_a_reader_that_leaves_ends_it(self):
        """As SIGPIPE does, also while a long film is being asked; what was being asked leaves no trace."""
        process = self.start(self.films(1), VIDI_SCRIPTED_SECONDS="60")
        self.wait_until(lambda: self.n_asked() > 0, "the question")
        process.stdout.close()
        self.assertEqual(process.wait(cases.LIMIT_S), -signal.SIGPIPE)
        self.assertEqual([path.name for path in self.out.iterdir()], ["settings.json"])

    def test_command_lines_that_are_no_batch(self):
        """One sentence and status 2 each, and nothing is made."""
        films = self.list_of(["film.avi"])
        for arguments, part in [(["--batch", films, "a dog"], "--out DIR"), (["--out", self.out, self.film, "a dog"], "--batch LIST"),
                                (["--batch", films, "--out", self.out, "--shard", "4/4", "a dog"], "from 0 to N - 1"),
                                (["--batch", films, "--out", self.out, "--jobs", "0", "a dog"], "1 to 64"),
                                (["--batch", films, "--out", self.out, "--timeout", "x", "a dog"], "seconds"),
                                (["--batch", films, "--out", self.out, "--html", "x.html", "a dog"], "--html"),
                                (["--batch", films, "--out", self.out, "--ask-more"], "--ask-more"),
                                (["--batch", films, "--out", self.out, self.film, "a dog"], "from the list")]:
            result = cases.run([batches.PROGRAM, *arguments], env=self.environment())
            self.assertEqual((result.returncode, result.stdout, len(result.stderr.splitlines())), (2, "", 1), result.stderr)
            self.assertIn(part, result.stderr)
        self.assertFalse(self.out.exists())

    def test_lists_and_folders_that_are_none(self):
        """A list that is not there or a folder, and an --out that is a file, end it with status 1; a line without a question is a line."""
        self.batch(self.folder / "gone", status=1)
        self.assertIn("gone cannot be read: No such file", self.said)
        self.batch(self.folder, status=1)
        self.assertIn("it is a folder, expected a list", self.said)
        self.assertIn("expected questions", self.batch([self.film], "--quiet")[1]["error"])
        shutil.rmtree(self.out)
        self.out.write_text("mine")
        self.batch([self.film], status=1)
        self.assertIn("expected a folder, found the file", self.said)
        self.assertEqual(self.out.read_text(), "mine")

    def test_the_cluster_scripts_ask_the_whole_list(self):
        """The SLURM array's jobs, and the Kubernetes job's pods, together ask each film once."""
        films = self.list_of(map(str, self.films(8)))
        script = cases.SOURCE / "examples/batch/slurm.sh"
        for task in range(3, 6):
            slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "3", "VIDI_ASK": str(batches.PROGRAM)}
            self.assertEqual(cases.run([script, films, self.out, "a dog"], env=self.environment(**slurm)).returncode, 0)
        self.assertEqual((self.n_asked(), len(self.rows("file"))), (8, 8))
        job = (cases.SOURCE / "examples/batch/kubernetes.yaml").read_text()
        pods = int(re.search(r"completions: (\d+)", job)[1])
        arguments = re.findall(r"^ {12}- (.+)$", job, re.M)
        self.assertIn(f"--shard=$(JOB_COMPLETION_INDEX)/{pods}", arguments)
        for name, value in [("/films/list.txt", str(films)), ("/films/hits", str(self.folder / "pods"))]:
            arguments = [one.replace(name, value) for one in arguments if not one.startswith("--model")]
        self.asked.write_text("")
        for pod in range(0, pods, 5):
            ran = cases.run([batches.PROGRAM, *[one.replace("$(JOB_COMPLETION_INDEX)", str(pod)) for one in arguments]], env=self.environment())
            self.assertEqual(ran.returncode, 0, ran.stderr)


if __name__ == "__main__":
    cases.main(__name__)
