"""LangChain and LangGraph as an application uses them: scenarios named on stdin, what each gave on stdout, as JSON."""

import asyncio
import json
import sys

from axonflow import AxonFlow
from axonflow.adapters import AxonFlowChatModel, govern_tools
from langchain_core.tools import tool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

MODEL = "gpt-4o-mini"
RAN = []


@tool
def look_up_claim(person: str) -> str:
    """The claims of a person."""
    RAN.append(person)
    return "One open claim, call back at 212-555-0147." if person == "Ann" else "No claim."


def through_the_agent(job):
    return ChatOpenAI(
        model=MODEL,
        base_url=f"{job['endpoint']}/v1",
        api_key="not-used",
        default_headers=job["headers"],
        max_retries=0,
    )


def at_the_provider():
    return ChatOpenAI(model=MODEL, max_retries=0)  # OPENAI_API_KEY and OPENAI_BASE_URL, as everywhere


async def message(job):
    given = await through_the_agent(job).ainvoke(job["text"])
    return {"text": given.content, "tokens": given.usage_metadata["total_tokens"]}


def looped(model, tools):
    """The usual loop of a model and its tools."""

    async def think(state: MessagesState):
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(tools, handle_tool_errors=False))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile()


async def ran(graph, text):
    state = await graph.ainvoke({"messages": [("user", text)]})
    return {"text": state["messages"][-1].content, "told": [each.content for each in state["messages"]]}


async def tool_loop(job):
    model = through_the_agent(job).bind_tools([look_up_claim])
    return await ran(looped(model, [look_up_claim]), job["text"])


async def gateway_mode(job):
    async with AxonFlow(**job["client"]) as axonflow:
        model = AxonFlowChatModel(wrapped=at_the_provider(), axonflow=axonflow, user_token=job["user_token"])

        async def answer(state: MessagesState):
            return {"messages": [await model.ainvoke(state["messages"])]}

        graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()
        return await ran(graph, job["text"])


async def governed_tools(job):
    async with AxonFlow(**job["client"]) as axonflow:
        tools = govern_tools([look_up_claim], axonflow)
        return await ran(looped(at_the_provider().bind_tools(tools), tools), job["text"])


async def governed_tool(job):
    async with AxonFlow(**job["client"]) as axonflow:
        [governed] = govern_tools([look_up_claim], axonflow)
        return {"text": await governed.ainvoke({"person": job["text"]})}


async def checks_as_tools(job):
    """The agent's own MCP server, whose tools a graph can use as any other's."""
    server = {"transport": "streamable_http", "url": f"{job['endpoint']}/api/v1/mcp-server", "headers": job["headers"]}
    tools = {each.name: each for each in await MultiServerMCPClient({"axonflow": server}).get_tools()}
    asked = {"connector_type": "postgres", "statement": job["text"]}
    return {"names": sorted(tools), "text": str(await tools["check_policy"].ainvoke(asked))}


SCENARIOS = {
    each.__name__: each for each in (message, tool_loop, gateway_mode, governed_tools, governed_tool, checks_as_tools)
}


async def main():
    """One loop for all: LangChain keeps its connections from call to call."""
    for line in sys.stdin:
        job = json.loads(line)
        RAN.clear()
        try:
            outcome = await SCENARIOS[job["scenario"]](job)
        except Exception as error:  # noqa: BLE001 - whatever the framework raises is an outcome
            kinds = [kind.__name__ for kind in type(error).__mro__]
            outcome = {"error": kinds[0], "kinds": kinds, "message": str(error), "code": getattr(error, "code", None)}
        print(json.dumps({"tools": list(RAN), **outcome}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
