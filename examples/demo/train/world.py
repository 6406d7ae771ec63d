"""What the demonstration model knows: things to see, things to hear, and how people ask for them.

Everything else (bank, plans, training, evaluation) reads these tables; the indices of SEEN and HEARD are the
class numbers of the bank. No dependency but the standard library.
"""
import random

RETRIEVAL = "During which time segments in the video can we see {query}?"
HIGHLIGHT = "List the highlights of this video."
NOTHING = "none"

# name: (emoji, noun phrases). A phrase without an article gets one; the first is the label of highlights.
SEEN = {
    "dog": ("🐕 🐶 🐩 🦮", "a dog, a puppy"),
    "cat": ("🐈 🐱 😺", "a cat, a kitten"),
    "phone": ("📱 📲 🤳", "a phone, a mobile phone, a cell phone, a smartphone, a mobile"),
    "car": ("🚗 🚙 🚘", "a car, an automobile"),
    "bicycle": ("🚲", "a bicycle, a bike"),
    "pizza": ("🍕", "a pizza, a slice of pizza"),
    "football": ("⚽", "a football, a soccer ball"),
    "guitar": ("🎸", "a guitar, an electric guitar"),
    "umbrella": ("☂️ ☔ 🌂", "an umbrella"),
    "rocket": ("🚀", "a rocket, a spaceship"),
    "airplane": ("✈️ 🛩️", "an airplane, a plane, an aircraft"),
    "apple": ("🍎 🍏", "an apple"),
    "banana": ("🍌", "a banana"),
    "tree": ("🌳 🌲 🌴", "a tree"),
    "flower": ("🌸 🌻 🌷 🌹 🌼", "a flower, a blossom"),
    "fish": ("🐟 🐠", "a fish"),
    "horse": ("🐎 🐴", "a horse, a pony"),
    "clock": ("⏰ 🕰️ 🕒", "a clock, an alarm clock"),
    "book": ("📖 📕 📗 📘", "a book"),
    "coffee": ("☕", "a cup of coffee, a coffee cup, coffee"),
    "house": ("🏠 🏡", "a house, a home"),
    "boat": ("⛵ 🚤", "a boat, a sailing boat"),
    "key": ("🔑 🗝️", "a key"),
    "camera": ("📷 📸", "a camera, a photo camera"),
    "bird": ("🐦 🐤 🐥", "a bird, a little bird"),
    "elephant": ("🐘", "an elephant"),
    "cow": ("🐄 🐮", "a cow"),
    "pig": ("🐖 🐷", "a pig"),
    "rabbit": ("🐇 🐰", "a rabbit, a bunny"),
    "butterfly": ("🦋", "a butterfly"),
    "turtle": ("🐢", "a turtle, a tortoise"),
    "bus": ("🚌 🚍", "a bus"),
    "train": ("🚂 🚆", "a train, a locomotive"),
    "truck": ("🚚 🚛", "a truck, a lorry"),
    "helicopter": ("🚁", "a helicopter, a chopper"),
    "cake": ("🎂 🍰", "a cake, a birthday cake"),
    "hamburger": ("🍔", "a hamburger, a burger"),
    "ice cream": ("🍦 🍨", "an ice cream, ice cream"),
    "grapes": ("🍇", "grapes, a bunch of grapes"),
    "strawberry": ("🍓", "a strawberry"),
    "basketball": ("🏀", "a basketball"),
    "hat": ("🎩 👒", "a hat"),
    "shoe": ("👟 👞", "a shoe, a sneaker"),
    "television": ("📺", "a television, a tv"),
    "laptop": ("💻", "a laptop, a computer, a notebook computer"),
    "balloon": ("🎈", "a balloon, a red balloon"),
    "present": ("🎁", "a present, a gift"),
    "trophy": ("🏆", "a trophy, a cup for the winner"),
    "star": ("⭐ 🌟", "a star"),
    "smiling face": ("😀 😃 😄", "a smiling face, a smiley, someone smiling"),
}
HANDHELD = {"phone", "book", "coffee", "key", "camera", "apple", "banana", "pizza", "umbrella", "flower", "guitar",
            "hamburger", "ice cream", "balloon", "present", "trophy", "football", "basketball", "laptop"}

WORDS = ["hello", "goal", "fire", "help", "stop", "music", "dinner", "morning", "welcome", "danger", "birthday", "police",
         "yes", "water", "winner", "doctor", "tomorrow", "money", "thank you", "goodbye"]
