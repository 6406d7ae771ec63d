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
# Words like those that are asked for; spoken by nobody who is asked about.
NEAR_WORDS = ["go", "coat", "tire", "five", "health", "held", "step", "top", "musical", "thinner", "evening", "moaning", "well", "come", "stranger",
              "earth", "please", "guess", "year", "daughter", "dinosaur", "doctrine", "today", "honey", "monkey", "think", "good night", "bye"]
# Sounds that no clip has, and their ways.
UNKNOWN_SOUNDS = ["a lion roaring", "wind", "a hammer", "glass breaking", "a chainsaw", "a cow mooing", "someone coughing", "someone singing", "a kettle",
                  "a lawn mower", "crickets", "a rooster crowing", "a duck quacking", "keys jingling", "a coin dropping", "a zipper", "a typewriter",
                  "someone sneezing", "snoring", "waves", "a horse neighing", "a sheep bleating", "sawing", "a vacuum cleaner", "water running",
                  "someone whispering", "someone screaming", "a crowd cheering", "a gate creaking", "someone crying", "a frog croaking", "sizzling"]
# Sounds that are taken for one another: asked for where only another one of the row is there.
ALIKE = [["a beep", "a bell", "ringing", "a whistle", "birdsong"], ["a siren", "a horn", "a whistle", "ringing", "music"],
         ["knocking", "ticking", "drums", "clapping"], ["an explosion", "drums", "an engine", "barking"], ["a bell", "music", "a beep", "ringing"]]
# More of these, as a trained ear took them for one another on clips of other synthesisers; and words that sound alike.
CONFUSED = [["a horn", "a beep", "a siren", "an engine"], ["ticking", "clapping", "an explosion"], ["a siren", "music", "knocking"],
            ["saying winner", "saying dinner", "saying danger", "saying water", "saying doctor"],
            ["saying morning", "saying money", "saying music", "saying danger"], ["saying tomorrow", "saying goodbye", "saying goal", "saying hello", "saying welcome"],
            ["saying fire", "saying birthday", "saying goodbye", "saying police"], ["saying yes", "saying help", "saying hello", "saying stop"]]
# Sounds and what is seen to make them: each is asked for where only the other is there.
MADE_BY = {"barking": ["dog"], "ringing": ["phone"], "ticking": ["clock"], "a horn": ["car", "bus", "truck"], "an engine": ["car", "bus", "truck", "boat", "airplane", "helicopter"],
           "birdsong": ["bird"], "music": ["guitar"], "a whistle": ["train"], "an explosion": ["rocket"], "a siren": ["car"], "a beep": ["phone", "laptop", "clock"], "clapping": ["trophy"]}
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

# A short half and a wordy half: people name a thing, or they say what they want to know.
SEEN_SHORT = ["{a}", "{bare}", "the {bare}", "{a} on the screen", "{a} in the picture", "a picture of {a}", "{a} in the video",
              "{a} in view", "{a} somewhere in the frame", "an image of {a}", "there is {a}", "{a} visible"]
SEEN_WORDY = ["{a} is visible", "{a} can be seen", "{a} is shown", "{a} shows up", "{a} appears", "{a} is there", "{a} is on screen", "{a} is in view",
              "{a} in the scene", "{a} in the shot", "{a} in the background", "{a} on display", "a shot of {a}", "a scene with {a}", "footage of {a}",
              "a photo of {a}", "a drawing of {a}", "a close-up of {a}", "the moment with {a}", "moments with {a}", "the part with {a}",
              "the part that shows {a}", "when {a} is visible", "when {a} is shown", "when do we see {a}", "when is {a} visible", "is there {a}",
              "show me {a}", "find {a}", "looking for {a}", "one {bare}", "some {bare}", "this {bare}", "at least one {bare}", "the {bare} in the picture",
              "the {bare} on the screen", "the {bare} is visible", "the {bare} appears", "when the {bare} appears", "when does the {bare} appear",
              "{bare} on screen", "{bare} visible", "a {bare} emoji", "an object like {a}", "what looks like {a}", "a big {bare}", "a small {bare}"]
SEEN_TEMPLATES = SEEN_SHORT + SEEN_WORDY
HELD_TEMPLATES = ["someone holding {a}", "a person holding {a}", "a person with {a}", "someone using {a}", "somebody holding {a}", "someone with {a}",
                  "a hand holding {a}", "{a} in a hand", "a man with {a}", "a woman holding {a}"]
SPEECH_SHORT = ["someone saying {w}", "saying {w}", "someone saying \"{w}\"", "someone says {w}", "a person saying {w}",
                "the word {w}", "a person says \"{w}\"", "someone speaking the word {w}", "hear the word {w}"]
SPEECH_WORDY = ["a voice saying {w}", "a voice says {w}", "a man saying {w}", "a woman saying {w}", "a man says {w}", "a woman says \"{w}\"",
                "somebody saying {w}", "somebody says {w}", "somebody says \"{w}\"", "a person says {w}", "someone mentions {w}", "people saying {w}",
                "the spoken word {w}", "the word {w} being said", "the word {w} is said", "the word {w} is spoken", "the word \"{w}\" in speech",
                "someone shouting {w}", "someone calls {w}", "someone who says {w}", "when someone says {w}", "when the word {w} is said",
                "when is the word {w} spoken", "the speaker says {w}", "a speaker saying \"{w}\"", "they say {w}", "he says {w}", "she says {w}",
                "hearing the word {w}", "we hear the word {w}", "speech with the word {w}", "the mention of {w}", "{w} is said", "{w} said by someone"]
