"""CrewAI as an application uses it: a scenario on stdin, what it gave on stdout, as JSON."""

import json
import sys

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

RAN = []


@tool("look_up_claim")
def look_up_claim(person: str) -> str:
    """The claims of a person."""
    RAN.append(person)
    return "One open claim."


def worker(job, tools=()):
    llm = LLM(
        model="openai/gpt-4o-mini",
        base_url=f"{job['endpoint']}/v1",
        api_key="not-used",
        default_headers=job["headers"],
        max_retries=0,
    )
    return Agent(
        role="clerk", goal="Answer in a word.", backstory="You file claims.", llm=llm, tools=list(tools), max_iter=3
    )


def alone(job):
    return {"text": worker(job).kickoff(job["text"]).raw}


def crew(job):
    clerk = worker(job, [look_up_claim])
    task = Task(description=job["text"], expected_output="One word.", agent=clerk)
    given = Crew(agents=[clerk], tasks=[task]).kickoff()
    return {"text": given.raw, "tools": list(RAN)}


def main():
    for line in sys.stdin:
        job = json.loads(line)
        RAN.clear()
        try:
            outcome = {"alone": alone, "crew": crew}[job["scenario"]](job)
        except Exception as error:  # noqa: BLE001 - whatever CrewAI raises is an outcome
            kinds = [kind.__name__ for kind in type(error).__mro__]
            outcome = {"error": kinds[0], "kinds": kinds, "message": str(error), "code": getattr(error, "code", None)}
        sys.stdout.write("\n" + json.dumps({"tools": list(RAN), **outcome}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
