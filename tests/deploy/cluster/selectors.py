"""Which objects a query chooses, by labels and fields."""

import re


def chosen(found, query):
    """Return whether an object meets `labelSelector` and `fieldSelector`."""
    labels = found["metadata"].get("labels") or {}
    wanted = filter(None, query.get("labelSelector", "").split(","))
    fields = filter(None, query.get("fieldSelector", "").split(","))
    return all(_meets(labels, term) for term in wanted) and all(_is(found, term) for term in fields)


def _meets(labels, term):
    name, operator, value = re.fullmatch(r"\s*([^!=\s]+)\s*(==|=|!=|)\s*(\S*)\s*", term).groups()
    if not operator:
        return name in labels
    return (labels.get(name) == value) is (operator != "!=")


def _is(found, term):
    path, value = term.split("=")
    for part in path.split("."):
        found = (found or {}).get(part)
    return found == value
