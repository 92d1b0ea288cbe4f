"""litellm with AxonFlow's logger as an application uses them: a scenario on stdin, what it gave on stdout, as JSON."""

import asyncio
import json
import sys

import litellm
from axonflow_litellm import AxonFlowLogger, AxonFlowLoggerConfig

MODEL = "openai/gpt-4o-mini"


def messages(text):
    return [{"role": "user", "content": text}]


def logger(job):
    return AxonFlowLogger(AxonFlowLoggerConfig(**job["config"]))


def governed(job):
    given = logger(job).completion(model=MODEL, messages=messages(job["text"]))
    return {"text": given.choices[0].message.content}


async def awaited(job):
    async with logger(job) as governor:
        given = await governor.acompletion(model=MODEL, messages=messages(job["text"]), user_token=job["user_token"])
        return {"text": given.choices[0].message.content}


def called_back(job):
    """Record only: litellm calls the logger, which cannot stop it."""
    litellm.callbacks = [logger(job)]
    given = litellm.completion(model=MODEL, messages=messages(job["text"]), max_retries=0)
    return {"text": given.choices[0].message.content}


def through_the_agent(job):
    given = litellm.completion(
        model=MODEL,
        messages=messages(job["text"]),
        api_base=f"{job['config']['endpoint']}/v1",
        api_key="not-used",
        extra_headers=job["headers"],
        max_retries=0,
    )
    return {"text": given.choices[0].message.content, "tokens": given.usage.total_tokens}


SCENARIOS = {
    "governed": governed,
    "awaited": lambda job: asyncio.run(awaited(job)),
    "called_back": called_back,
    "through_the_agent": through_the_agent,
}


def main():
    for line in sys.stdin:
        job = json.loads(line)
        litellm.logging_callback_manager._reset_all_callbacks()  # a logger stays in several lists of litellm's
        try:
            outcome = SCENARIOS[job["scenario"]](job)
        except Exception as error:  # noqa: BLE001 - whatever litellm raises is an outcome
            kinds = [kind.__name__ for kind in type(error).__mro__]
            outcome = {"error": kinds[0], "kinds": kinds, "message": str(error), "code": getattr(error, "code", None)}
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
