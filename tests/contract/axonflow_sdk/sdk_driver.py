"""Runs beside one release of the AxonFlow SDK: calls on stdin, outcomes on stdout, as JSON."""

import asyncio
import json
import sys

import axonflow
from axonflow import decisions, policies


def shown(value):
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def referred(value, earlier):
    """``$0.context_id`` is that field of what the first call gave."""
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    number, _, field = value[1:].partition(".")
    return earlier[int(number)]["value"][field]


def arguments(call, earlier):
    found = {name: referred(value, earlier) for name, value in call.get("arguments", {}).items()}
    for name, model in call.get("models", {}).items():
        places = (policies, decisions, axonflow)
        kind = next(getattr(place, model["class"]) for place in places if hasattr(place, model["class"]))
        found[name] = kind(**model["fields"])
    return found


async def outcome(client, call, earlier):
    try:
        return {"value": shown(await getattr(client, call["method"])(**arguments(call, earlier)))}
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is an outcome
        return {"error": type(error).__name__, "message": str(error)}


def outcome_now(client, call, earlier):
    try:
        return {"value": shown(getattr(client, call["method"])(**arguments(call, earlier)))}
    except Exception as error:  # noqa: BLE001 - as above
        return {"error": type(error).__name__, "message": str(error)}


async def awaited(job, options):
    outcomes = []
    async with axonflow.AxonFlow(**options) as client:
        for call in job["calls"]:
            outcomes.append(await outcome(client, call, outcomes))
    return outcomes


def main():
    job = json.load(sys.stdin)
    options = {name: job[name] for name in ("endpoint", "client_id", "client_secret")} | {"timeout": 30}
    if job.get("sync"):
        outcomes = []
        with axonflow.AxonFlow.sync(**options) as client:
            for call in job["calls"]:
                outcomes.append(outcome_now(client, call, outcomes))
    else:
        outcomes = asyncio.run(awaited(job, options))
    json.dump({"version": axonflow.__version__, "outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    main()
