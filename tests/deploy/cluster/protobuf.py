"""Objects as Kubernetes' protocol buffers, which is how Helm writes down its releases and `kubectl` creates Jobs."""

import base64

from tests.deploy.cluster.messages import MESSAGES

MAGIC = b"k8s\0"


def read_object(body):
    """Return the object in the body of a request; a field that nothing here knows is an error, never left out."""
    envelope = dict(_fields(body[len(MAGIC) :]))
    api, name = (dict(_fields(envelope[1]))[number].decode() for number in (1, 2))
    return {"apiVersion": api, "kind": name, **_message(name, envelope[2])}


def _message(kind, data):
    known, found = MESSAGES[kind], {}
    for number, value in _fields(data):
        name, of = known.get(number, ("", "-" if value in (0, b"") else f"unknown field {number} of {kind}"))
        if of == "-" or (of == "text" and value == b""):
            continue
        if of.startswith("*"):
            found.setdefault(name, []).append(_value(of[1:], value))
        elif of.startswith("{"):
            entry = dict(_fields(value))
            found.setdefault(name, {})[entry[1].decode()] = _value(of[1:-1], entry.get(2, b""))
        elif name:
            found[name] = _value(of, value)
        else:
            found |= _value(of, value)
    return found


def _value(of, value):
    match of:
        case "text":
            return value.decode()
        case "bytes":
            return base64.b64encode(value).decode()
        case "number":
            return value
        case "yes":
            return bool(value)
        case "Quantity":
            return dict(_fields(value))[1].decode()
    return _message(of, value)


def _fields(data):
    """Yield number and value of each field: bytes, or a number."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        else:
            assert tag & 7 == 0, f"wire type {tag & 7}"
        yield tag >> 3, value


def _varint(data, at):
    result = shift = 0
    while True:
        byte, at = data[at], at + 1
        result, shift = result | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return result, at
