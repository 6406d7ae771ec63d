"""The tables that evaluate.py prints: plain lists of records in, lines of text out."""
import metrics

LENGTHS = [(3, 8), (8, 32), (32, 64), (64, 128)]
MANY_EVENTS = 7  # more than this the model's highlights were not trained for


def share(value):
    return "-" if value is None else f"{value:.3f}"


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def line(*cells):
    return f"{cells[0]:<44}" + "".join(f"{cell:>11}" for cell in cells[1:])


def scores(answers):
    """The numbers of one row of the first table."""
    precision, recall = metrics.precision_recall([(a["found"], a["ranges"]) for a in answers])
    return {"n": len(answers), "iou": metrics.mean(a["iou"] for a in answers),
            "hit": metrics.mean(a["iou"] >= 0.5 for a in answers), "precision": precision, "recall": recall}


def row(name, answers):
    s = scores(answers)
    return line(name, s["n"], share(s["iou"]), share(s["hit"]), share(s["precision"]), share(s["recall"]))


def of(answers, **wanted):
    return [a for a in answers if all(a[key] == value for key, value in wanted.items())]


def present_table(answers):
    seen = of(answers, kind="visual")
    return [line("there", "n", "mean IoU", "IoU >= 0.5", "precision", "recall"),
            row("seen, edges on whole seconds", of(seen, whole_seconds=True)),
            row("seen, edges off whole seconds", of(seen, whole_seconds=False)),
            row("seen", seen), row("heard", of(answers, kind="audio")), row("  words", of(answers, kind="audio", heard="word")),
            row("  sounds", of(answers, kind="audio", heard="sound")), row("both", of(answers, kind="both"))]


def absent_table(answers):
    lines = [line("not there", "n", "alarms", "share")]
    for name, source in [("of the world, not in this clip", "world"), ("unknown to the model", "unknown"),
                         ("both there, never together", "never together")]:
        asked = of(answers, kind="absent", absent=source)
        alarms = sum(bool(a["found"]) for a in asked)
        lines.append(line(name, len(asked), alarms, percent(alarms, len(asked))))
    return lines


def heard_table(answers):
    """Each sound and all words; and how often it was found where it is not."""
    heard = [a for a in answers if a["heard"]]
    lines = [line("heard", "n", "mean IoU", "not there", "alarms")]
    names = sorted({a["about"] if a["heard"] == "sound" else "words" for a in heard})
    for name in names:
        these = [a for a in heard if name == ("words" if a["heard"] == "word" else a["about"])]
        there, absent = of(these, kind="audio"), of(these, kind="absent")
        lines.append(line(name, len(there), share(metrics.mean(a["iou"] for a in there)), len(absent), sum(bool(a["found"]) for a in absent)))
    return lines


def split_table(title, answers, groups):
    """Mean IoU of each kind in each group: [(name, answers)]."""
    lines = [line(title, "seen", "n", "heard", "n", "both", "n")]
    for name, members in groups:
        cells = []
        for kind in ("visual", "audio", "both"):
            ious = [a["iou"] for a in of(members, kind=kind)]
            cells += [share(metrics.mean(ious)), len(ious)]
        lines.append(line(name, *cells))
    return lines


def by_length(answers):
    return [(f"{low} to {high} s", [a for a in answers if low <= a["duration"] < high]) for low, high in LENGTHS]


def by_count(answers):
    return [(name, [a for a in answers if low <= len(a["ranges"]) <= high])
            for name, low, high in [("one", 1, 1), ("two", 2, 2), ("three or more", 3, 99)]]


def unseen_table(answers):
    lines = [line("unseen by training", "n", "mean IoU", "IoU >= 0.5", "precision", "recall")]
    seen, heard = of(answers, kind="visual"), of(answers, kind="audio")
    for glyphs, wording in [("seen", "seen"), ("held out", "seen"), ("seen", "unseen"), ("held out", "unseen")]:
        lines.append(row(f"seen: glyph {glyphs}, wording {wording}", of(seen, glyphs=glyphs, wording=wording)))
    lines += [row(f"heard: wording {wording}", of(heard, wording=wording)) for wording in ("seen", "unseen")]
    for wording in ("seen", "unseen"):
        asked = of(answers, kind="absent", wording=wording)
        alarms = percent(sum(bool(a["found"]) for a in asked), len(asked))
        lines.append(line(f"not there: wording {wording}", len(asked), alarms))
    return lines


def highlight_table(clips):
    few = [c for c in clips if len(c["events"]) <= MANY_EVENTS]
    groups = [("all", clips), (f"clips of up to {MANY_EVENTS} events", few),
              (f"clips of more than {MANY_EVENTS} events", [c for c in clips if c not in few])]
    groups += [(f"{low} to {high} s", [c for c in clips if low <= c["duration"] < high]) for low, high in LENGTHS]
    lines = [line("highlights", "clips", "match", "missing", "invented")]
    for name, members in groups:
        missing, invented = (metrics.mean(c[key] for c in members) for key in ("missing", "invented"))
        match = metrics.mean(c["match"] for c in members)
        lines.append(line(name, len(members), *(share(value) for value in (match, missing, invented))))
    return lines + ["(match: mean over labels of the label's IoU; missing, invented: labels a clip)"]


def speed_table(clips):
    lines = [line("seconds of a call, per second of clip", "clips", "questions", "highlights")]
    for low, high in LENGTHS:
        members = [c for c in clips if low <= c["duration"] < high]
        rates = (metrics.mean(c[key] / c["duration"] for c in members) for key in ("ask_seconds", "highlight_seconds"))
        lines.append(line(f"{low} to {high} s", len(members), *(share(rate) for rate in rates)))
    return lines


def all_tables(clips):
    answers = [answer for clip in clips for answer in clip["answers"]]
    tables = [present_table(answers), absent_table(answers), highlight_table(clips),
              split_table("mean IoU by length of the clip", answers, by_length(answers)),
              split_table("mean IoU by number of true ranges", answers, by_count(answers))]
    if any(a["heard"] for a in answers):
        tables.append(heard_table(answers))
    if any("unseen" in a["wording"] or a["glyphs"] == "held out" for a in answers):
        tables.append(unseen_table(answers))
    return "\n\n".join("\n".join(table) for table in [*tables, speed_table(clips)])
