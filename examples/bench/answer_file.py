"""The file of answers: what is in it stays, a new one is written beside it and takes its place when it is complete."""
import os
import socket

from problem import Problem, shown


class AnswerFile:
    """Rows by their question's key, those that were there and those that came. `path` may be a link: its target is replaced."""

    def __init__(self, benchmark, path, questions):
        self.benchmark = benchmark
        self.order = {question.key: place for place, question in enumerate(questions)}
        if path == "-":
            raise Problem("expected a file of answers, found -")
        self.path = os.path.realpath(path)
        self.rows = {}
        self.is_changed = False

    def refuse_to_replace(self, *read):
        """What is read must not be written, under any of its names."""
        for path in read:
            if os.path.exists(self.path) and os.path.exists(path) and os.path.samefile(self.path, path):
                raise Problem(f"--out: expected a file of its own, found {shown(path)}, which is read")
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise Problem(f"--out: expected a file, found {shown(self.path)}, which is a folder or a device")
        if not os.path.isdir(os.path.dirname(self.path)):
            raise Problem(f"--out: there is no folder {shown(os.path.dirname(self.path))}")

    def read(self, say, must_be_there=False):
        """What an earlier run has left, or another program has written."""
        if not must_be_there and not os.path.exists(self.path):
            return
        for key, row in self.benchmark.read_rows(self.path):
            if key in self.rows:
                say(f"{shown(self.path)}: {shown(key)} stands more than once: the first one counts")
            self.rows.setdefault(key, row)

    def add(self, key, row):
        self.rows[key] = row
        self.is_changed = True

    def write(self):
        """What was added, in the order of the questions. Raises Problem where it cannot, and leaves the file as it was."""
        if not self.is_changed:
            return
        rows = [self.rows[key] for key in sorted(self.rows, key=lambda key: self.order.get(key, len(self.order)))]
        beside = os.path.join(os.path.dirname(self.path), f".{os.path.basename(self.path)[:80]}.{socket.gethostname()}.{os.getpid()}")
        try:
            if os.path.lexists(beside):
                os.unlink(beside)  # of a run that was killed
            with open(beside, "x", encoding="utf-8") as file:
                file.write(self.benchmark.text_of_rows(rows))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
            self.is_changed = False
        except OSError as error:
            if os.path.exists(beside):
                os.unlink(beside)
            raise Problem(f"{shown(self.path)}: {error.strerror}") from None
