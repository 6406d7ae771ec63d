"""The videos of a set, found by their identifiers in a folder and the folders in it."""
import os

from problem import Problem, shown

# The first of these counts where a video is there in several.
ENDINGS = [".mp4", ".mkv", ".webm", ".mov", ".m4v", ".avi", ".ts", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp", ".ogv"]


def found_in(folder, identifiers):
    """{identifier: path} of those that are there, and the identifiers of several files. An identifier may be a file's whole name."""
    if not os.path.isdir(folder):
        raise Problem(f"--videos: expected a folder, found {shown(folder)}")
    wanted = set(identifiers)
    places, repeated = {}, []  # places: by identifier (preference, path)
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=False):
        folders.sort()
        for name in sorted(names):
            stem, ending = os.path.splitext(name)
            if ending.lower() not in ENDINGS:
                continue
            preference = ENDINGS.index(ending.lower())
            for identifier in {stem, name} & wanted:
                if identifier in places and identifier not in repeated:
                    repeated.append(identifier)
                if identifier not in places or preference < places[identifier][0]:
                    places[identifier] = (preference, os.path.join(os.path.abspath(parent), name))
    return {identifier: path for identifier, (_, path) in places.items()}, repeated


def refuse(error):
    raise Problem(f"{shown(error.filename)}: {error.strerror}")
