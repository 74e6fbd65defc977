"""The rules of data spaces: flat ones, and trees whose keys have dots between their levels."""

from __future__ import annotations

from typing import Any, Dict, List

from ._errors import NoSuchKey, Refused

TREES = ("device", "shelf")
"""The spaces that are trees."""


def levels(key: str) -> List[str]:
    """The levels of a key in a tree."""
    parts = key.split(".")
    if not all(parts):
        raise Refused("`key`: `%s` has an empty part" % key)
    return parts


def get(tree: Dict[str, Any], key: str) -> Any:
    """The value at a key; an object at an inner one."""
    value: Any = tree
    for part in levels(key):
        if not isinstance(value, dict) or part not in value:
            raise NoSuchKey("there is no `%s`" % key)
        value = value[part]
    return value


def put(tree: Dict[str, Any], key: str, value: Any) -> None:
    """Sets a key: what is below it and what stands in its way is replaced. An empty object is not kept."""
    if isinstance(value, dict):
        remove(tree, key, missing_is_fine=True)
        for name, item in value.items():
            put(tree, "%s.%s" % (key, name), item)
        return
    *inner, last = levels(key)
    for part in inner:
        below = tree.get(part)
        if not isinstance(below, dict):
            below = tree[part] = {}
        tree = below
    tree[last] = value


def remove(tree: Dict[str, Any], key: str, missing_is_fine: bool = False) -> None:
    """Deletes a key; the last key of a level takes the level with it."""
    path = [tree]
    parts = levels(key)
    for part in parts[:-1]:
        below = path[-1].get(part)
        if not isinstance(below, dict):
            break
        path.append(below)
    if len(path) < len(parts) or parts[-1] not in path[-1]:
        if missing_is_fine:
            return
        raise NoSuchKey("there is no `%s`" % key)
    del path[-1][parts[-1]]
    for at in range(len(path) - 1, 0, -1):
        if not path[at]:
            del path[at - 1][parts[at - 1]]