SPEECH_TEMPLATES = SPEECH_SHORT + SPEECH_WORDY
SOUND_TEMPLATES = ["the sound of {h}", "the noise of {h}", "{h} in the background", "we hear {h}", "hearing {h}", "{h} can be heard", "{h} is heard",
                   "a sound like {h}", "when we hear {h}", "when {h} can be heard", "listening to {h}", "{h} audible", "there is {h}"]
# The shortest ways, of people who type; not in `ask_heard`, of which ../evaluate makes its questions.
SOUND_TYPED = ["{h}", "{h}", "{bare}", "{bare}", "{bare}", "the {bare}", "sound of {h}", "sounds of {h}", "sound of {bare}", "{bare} sounds", "{bare} sound",
               "hear {h}", "hear {bare}", "I hear {h}", "hears {h}", "{bare} noise", "noise of {h}", "the {bare} sound"]
SPEECH_TYPED = ["hear \"{w}\"", "says {w}", "said {w}", "say {w}", "word {w}", "\"{w}\" is said", "spoken {w}", "saying \"{w}\"",
                "hear someone say {w}", "the word \"{w}\"", "someone says \"{w}\""]
BOTH_TEMPLATES = ["{s} while {h}", "{s} and {h} at the same time", "{h} while {s}", "{s} together with {h}", "{s} and {h}", "{s} with {h}", "both {s} and {h}",
                  "{s} during {h}", "{s} when there is {h}", "{s} and also {h}", "{h} and {s} at the same time"]


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


def plural(phrase):
    """Of a phrase with a regular noun at its end; "" where a rule does not know."""
    noun = bare(phrase)
    if noun == phrase or " of " in noun or " for " in noun or noun.endswith(("s", "f", "fe", "fish", "craft")):
        return "" if not noun.endswith("ss") else noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("sh", "ch", "x")) else "s")


def template(short, wordy, rng):
    return rng.choice(short if rng.random() < 0.5 else wordy)


def ask_visible(phrase, handheld, rng):
    """A way to ask for what `phrase` names."""
    many = plural(phrase) if rng.random() < 0.06 else ""
    if many:
        return rng.choice(("{}", "{}", "the {}", "{} in the picture", "{} are visible", "one of the {}")).format(many)
    if handheld and rng.random() < 0.25:
        return rng.choice(HELD_TEMPLATES).format(a=phrase)
    return template(SEEN_SHORT, SEEN_WORDY, rng).format(a=phrase, bare=bare(phrase))


def finish(text, rng):
    """As it is typed: now and then a capital, a full stop or a question mark."""
    return capital(text, rng) + (rng.choice((".", "?")) if rng.random() < 0.05 else "")


def ask_seen(name, rng, plain=False):
    """A way to ask for the thing `name`; plain = just a noun phrase, for sentences with two things."""
    phrase = rng.choice(split(SEEN[name][1]))
    if plain or rng.random() < 0.25:
        return phrase
    return finish(ask_visible(phrase, name in HANDHELD, rng), rng)


def ask_heard(index, rng, plain=False):
    """A way to ask for HEARD[index]."""
    if index >= len(WORDS):
        phrase = rng.choice(split(SOUNDS[HEARD[index]]))
        if plain:
            return phrase
        wordy = rng.random() < 0.35 and not phrase.startswith("the ")
        return finish(rng.choice(SOUND_TEMPLATES).format(h=phrase) if wordy else phrase, rng)
    if plain:
        return f"someone saying {WORDS[index]}"
    return finish(template(SPEECH_SHORT, SPEECH_WORDY, rng).format(w=WORDS[index]), rng)


def ask_typed(index, rng):
    """HEARD[index] as people type it: a bare noun, often with a capital, or two or three words."""
    if index < len(WORDS):
        return finish(rng.choice(SPEECH_TYPED).format(w=WORDS[index]), rng)
    phrase = rng.choice(split(SOUNDS[HEARD[index]]))
    text = rng.choice(["{h}", "{bare}"] if phrase.startswith("the ") else SOUND_TYPED).format(h=phrase, bare=bare(phrase))
    return text[0].upper() + text[1:] if rng.random() < 0.3 else finish(text, rng)


def ask_unknown_sound(rng):
    phrase = rng.choice(UNKNOWN_SOUNDS)
    return finish(rng.choice(SOUND_TYPED + SOUND_TEMPLATES).format(h=phrase, bare=bare(phrase)), rng)


def ask_both(seen_name, heard_index, rng):
    return rng.choice(BOTH_TEMPLATES).format(s=ask_seen(seen_name, rng, True), h=ask_heard(heard_index, rng, True))


def ask_unknown(rng):
    """Something that no clip has."""
    if rng.random() < 0.15:
        return finish(template(SPEECH_SHORT, SPEECH_WORDY, rng).format(w=rng.choice(DISTRACTOR_WORDS + UNKNOWN)), rng)
    noun = rng.choice(UNKNOWN)
    return finish(ask_visible(("an " if noun[0] in "aeiou" else "a ") + noun, rng.random() < 0.25, rng), rng)


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
