"""With what settings the questions of one file of answers were asked: answers of two models must not meet in one score."""
import json
import os

from arguments import NOT_OF_ANSWERS, PASSED
from fields import read_json
from problem import Problem, shown

NAME = "vidi-bench.json"


def settings_of(arguments):
    made = {"set": arguments.set} | {name: getattr(arguments, name.replace("-", "_")) for name, _, _ in PASSED if name not in NOT_OF_ANSWERS}
    model = arguments.model or os.environ.get("VIDI_MODEL")
    return made | {"model": os.path.realpath(model) if model else None}


def keep_settings(folder, arguments, has_answers):
    """Makes the folder, if need be, and notes the settings in it. A Problem where something was answered with others."""
    path, now = os.path.join(folder, NAME), settings_of(arguments)
    try:
        os.makedirs(folder, exist_ok=True)
        is_begun = has_answers or any(name.endswith(".jsonl") for name in os.listdir(folder))
        if not is_begun or not os.path.exists(path):
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(now, file)
            os.replace(path + ".part", path)
    except OSError as error:
        raise Problem(f"{shown(folder)}: {error.strerror}") from None
    for name, then in read_json(path, dict).items():
        if now.get(name) != then:
            raise Problem(f"{shown(folder)} was begun with {described(name, then)}, found {described(name, now.get(name))}: "
                          "expected the same, or another --out")


def described(name, value):
    option = name if name == "set" else "--" + name
    return f"no {option}" if value is None else f"{option} {shown(value)}"
