"""The steps of the work, one after the other, for the clients in Python."""

import json
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

work, out, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def given(value):
    """The input's stand-ins as Python has them."""
    if isinstance(value, dict):
        if "$text" in value:
            return value["$text"].encode()
        if "$size" in value:
            return b"." * value["$size"]
        if "$zip" in value:
            return (folder / (value["$zip"] + ".zip")).read_bytes()
        if "$ago" in value:
            return datetime.now(timezone.utc) - timedelta(seconds=value["$ago"])
        if "$agoMillis" in value:
            return int(time.time() * 1000) - value["$agoMillis"]
        return {k: given(v) for k, v in value.items()}
    if isinstance(value, list):
        return [given(v) for v in value]
    return value



def at(value, path):
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = (value or {}).get(part)
    return value


def run(name, call):
    kept = {"name": name}

    def fill(value):
        if isinstance(value, str):
            return re.sub(r"\{([a-z][a-zA-Z0-9]*)\}", lambda m: kept.get(m[1], m[0]), value)
        if isinstance(value, dict):
            return {fill(k): fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [fill(v) for v in value]
        return value

    answers = []
    for step in json.load(open(work)):
        for _ in range(100):
            answer = call(step, fill(step["input"]))
            if "until" in step and at(answer, step["until"][0]) != step["until"][1]:
                time.sleep(0.1)
            elif "untilError" in step and "error" not in answer:
                time.sleep(0.1)
            else:
                break
        for variable, path in step.get("keep", {}).items():
            kept[variable] = at(answer, path) or "missing"
        answers.append(answer)
    json.dump({"name": name, "kept": kept, "answers": answers}, open(out, "w"))
