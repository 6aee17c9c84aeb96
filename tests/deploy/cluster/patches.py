"""What a PATCH makes of an object: JSON merge patches, and what is applied by a manager of fields."""

import copy


def merged(live, patch):
    """Return a JSON merge patch (RFC 7396) on `live`."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def applied(live, before, wanted):
    """
    Return `live` with the fields that a manager wants, and without those that it wanted `before` and wants no more.

    Lists are taken whole, and managers never conflict: Helm is the only one here that applies.
    """
    result = dict(live)
    for key in before.keys() - wanted.keys():
        result.pop(key, None)
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            older = before.get(key)
            result[key] = applied(result[key], older if isinstance(older, dict) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result
