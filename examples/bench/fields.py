"""JSON that others wrote: every value is checked before it is used, and a wrong one is a Problem that names file and field."""
import json
import math

from problem import Problem, shown

KINDS = {str: "a text", list: "a list", dict: "an object", float: "a number", int: "a whole number or a text"}


def no_number(literal):
    raise ValueError(f"{literal} is no number")


def object_of(pairs):
    """As dict(pairs), which would let the last of two equal names win."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise ValueError(f'"{shown(twice)}" stands twice in one object')
    return made


def parsed(text, where):
    try:
        return json.loads(text, parse_constant=no_number, object_pairs_hook=object_of)
    except (ValueError, RecursionError) as error:
        raise Problem(f"{where}: expected JSON, found: {shown(error)}") from None


def text_of(path):
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except UnicodeDecodeError:
        raise Problem(f"{shown(path)}: expected text in UTF-8") from None
    except OSError as error:
        raise Problem(f"{shown(path)}: {error.strerror}") from None


def read_json(path, kind):
    """The whole file as one value of this kind."""
    value = parsed(text_of(path), shown(path))
    if not isinstance(value, kind):
        raise Problem(f"{shown(path)}: expected {KINDS[kind]}, found {named(value)}")
    return value


def read_json_lines(path):
    """(where, object) of every line that is not blank."""
    for number, line in enumerate(text_of(path).split("\n"), 1):
        if line.strip():
            where = f"{shown(path)}, line {number}"
            yield where, checked(parsed(line, where), dict, where)


def named(value):
    if value is None:
        return "null"
    kind = next((text for kind, text in KINDS.items() if type(value) is kind and kind is not int), "")
    return kind or ("true or false" if isinstance(value, bool) else "a number")


def checked(value, kind, where):
    """`value`, which is of this kind: float takes whole numbers too and must be finite, int stands for an identifier."""
    fits = isinstance(value, kind)
    if kind is float:
        fits = is_finite(value)
    elif kind is int:
        fits = isinstance(value, (int, str)) and not isinstance(value, bool)
    if not fits:
        raise Problem(f"{where}: expected {KINDS[kind]}, found {named(value)}")
    return value


def is_finite(value):
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def field(row, name, kind, where):
    if name not in row:
        raise Problem(f'{where}: expected the field "{name}", found {listed(row)}')
    return checked(row[name], kind, f'{where}, "{name}"')


def listed(row):
    return "the fields " + ", ".join(f'"{shown(name, 20)}"' for name in list(row)[:8]) if row else "no field"


def range_of(value, where, n_numbers=2):
    """(start, stop) in seconds, or with a score behind them."""
    numbers = checked(value, list, where)
    if len(numbers) < n_numbers:
        raise Problem(f"{where}: expected a range of {n_numbers} numbers, found {len(numbers)}")
    return tuple(float(checked(number, float, where)) for number in numbers[:n_numbers])


def ranges_of(row, name, where, n_numbers=2):
    values = field(row, name, list, where)
    return [range_of(value, f'{where}, "{name}"', n_numbers) for value in values]


def true_ranges_of(row, name, where):
    """Those of a truth: what ends before it begins is refused. (In an answer it is wrong, and counts as nothing.)"""
    found = ranges_of(row, name, where)
    for start, stop in found:
        if stop < start:
            raise Problem(f'{where}, "{name}": expected a range, found one that ends before it begins: {start:g} to {stop:g}')
    return found