# name (label of highlights): phrases
SOUNDS = {
    "a beep": "a beep, beeping, a beeping sound",
    "a siren": "a siren, the sound of a siren, an alarm siren",
    "clapping": "clapping, people clapping, applause, the sound of applause",
    "a bell": "a bell, a bell ringing, the sound of a bell",
    "drums": "drums, drumming, someone playing drums, the sound of drums",
    "barking": "barking, a dog barking, a dog's bark, the sound of a dog barking",
    "music": "music, music playing, a melody, someone playing music",
    "a whistle": "a whistle, whistling, someone whistling, the sound of a whistle",
    "knocking": "knocking, someone knocking, a knock on the door, knocking on a door",
    "ringing": "a phone ringing, a ringing phone, a ringtone, the phone rings",
    "birdsong": "birdsong, birds singing, birds chirping, a bird singing",
    "ticking": "ticking, a clock ticking, a ticking clock, the ticking of a clock",
    "a horn": "a horn, a car horn, honking, a car honking",
    "an explosion": "an explosion, explosions, something exploding, a loud bang",
    "an engine": "an engine, an engine running, a motor, the sound of an engine",
}
HEARD = [f"saying {word}" for word in WORDS] + list(SOUNDS)

# Pictures and words that are there but never asked for, and things that are asked for but never there.
DISTRACTOR_EMOJI = ("🐍 🦀 🐙 🐌 🐝 🦖 🌵 🍄 🌽 🥕 🍩 🍪 🥐 🥚 🧀 🍋 🍊 🥝 🎲 🎯 🧩 🪑 🚪 🛏️ 🧸 🔧 🔨 ✂️ 📎 📌 💡 🔦 🕯️ 🔥 💧 ❄️ "
                    "⚡ 🌙 ☀️ 🌈 ❤️ 💎 👑 👓 🧦 🧤 👕 👖 🚦 ⛺ 🗿 🗼 🎹 🎻 🎺 🥁 🔔 🎮 🪀 🧲 🔒 📦 ✏️ 🏺 👻 🤖 🐸 🐼 "
                    "🐑 🐐 🐪 🦌 🐒 🐵 🐨 🐹 🐭 🐁 🦔 🦇 🦈 🐳 🦑 🦐 🦞 🐚 🐛 🐜 🐞 🦂 🦕 🐉 🦊 🦘 🦙 🦛 🦝 🦍 🐾 🍀 🍁 🍂 🌾 🌿 🌱 "
                    "🍉 🍈 🥥 🥑 🍆 🥒 🥦 🌶️ 🌰 🥜 🍞 🥖 🥨 🥞 🍖 🍗 🥩 🥓 🍟 🌭 🌮 🌯 🍳 🥘 🍲 🥗 🍿 🍱 🍙 🍛 🍜 🍝 🍣 🍤 🍡 🥟 🍫 🍬 🍭 🍮 🍯 🍼 🥤 🍺 "
                    "🧱 ⛽ 🚨 🛑 🚧 ⚓ 🛸 🎡 🎢 🎪 💈 ⌛ 🌡️ ☄️ 🌊 🎃 🎆 🧨 🎉 🎐 🎀 🎟️ 🎫 🎖️ ⚾ 🏈 🏉 🎾 🎳 🏏 🏓 🏸 🥊 🥋 ⛸️ 🎣 🎽 🎿 🛷 🥌 🎱 🔮 🕹️ 🎰 🃏 🎭 🖼️ 🎨 "
                    "🧵 🧶 🕶️ 🥽 🥼 👔 👗 👘 👚 👛 💄 📿 📢 📣 📯 🎙️ 🎛️ 🎷 📟 🔋 🔌 🖱️ 💽 💾 💿 🧮 🔍 🏮 📰 📜 🏷️ 💰 💳 ✉️ 📫 📮 🖊️ 🖌️ 🖍️ 📁 📅 📈 📋 📏 📐 🗑️ 🛡️ "
                    "🏹 ⛏️ 🔩 ⚙️ ⚖️ 🔗 🧰 ⚗️ 🧪 🧬 📡 💉 💊 🩺 🚬 🧯 🛒 🚿 🛁 🧴 🧹 🧺 🧻 🧼 🔴 🔵 ♻️ ☢️ ⛔ ♠️ 💙 💔 💥 💬 👀 👂 👃 👄 🦷 🦴 🧠 👍 ✋ ✌️ 👌 👣 👽 👾 💩 💀").split()
DISTRACTOR_WORDS = ["seven", "window", "under", "paper", "yellow", "maybe", "garden", "nothing", "orange", "people",
                    "summer", "mountain", "quickly", "letter", "between", "running"]
UNKNOWN = ["zebra", "submarine", "tiger", "lion", "giraffe", "ladder", "snowman", 
           "crocodile", "penguin", "dolphin", "spider", "mirror", "sofa", "table",
           "bridge", "castle", "mountain", "river", "beach", "forest", "island", "waterfall", "volcano", "tomato",
           "potato", "cherry", "pineapple", "sandwich", "spoon", "fork", "knife", "plate", "bottle", "glass", "ring",
           "watch", "necklace", "scarf", "jacket", "belt", "bag", "wallet", "map", "flag", "drone", "kite",
           "swing", "slide", "tractor", "scooter", "motorcycle", "ambulance", "fire engine", "road sign",
           "football goal", "tennis racket", "golf club", "swimming pool", "surfboard", "snowboard", "skateboard", "parachute",
           "microscope", "telescope", "printer", "keyboard", "headphones", "radio", "fridge", "oven", "sink", "toilet",
           "baby", "bride", "soldier", "nurse", "farmer", "dancer", "clown", "crowd", "handshake", "kiss", "fight", "wedding"]
