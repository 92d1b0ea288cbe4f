"""Runs beside one release of the AxonFlow SDK: calls on stdin, outcomes on stdout, as JSON."""

import asyncio
import json
import sys

import axonflow
from axonflow import policies


def shown(value):
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def arguments(call):
    found = dict(call.get("arguments", {}))
    for name, model in call.get("models", {}).items():
        found[name] = getattr(policies, model["class"])(**model["fields"])
    return found


async def outcome(client, call):
    try:
        return {"value": shown(await getattr(client, call["method"])(**arguments(call)))}
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is an outcome
        return {"error": type(error).__name__, "message": str(error)}


async def main():
    job = json.load(sys.stdin)
    async with axonflow.AxonFlow(
        endpoint=job["endpoint"], client_id=job["client_id"], client_secret=job["client_secret"], timeout=30
    ) as client:
        outcomes = [await outcome(client, call) for call in job["calls"]]
    json.dump({"version": axonflow.__version__, "outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
