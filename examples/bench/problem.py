"""What ends vidi-bench: one sentence for the user, never a trace."""


class Problem(Exception):
    """The sentence, without the program's name and without the full stop."""


def shown(text, most=80):
    """Of a file or a name that others wrote: one line that does nothing to a terminal."""
    line = "".join(c if c.isprintable() else "?" for c in str(text))
    return line if len(line) <= most else line[:most - 3] + "..."
