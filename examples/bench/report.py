"""What is said at the end: the scores, and beside them the share of the questions that they rest on."""
import json

from problem import Problem, shown

MOST_LISTED = 20


class Report:
    """`missing`: identifiers of videos that are not there; `failed`: {identifier: why}."""

    def __init__(self, name, benchmark, questions, rows, missing=(), failed=None):
        self.name, self.missing, self.failed = name, list(missing), failed or {}
        self.n_questions, self.n_videos = len(questions), len({question.video for question in questions})
        scored = [question for question in questions if any(stop > start for start, stop in question.truth or [])]
        self.n_without_truth = len(questions) - len(scored)
        answered = [question for question in scored if question.key in rows]
        self.n_scored, self.n_answered = len(scored), len(answered)
        self.n_strange = len(set(rows) - {question.key for question in questions})
        rows = {question.key: rows[question.key] for question in answered}
        self.scores = {"all": benchmark.score(scored, rows) if scored else {},
                       "answered": benchmark.score(answered, rows) if answered else {}}
        self.is_without_hit = self.name == "qvhighlights" and bool(scored) and "HIT@1" not in self.scores["all"]

    def share(self):
        return self.n_answered / self.n_scored if self.n_scored else 0.0

    def as_json(self):
        return json.dumps({"set": self.name, "questions": self.n_questions, "videos": self.n_videos, "scored": self.n_scored,
                           "answered": self.n_answered, "share": self.share(), "missing": self.missing, "failed": self.failed,
                           "scores": self.scores})

    def notes(self):
        """A sentence each, for what the numbers alone do not tell."""
        if self.n_without_truth == self.n_questions:
            yield "the truth has no times (a test split): there is no score"
        elif self.n_without_truth:
            yield f"{self.n_without_truth} questions have no true range: they are not in the score"
        if self.n_strange:
            yield f"{self.n_strange} answers are about no question of the truth: they are not in the score"
        if self.is_without_hit:
            yield "HIT@1 is left out: it needs saliency_scores in the truth, of every question, and pred_saliency_scores in the answers"

    def lines(self):
        yield f"{self.name}: {self.n_questions} questions about {self.n_videos} videos"
        if not self.n_scored:
            return
        unanswered = f"; videos missing: {len(self.missing)}, failed: {len(self.failed)}" if self.missing or self.failed else ""
        yield f"answered: {self.n_answered} of {self.n_scored} questions, {100 * self.share():.1f} %{unanswered}"
        width = max(map(len, self.scores["all"])) + 2
        yield f"{'':{width}}{'all':>8}  answered" if self.scores["answered"] else f"{'':{width}}{'all':>8}"
        for name, value in self.scores["all"].items():
            answered = self.scores["answered"].get(name)
            yield f"{name:{width}}{100 * value:8.2f}" + (f"  {100 * answered:8.2f}" if answered is not None else "")


def missing_sentence(missing, n_videos, folder):
    """None where none is missing; a Problem where all are."""
    if not missing:
        return None
    names = ", ".join(shown(one) for one in missing[:MOST_LISTED]) + (" ..." if len(missing) > MOST_LISTED else "")
    if len(missing) == n_videos:
        raise Problem(f"none of the {n_videos} videos is in {shown(folder)}: expected files named by their identifiers, such as {shown(missing[0])}.mp4")
    return f"{len(missing)} of {n_videos} videos are not in {shown(folder)}: {names}"
