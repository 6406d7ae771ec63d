"""What is asked about a planned clip, and what is right: six questions or more, and the list of highlights.

`near` is the share of the absent questions that ask for what is easily taken for something in the clip: a sound or word that is like one that is
heard, what makes a sound that is heard but is not seen, the sound of what is seen, two things that are there but never at once.
"""
import numpy as np

import world

MOST_EVENTS = 12  # of a list of highlights
QUESTIONS = 6  # a clip, and the highlights beside them
SEEN_NAMES = list(world.SEEN)
MUSIC = world.HEARD.index("music")
JOINED = 1.5  # seconds; notes of one kind that are closer than this are one stretch
SHORTEST = 0.6  # seconds; of what two things have in common, where they are asked for together
ALIKE = [[world.HEARD.index(name) for name in row] for row in world.ALIKE]
CONFUSED = [[world.HEARD.index(name) for name in row] for row in world.ALIKE + world.CONFUSED]
MAKES = [(SEEN_NAMES.index(thing), world.HEARD.index(sound)) for sound, things in world.MADE_BY.items() for thing in things]


def frame_mask(clip, ranges):
    t = np.arange(clip.frames) / clip.rate
    mask = np.zeros(clip.frames, bool)
    for a, b in ranges:
        mask |= (t >= a - 1e-6) & (t < b - 1e-6)
    return mask


