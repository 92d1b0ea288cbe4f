"""The pages about policies.

A page whose only source failed answers 502, not 200: a monitor or a script that looks at the status alone must not
take the missing list for an empty one (orchestrator contract §4.3). A list read in part is shown, with its banner.
"""

from __future__ import annotations

from axonflow_contracts.errors import Fault
from starlette.requests import Request
from starlette.responses import Response

from axonflow_portal.listing import PolicyFilter, parse_filter
from axonflow_portal.pages import words
from axonflow_portal.pages.render import Templates
from axonflow_portal.pages.view import policies_view
from axonflow_portal.reading import PolicySource


async def policies_page(request: Request, source: PolicySource, templates: Templates) -> Response:
    """``GET /policies``: the unified list."""
    try:
        wanted = parse_filter(request.query_params)
    except Fault as fault:
        return message_page(templates, fault.status, "That filter cannot be read", f"{fault.message}.")
    view = policies_view(await source.read(), wanted)
    cleared = PolicyFilter(sort=wanted.sort).query()
    status = 200 if view.readable else 502
    return templates.page("policies.html", status, view=view, cleared_query=cleared, here="policies")


async def policy_page(request: Request, source: PolicySource, templates: Templates) -> Response:
    """``GET /policies/{policy_id}``: one policy."""
    read = await source.read()
    wanted = request.path_params["policy_id"]
    policy = next((policy for policy in read.policies if wanted in {policy.policy_id, policy.id}), None)
    if policy is not None:
        return templates.page("policy.html", policy=policy, sides=words.sides(policy), here="policy")
    if read.trouble is not None:
        return templates.page(
            "message.html",
            502,
            title="This policy could not be looked up",
            message="The list of policies could not be read whole, so it is not known whether this one exists.",
            troubles=(read.trouble,),
            back="policies",
        )
    return message_page(templates, 404, "No such policy", "The agent lists no policy with this id.")


def message_page(templates: Templates, status: int, title: str, message: str, back: str = "policies") -> Response:
    """A page that is one sentence, and a way back: to a list, or with "" to the overview."""
    return templates.page("message.html", status, title=title, message=message, troubles=(), back=back)
