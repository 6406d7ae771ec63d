"""What is said at the end: the scores, and beside them the share of the questions that they rest on."""
import dataclasses
import json

from problem import shown

MOST_LISTED = 20


@dataclasses.dataclass
class Outcome:
    """What became of the videos: identifiers of those that are not there, and by identifier why one failed, and how long one is
    and should be."""
    missing: list = dataclasses.field(default_factory=list)
    failed: dict = dataclasses.field(default_factory=dict)
    other_lengths: dict = dataclasses.field(default_factory=dict)


def listed(names):
    return ", ".join(shown(name) for name in names[:MOST_LISTED]) + (" ..." if len(names) > MOST_LISTED else "")


class Report:
    """Of `rows` by their question's key, which may be about other questions as well."""

    def __init__(self, name, benchmark, questions, rows, outcome):
        self.name, self.outcome = name, outcome
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
                           "answered": self.n_answered, "share": self.share(), "missing": self.outcome.missing,
                           "failed": self.outcome.failed, "other_lengths": self.outcome.other_lengths, "scores": self.scores})

    def notes(self):
        """A sentence each, for what the numbers alone do not tell."""
        if self.n_without_truth == self.n_questions:
            yield "the truth has no times (a test split): there is no score"
        elif self.n_without_truth:
            yield f"questions without a true range: {self.n_without_truth}; they are not in the score"
        if self.n_strange:
            yield f"answers about no question of the truth: {self.n_strange}; they are not in the score"
        if self.outcome.other_lengths:
            lengths = [f"{video} ({found:.1f} s, not {stated:g} s)" for video, (found, stated) in self.outcome.other_lengths.items()]
            yield f"not as long as the truth says (another cut?): {listed(lengths)}"
        if self.n_scored and not self.n_answered:
            yield "no question is answered"
        if self.is_without_hit:
            yield "HIT@1 is left out: it needs saliency_scores in the truth, of every question, and pred_saliency_scores in the answers"

    def lines(self):
        yield f"{self.name}: {self.n_questions} questions about {self.n_videos} videos"
        if not self.n_scored:
            return
        missing, failed = len(self.outcome.missing), len(self.outcome.failed)
        unanswered = f"; videos missing: {missing}, failed: {failed}" if missing or failed else ""
        yield f"answered: {self.n_answered} of {self.n_scored} questions, {100 * self.share():.1f} %{unanswered}"
        width = max(map(len, self.scores["all"])) + 2
        has_both = 0 < self.n_answered < self.n_scored
        yield f"{'':{width}}{'all':>8}" + ("  answered" if has_both else "")
        for name, value in self.scores["all"].items():
            yield f"{name:{width}}{100 * value:8.2f}" + (f"  {100 * self.scores['answered'][name]:8.2f}" if has_both else "")
