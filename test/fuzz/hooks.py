"""What schemathesis has to be told: the member's token, which is renewed, and what really is in the ledger."""

import json
import os
import random
import re
from pathlib import Path

import schemathesis
from schemathesis.generation import GenerationMode

STATE = Path(os.environ["LIANDUN_FUZZ_STATE"])
# A token lives for five minutes.
RENEWED_AFTER_SECONDS = 60


@schemathesis.auth(refresh_interval=RENEWED_AFTER_SECONDS)
class MemberToken:
    def get(self, case, ctx):
        return (STATE / "token").read_text()

    def set(self, case, data, ctx):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


known = json.loads((STATE / "known.json").read_text())


# No text can be made up for a look-ahead; without it the schema only allows more, and what it forbids is still forbidden.
LOOKAHEAD = re.compile(r"^\^\(\?=\.\*\\S\)\[\^.*\](\{\d+,\d+\})\$$")


def loosened(node):
    if isinstance(node, list):
        return [loosened(each) for each in node]
    if not isinstance(node, dict):
        return node
    new = {name: loosened(value) for name, value in node.items()}
    if isinstance(new.get("pattern"), str) and (found := LOOKAHEAD.match(new["pattern"])):
        new["pattern"] = r"^[\s\S]" + found[1] + "$"
    return new


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for name, value in raw_schema.items():
        raw_schema[name] = loosened(value)


def lead_somewhere(named, row):
    """What is named by an id gets the id of something that is there."""
    if not isinstance(named, dict):
        return
    for name, value in named.items():
        if known.get(name) and isinstance(value, str):
            named[name] = known[name][row % len(known[name])]


def breaks_the_schema(case):
    """Whether the request was made to be refused: what is mended in it would be taken."""
    generation = getattr(case.meta, "generation", None)
    return generation is not None and generation.mode == GenerationMode.NEGATIVE


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of all generated requests are about what is there: otherwise hardly one would be."""
    # Drawn from the request: Hypothesis sets the common generator back before each one, and must get the same again when it looks
    # for the smallest that fails.
    drawn = random.Random(f"{case.method} {case.path_parameters} {case.query} {case.body!r}")
    if drawn.random() < 0.5:
        return
    row = drawn.randrange(64)
    lead_somewhere(case.path_parameters, row)
    if breaks_the_schema(case):
        return
    lead_somewhere(case.query, row)
    lead_somewhere(case.body, row)
    if isinstance(case.body, dict):
        lead_somewhere(case.body.get("data"), row)
