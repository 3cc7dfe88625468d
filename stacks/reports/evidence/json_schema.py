"""JSON Schema of `evidence.json`, for whoever reads bundles by a program.

`python -m corral.stacks.reports.evidence.json_schema --write` refreshes its file; `--check` exits with 1
where that is stale.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from corral.catalogue.files import GeneratedFiles
from corral.stacks.reports.evidence.bundle import IDENTITY
from corral.stacks.reports.evidence.facts import Evidence

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "schema" / "evidence.schema.json"


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12): every key is there, and no other."""
    content = TypeAdapter(Evidence).json_schema(mode="serialization")
    definitions: dict[str, dict[str, Any]] = content.pop("$defs")
    for one in (content, *definitions.values()):
        if one.get("type") == "object":
            one |= {"additionalProperties": False, "required": list(one["properties"])}
    kinds = {key: {"const": value} for key, value in IDENTITY.items()}
    content |= {
        "title": "evidence.json of a bundle that corral evidence writes",
        "properties": {**kinds, **content["properties"]},
        "required": [*kinds, *content["required"]],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content, "$defs": definitions}


def rendered() -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


GENERATED = GeneratedFiles("corral.stacks.reports.evidence.json_schema", ROOT, {SCHEMA: rendered})

if __name__ == "__main__":
    sys.exit(GENERATED.main(sys.argv[1:]))