def runs(mask, rate, seconds):
    """The mask's runs as ranges of seconds: a frame stands for the time up to the next one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(a / rate, min(b / rate, seconds)) for a, b in edges.reshape(-1, 2)]


def seen_ranges(clip):
    """Class -> (frame mask, ranges that the frames can tell)."""
    return {t.kind: (m := frame_mask(clip, t.ranges), runs(m, clip.rate, clip.seconds)) for t in clip.things if t.kind >= 0}


def heard_ranges(clip):
    found = {}
    for s in sorted(clip.stretches, key=lambda s: s.start):
        if s.kind < 0:
            continue
        ranges = found.setdefault(s.kind, [])
        if ranges and s.start - ranges[-1][1] < JOINED:
            ranges[-1] = (ranges[-1][0], max(s.stop, ranges[-1][1]))
        else:
            ranges.append((s.start, s.stop))
    return found if clip.audio else {}


def intersect(first, second, shortest=0.0):
    common = [(max(a, c), min(b, d)) for a, b in first for c, d in second]
    return sorted((a, b) for a, b in common if b - a > shortest)


def shares(ranges, seconds):
    return [(max(0.0, a / seconds), min(1.0, b / seconds)) for a, b in ranges]


class Asker:
    """Asks about one clip; each question comes with what it is about, for the helper losses."""

    def __init__(self, rng, clip):
        self.rng, self.clip = rng, clip
        self.seen = {kind: found for kind, found in seen_ranges(clip).items() if found[1]}
        self.heard = heard_ranges(clip)
        self.silent = [k for k in range(len(world.HEARD)) if k not in self.heard and not (clip.bed and k == MUSIC)]
        self.unseen = [k for k in range(len(SEEN_NAMES)) if k not in self.seen]
        self.asked = []

    def add(self, text, ranges=(), mask=None, sound=()):
        told = shares(ranges, self.clip.window)
        self.asked.append((text, world.ranges_text(told), told, mask, list(sound)))

    def wording(self, kind):
        """Of a question for what is heard."""
        return world.ask_typed(kind, self.rng) if self.rng.random() < 0.4 else world.ask_heard(kind, self.rng)

    def about_seen(self, kind):
        self.add(world.ask_seen(SEEN_NAMES[kind], self.rng), self.seen[kind][1], self.seen[kind][0])

    def about_heard(self, kind):
        self.add(self.wording(kind), self.heard[kind], None, self.heard[kind])

    def about_both(self):
        self.about_pair(self.rng.choice(list(self.seen)), self.rng.choice(list(self.heard)))

    def about_pair(self, s, h):
        common = intersect(self.seen[s][1], self.heard[h])
        if common and min(b - a for a, b in common) < SHORTEST:
            return
        self.add(world.ask_both(SEEN_NAMES[s], h, self.rng), common, self.seen[s][0], self.heard[h])

    def about_any(self):
        """Of what is there; whether there was anything."""
        kinds = [("s", k) for k in self.seen] + [("h", k) for k in self.heard]
        if kinds:
            medium, kind = self.rng.choice(kinds)
            self.about_seen(kind) if medium == "s" else self.about_heard(kind)
        return bool(kinds)

    def about_absent(self):
        rng, dice = self.rng, self.rng.random()
        if dice < 0.25:
            self.add(world.ask_unknown(rng))
        elif dice < 0.35:
            self.add(world.ask_unknown_sound(rng))
        elif dice < 0.65:
            self.add(world.ask_seen(SEEN_NAMES[rng.choice(self.unseen)], rng))
        else:
            alike = self.like_heard(ALIKE)
            self.add(self.wording(rng.choice(alike if alike and rng.random() < 0.6 else self.silent)))

    def like_heard(self, rows):
        """What is silent and like something that is heard."""
        return [k for row in rows for k in row if k in self.silent and any(other in self.heard for other in row)]

    def about_near(self):
        """Something absent that is easily taken for what is there; whether the clip has room for such."""
        ways = [self.near_heard] * 4 + [self.near_medium] * 2 + [self.near_pair] + [self.apart] * 3
        return self.rng.choice(ways)()

    def near_heard(self):
        like = self.like_heard(CONFUSED)
        if self.rng.random() < 0.3 and min(self.heard, default=len(world.WORDS)) < len(world.WORDS):
            like = [k for k in self.silent if k < len(world.WORDS)]  # any word for another one
        if like:
            self.add(self.wording(self.rng.choice(like)))
        return bool(like)

    def near_medium(self):
        """The sound of what is only seen, or what makes a sound that is only heard."""
        only = [("h", h) for s, h in MAKES if s in self.seen and h in self.silent]
        only += [("s", s) for s, h in MAKES if h in self.heard and s in self.unseen]
        if not only:
            return False
        medium, kind = self.rng.choice(only)
        self.add(self.wording(kind) if medium == "h" else world.ask_seen(SEEN_NAMES[kind], self.rng))
        return True

    def near_pair(self):
        """Two at once of which one is not there."""
        rng = self.rng
        if self.seen and (not self.heard or rng.random() < 0.6):
            s = rng.choice(list(self.seen))
            self.add(world.ask_both(SEEN_NAMES[s], rng.choice(self.like_heard(CONFUSED) or self.silent), rng), (), self.seen[s][0])
        elif self.heard:
            h = rng.choice(list(self.heard))
            self.add(world.ask_both(SEEN_NAMES[rng.choice(self.unseen)], h, rng), (), None, self.heard[h])
        return bool(self.seen or self.heard)

    def apart(self):
        """Two that are there, but never at once."""
        return self.about_one_of([(s, h) for s, h in self.pairs() if not intersect(self.seen[s][1], self.heard[h])])

    def together(self):
        """Two that are there at once for a while."""
        return self.about_one_of([(s, h) for s, h in self.pairs() if intersect(self.seen[s][1], self.heard[h], SHORTEST)])

    def pairs(self):
        return [(s, h) for s in self.seen for h in self.heard]

    def about_one_of(self, pairs):
        if pairs:
            self.about_pair(*self.rng.choice(pairs))
        return bool(pairs)

    def fill(self, count, level):
        while len(self.asked) < count:
            if not (self.seen or self.heard) or self.rng.random() < 0.33 * level:
                self.about_absent()
            else:
                self.about_any()

    def fill_near(self, count, near):
        """Half of what is left for what is absent, and two at once, where there are such, as often as two that never meet."""
        while len(self.asked) < count:
            dice = self.rng.random()
            if dice < 0.5 * near and self.about_near() or dice > 0.75 and self.together():
                continue
            if dice < 0.5 or not self.about_any():
                self.about_absent()


def draw_questions(rng, clip, level, near=0.0, count=QUESTIONS):
    """Questions and the highlights of a clip."""
    asker = Asker(rng, clip)
    for kind in asker.seen:
        asker.about_seen(kind)
    for kind in asker.heard:
        asker.about_heard(kind)
    if rng.random() < 0.3 + 0.7 * level:
        asker.about_absent()
    if asker.seen and asker.heard and rng.random() < 0.6 * level:
        asker.about_both()
    asker.fill_near(count, near) if near else asker.fill(count, level)
    rng.shuffle(asker.asked)
    clip.questions = asker.asked[:count]
    clip.highlights = list_of_events(asker)


def list_of_events(asker):
    """The answer for highlights; "" where there are too many."""
    window = asker.clip.window
    events = [(a, b, SEEN_NAMES[k]) for k, (_, ranges) in asker.seen.items() for a, b in ranges]
    events += [(a, b, world.HEARD[k]) for k, ranges in asker.heard.items() for a, b in ranges]
    scaled = [(a / window, min(1.0, b / window), label) for a, b, label in events]
    return world.highlights_text(scaled) if len(events) <= MOST_EVENTS else ""