# Left out of training, to report what it does with wordings that it never saw.
UNSEEN_TEMPLATES = ["any {bare}", "a video of {a}", "{a} being shown", "where {a} appears"]
UNSEEN_SPEECH = ["a voice that says {w}", "somebody mentioning {w}"]

SEEN_TEMPLATES = ["{a}", "{bare}", "the {bare}", "{a} on the screen", "{a} in the picture", "a picture of {a}", "{a} in the video",
                  "{a} in view", "{a} somewhere in the frame", "an image of {a}", "there is {a}", "{a} visible"]
HELD_TEMPLATES = ["someone holding {a}", "a person holding {a}", "a person with {a}", "someone using {a}"]
SPEECH_TEMPLATES = ["someone saying {w}", "saying {w}", "someone saying \"{w}\"", "someone says {w}", "a person saying {w}",
                    "the word {w}", "a person says \"{w}\"", "someone speaking the word {w}", "hear the word {w}"]
BOTH_TEMPLATES = ["{s} while {h}", "{s} and {h} at the same time", "{h} while {s}", "{s} together with {h}"]


def split(phrases):
    return [phrase.strip() for phrase in phrases.split(",")]


def bare(phrase):
    for article in ("a ", "an ", "the ", "some "):
        if phrase.startswith(article):
            return phrase[len(article):]
    return phrase


def unseen_wording(phrase, rng):
    return rng.choice(UNSEEN_TEMPLATES).format(a=phrase, bare=bare(phrase))


def emoji(name):
    return SEEN[name][0].split()


def capital(phrase, rng):
    return phrase[0].upper() + phrase[1:] if rng.random() < 0.12 else phrase


def ask_seen(name, rng, plain=False):
    """A way to ask for the thing `name`; plain = just a noun phrase, for sentences with two things."""
    phrase = rng.choice(split(SEEN[name][1]))
    if plain or rng.random() < 0.35:
        return phrase
    if name in HANDHELD and rng.random() < 0.25:
        return capital(rng.choice(HELD_TEMPLATES).format(a=phrase), rng)
    return capital(rng.choice(SEEN_TEMPLATES).format(a=phrase, bare=bare(phrase)), rng)


def ask_heard(index, rng, plain=False):
    """A way to ask for HEARD[index]."""
    if index >= len(WORDS):
        phrase = rng.choice(split(SOUNDS[HEARD[index]]))
        return phrase if plain else capital(phrase, rng)
    if plain:
        return f"someone saying {WORDS[index]}"
    return capital(rng.choice(SPEECH_TEMPLATES).format(w=WORDS[index]), rng)


def ask_both(seen_name, heard_index, rng):
    return rng.choice(BOTH_TEMPLATES).format(s=ask_seen(seen_name, rng, True), h=ask_heard(heard_index, rng, True))


def ask_unknown(rng):
    """Something that no clip has."""
    if rng.random() < 0.15:
        return rng.choice(SPEECH_TEMPLATES).format(w=rng.choice(DISTRACTOR_WORDS + UNKNOWN))
    noun = rng.choice(UNKNOWN)
    phrase = ("an " if noun[0] in "aeiou" else "a ") + noun
    return capital(rng.choice(SEEN_TEMPLATES + HELD_TEMPLATES).format(a=phrase, bare=noun), rng)


def ranges_text(ranges):
    """The answer to a question: [(start, stop)], fractions of the clip, in the order of their starts."""
    return ", ".join(f"{a:.3f}-{b:.3f}" for a, b in ranges) or NOTHING


def highlights_text(events):
    """The answer to HIGHLIGHT: [(start, stop, label)], fractions of the clip."""
    return ", ".join(f"{a:.3f}-{b:.3f} {label}" for a, b, label in sorted(events)) or NOTHING


def all_phrases(count, seed=0):
    """Questions and answers as training has them, for the tokenizer."""
    rng = random.Random(seed)
    names = list(SEEN)
    for _ in range(count):
        yield ask_seen(rng.choice(names), rng)
        yield ask_heard(rng.randrange(len(HEARD)), rng)
        yield ask_both(rng.choice(names), rng.randrange(len(HEARD)), rng)
        yield ask_unknown(rng)
        events = [(rng.random(), rng.random(), rng.choice(names + HEARD)) for _ in range(3)]
        yield highlights_text(events)
