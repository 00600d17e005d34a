"""What the gateway's policy costs: reading the usage of a large response, against decoding the same response.

As the gateway would run it, as far as mono is the gateway's runtime: both ways run in one process, in turn, on 3 MB.
"""

from __future__ import annotations

import base64
import json
import random
import shutil
import tempfile
from pathlib import Path
from statistics import median

from tests.bench.programs import ROOT
from tests.policy.assembly import NEWTONSOFT
from tests.policy.gateway import Gateway

POLICIES = ROOT / "infra" / "policies"
BYTES = 3_000_000
DIMENSIONS = 1536
ROUNDS = 11
WARM_UP = 2
DECODE, RECORD = "decode", "record"

# The length is taken so that the text is not: a variable would keep it.
POLICY = """<policies><inbound /><outbound><choose>
<when condition="@(context.Request.Headers.GetValueOrDefault("way", "") == "decode")">
    <set-variable name="length" value="@(context.Response.Body.As<string>(preserveContent: true).Length)" />
</when>
<otherwise><include-fragment fragment-id="record-usage" /></otherwise>
</choose></outbound></policies>"""


def missing() -> str | None:
    """Say what of mono is not there; nothing if all is."""
    lacks = [program for program in ("mcs", "mono") if shutil.which(program) is None]
    lacks += [] if NEWTONSOFT.is_file() else [NEWTONSOFT.name]
    return f"there is no {', no '.join(lacks)}" if lacks else None


def reading_against_decoding() -> dict[str, tuple[float, float]]:
    """Measure embeddings as numbers and as base64; return for each the milliseconds of decoding and of reading more."""
    named = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "bench.xml"
        policy.write_text(POLICY, encoding="utf-8")
        with Gateway(policy, POLICIES, named) as gateway:
            return {kind: _measured(gateway, embeddings(kind)) for kind in ("floats", "base64")}


def embeddings(kind: str) -> str:
    """Write an embeddings response of 3 MB, the same in every run."""
    chance = random.Random(4)  # noqa: S311  (nothing is secret here)
    vectors: list[str] = []
    while sum(map(len, vectors)) < BYTES:
        numbers = [round(chance.uniform(-0.1, 0.1), 9) for _ in range(DIMENSIONS)]
        text = base64.b64encode(chance.randbytes(4 * DIMENSIONS)).decode()
        vector = json.dumps(numbers if kind == "floats" else text, separators=(",", ":"))
        vectors.append(f'{{"object":"embedding","index":{len(vectors)},"embedding":{vector}}}')
    usage = '{"prompt_tokens":812,"total_tokens":812}'
    return f'{{"object":"list","data":[{",".join(vectors)}],"model":"text-embedding-3-small","usage":{usage}}}'


def _measured(gateway: Gateway, body: str) -> tuple[float, float]:
    response = {"headers": {"Content-Type": "application/json"}, "body": body}
    runs: dict[str, list[float]] = {DECODE: [], RECORD: []}
    for _ in range(WARM_UP + ROUNDS):
        for way, times in runs.items():
            result = gateway.run({"request": {"headers": {"way": way}}, "response": response})
            times.append(result.milliseconds)
    decoding, recording = (median(times[WARM_UP:]) for times in runs.values())
    return decoding, recording - decoding
