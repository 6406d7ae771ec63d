"""Ranges of time in seconds. Two that overlap or touch count once: a list means the union of its ranges."""


def union(ranges):
    """Sorted ranges that do not touch; empty ones are left out."""
    joined = []
    for start, stop in sorted(ranges):
        if stop <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def seconds(ranges):
    return sum(stop - start for start, stop in union(ranges))


def common_seconds(some, others):
    """How much both cover."""
    others = union(others)
    return sum(max(0, min(b, d) - max(a, c)) for a, b in union(some) for c, d in others)


def clipped(ranges, duration):
    """Within the video, which is [0, duration]: a range beyond it becomes an empty one. Numbers behind start and stop stay."""
    return [tuple(min(max(edge, 0.0), duration) for edge in (start, stop)) + tuple(rest) for start, stop, *rest in ranges]


def iou(one, other):
    """Of two single ranges: shared time over covered time."""
    common = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    covered = (one[1] - one[0]) + (other[1] - other[0]) - common
    return common / covered if covered > 0 else 0.0


def mean(values):
    return sum(values) / len(values)
