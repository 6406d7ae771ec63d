"""The questions about a clip: wordings from ../../README.md, and for sounds the short ones that people type."""
from tools import world

SEEN = ["{a}", "{a}", "the {bare}", "{a} on the screen", "a picture of {a}", "when is {a} visible", "find {a}", "{many}"]
HELD = ["someone holding {a}"]
WORDS = ["someone saying {w}", "a person says \"{w}\"", "the word {w}"]
SOUNDS = ["{a}", "{a}", "{bare}", "{Bare}", "sound of {a}", "the sound of {a}", "{bare} sounds", "hear {a}"]
BOTH = ["{s} while {h}", "{s} and {h} at the same time"]
BARE = {"a beep": "beep", "a siren": "siren", "clapping": "clapping", "a bell": "bell", "drums": "drums", "barking": "dog barking", "music": "music",
        "a whistle": "whistle", "knocking": "knocking", "ringing": "phone ringing", "birdsong": "birdsong", "ticking": "clock ticking",
        "a horn": "car horn", "an explosion": "explosion", "an engine": "engine"}
# Asked, but not there: what is easily taken for another.
NEAR = {"a beep": ["a bell", "a whistle"], "a bell": ["a beep", "music"], "a siren": ["a horn", "a whistle"], "a horn": ["a siren", "an engine"],
        "drums": ["knocking", "an explosion"], "knocking": ["drums", "ticking"], "ticking": ["knocking", "clapping"],
        "clapping": ["knocking", "an explosion"],
        "a whistle": ["birdsong", "a siren"], "birdsong": ["a whistle", "a beep"], "an engine": ["an explosion", "drums"],
        "an explosion": ["drums", "an engine"],
        "barking": ["knocking", "a horn"], "music": ["a bell", "a whistle"], "ringing": ["a siren", "birdsong"]}
UNKNOWN_THINGS = ["a zebra", "a snowman", "a bridge", "a spoon", "a motorcycle", "a castle", "a penguin", "a waterfall", "a skateboard", "a dolphin"]
UNKNOWN_HEARD = ["a cat meowing", "footsteps", "a door closing", "someone laughing", "rain", "a baby crying", "thunder", "someone saying potato",
                 "the word castle", "someone saying penguin"]


def seen(name, rng):
    a = rng.choice(world.split(world.SEEN[name][1]))
    ways = SEEN + (HELD if name in world.HANDHELD else [])
    way = rng.choice(ways)
    many = world.plural(a)
    return (way if many else way.replace("{many}", "{a}")).format(a=a, bare=world.bare(a), many=many)


def heard(name, rng):
    if name.startswith("saying "):
        return rng.choice(WORDS).format(w=name[7:])
    a = rng.choice(world.split(world.SOUNDS[name]))
    way = rng.choice(SOUNDS)
    if "{a}" in way and a.startswith("the "):
        way = "{a}"
    return way.format(a=a, bare=BARE[name], Bare=BARE[name].capitalize())


def kind_of(name):
    return "word" if name.startswith("saying ") else "sound"


def overlap(some, others):
    return sorted((max(a, c), min(b, d)) for a, b in some for c, d in others if min(b, d) > max(a, c))


class Asker:
    def __init__(self, scene, sound, rng):
        self.scene, self.sound, self.rng = scene, sound, rng
        self.things = {thing.name: thing.ranges for thing in scene.things if thing.name}

    def question(self, kind, query, ranges=(), **more):
        return {"kind": kind, "query": query, "ranges": [[round(a, 3), round(b, 3)] for a, b in ranges], **more}

    def all(self):
        rng = self.rng
        asked = [self.question("visual", seen(name, rng), ranges, about=name) for name, ranges in self.things.items()]
        asked += [self.question("audio", heard(name, rng), ranges, about=name, heard=kind_of(name), **self.sound.about[name])
                  for name, ranges in self.sound.heard.items()]
        asked += self.both() + self.absent()
        by_text = {question["query"].lower(): question for question in reversed(asked)}
        return list(by_text.values())[::-1]

    def both(self):
        for name, ranges in self.things.items():
            for other, when in self.sound.heard.items():
                common = overlap(ranges, when)
                if common and min(b - a for a, b in common) >= 1:
                    h = f"someone {other}" if kind_of(other) == "word" else world.split(world.SOUNDS[other])[0]
                    query = self.rng.choice(BOTH).format(s=world.split(world.SEEN[name][1])[0], h=h)
                    return [self.question("both", query, common, about=f"{name}, {other}")]
        return []

    def absent(self):
        rng = self.rng
        words = [f"saying {w}" for w in world.WORDS if f"saying {w}" not in self.sound.heard]
        sounds = [s for s in world.SOUNDS if s not in self.sound.heard and s not in self.sound.like]
        near = [n for name in self.sound.heard for n in NEAR.get(name, []) if n in sounds]
        names = [("word", rng.choice(words)), ("sound", rng.choice(near if near and rng.random() < 0.7 else sounds))]
        found = [self.question("absent", heard(name, rng), absent="world", about=name, heard=kind) for kind, name in names]
        thing = rng.choice([name for name in world.SEEN if name not in self.things])
        found.append(self.question("absent", seen(thing, rng), absent="world", about=thing))
        unknown = rng.choice(rng.choice((UNKNOWN_THINGS, UNKNOWN_HEARD)))
        return [*found, self.question("absent", unknown, absent="unknown", about=unknown)]

    def events(self):
        rows = [[round(a, 3), round(b, 3), name] for name, ranges in (*self.things.items(), *self.sound.heard.items()) for a, b in ranges]
        return sorted(rows)
