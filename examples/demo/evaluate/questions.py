"""The questions about a clip and their answers, out of what was planned and what was mixed."""
from held_out import world
from metrics import intersection, seconds

SHORTEST_BOTH_S = 1.0  # every piece of an answer to "this while that" lasts this long


def in_seconds(ranges):
    return [[round(float(start), 3), round(float(stop), 3)] for start, stop in ranges]


class Questioner:
    """Asks about one clip. `unseen`: every other wording is one that training never had."""

    def __init__(self, plan, soundtrack, rng, classes=None, unseen=False):
        self.plan, self.soundtrack, self.rng = plan, soundtrack, rng
        self.classes, self.unseen = classes, unseen
        self.things = [thing for thing in plan.things if thing.name]

    def all(self):
        asked = [self.visual(thing) for thing in self.things]
        asked += [self.audio(index) for index in self.soundtrack.heard]
        asked += self.both()
        asked += [self.absent_known(), self.absent_unknown()]
        by_text = {question["query"].lower(): question for question in reversed(asked) if question}
        return list(by_text.values())[::-1]

    def events(self):
        seen = [[a, b, thing.name] for thing in self.things for a, b in in_seconds(self.plan.ranges(thing))]
        heard = [[a, b, world.HEARD[i]] for i, ranges in self.soundtrack.heard.items() for a, b in in_seconds(ranges)]
        return sorted(seen + heard)

    def question(self, kind, query, wording, ranges=(), glyphs="seen", **more):
        return {"kind": kind, "query": query, "ranges": in_seconds(ranges), "wording": wording, "glyphs": glyphs, **more}

    def seen_wording(self, name):
        if self.unseen and self.rng.random() < 0.5:
            phrase = self.rng.choice(world.split(world.SEEN[name][1]))
            return world.unseen_wording(phrase, self.rng), "unseen"
        return world.ask_seen(name, self.rng), "seen"

    def heard_wording(self, index):
        """There are unseen wordings for words alone."""
        if self.unseen and index < len(world.WORDS) and self.rng.random() < 0.5:
            return self.rng.choice(world.UNSEEN_SPEECH).format(w=world.WORDS[index]), "unseen"
        return world.ask_heard(index, self.rng), "seen"

    def visual(self, thing):
        return self.question("visual", *self.seen_wording(thing.name), self.plan.ranges(thing), glyphs_of(thing))

    def audio(self, index):
        heard = "word" if index < len(world.WORDS) else "sound"
        return self.question("audio", *self.heard_wording(index), self.soundtrack.heard[index], heard=heard, about=world.HEARD[index])

    def both(self):
        """Two questions at most about a thing while a sound; now and then a pair that never meets."""
        pairs = [(thing, index) for thing in self.things for index in self.soundtrack.heard]
        self.rng.shuffle(pairs)
        asked, apart = [], None
        for thing, index in pairs:
            common = intersection(self.plan.ranges(thing), self.soundtrack.heard[index])
            query = world.ask_both(thing.name, index, self.rng)
            if common and min(stop - start for start, stop in common) >= SHORTEST_BOTH_S:
                asked.append(self.question("both", query, "seen", common, glyphs_of(thing)))
            elif seconds(common) == 0:
                apart = self.question("absent", query, "seen", glyphs=glyphs_of(thing), absent="never together")
        return asked[:2] + [apart] * (apart is not None and self.rng.random() < 0.3)

    def absent_known(self):
        """A thing, word or sound of the world that this clip does not have."""
        there = {thing.name for thing in self.things}
        things = [name for name in world.SEEN if name not in there and (not self.classes or name in self.classes)]
        sounds = [i for i, name in enumerate(world.HEARD) if i not in self.soundtrack.heard and
                  (not self.classes or name in self.classes) and self.soundtrack.may_be_asked(name)]
        if sounds and (not things or self.rng.random() < 0.45):
            query, wording = self.heard_wording(self.rng.choice(sounds))
        else:
            query, wording = self.seen_wording(self.rng.choice(things))
        return self.question("absent", query, wording, absent="world")

    def absent_unknown(self):
        """Something that no clip has. Words that distractors may say are left out."""
        if self.unseen and self.rng.random() < 0.5:
            noun = self.rng.choice(world.UNKNOWN)
            phrase = ("an " if noun[0] in "aeiou" else "a ") + noun
            query, wording = world.unseen_wording(phrase, self.rng), "unseen"
        else:
            query, wording = world.ask_unknown(self.rng), "seen"
            while any(word in query.lower() for word in world.DISTRACTOR_WORDS):
                query = world.ask_unknown(self.rng)
        return self.question("absent", query, wording, absent="unknown")


def glyphs_of(thing):
    return "held out" if thing.held_out else "seen"
