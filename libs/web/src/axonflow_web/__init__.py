"""Serving, error rendering, body limits and request hygiene: what the three services share at their doors."""

from axonflow_web import strict_json
from axonflow_web.access import TRACE, AccessLog
from axonflow_web.application import application
from axonflow_web.body import ClientGone, read_body, replay
from axonflow_web.cors import Cors
from axonflow_web.faults import FaultBoundary, fault_response
from axonflow_web.hygiene import RequestHygiene
from axonflow_web.lifecycle import Lifecycle, Stage
from axonflow_web.refusals import StartRefused
from axonflow_web.run import run_service
from axonflow_web.security import API_HEADERS, SecurityHeaders
from axonflow_web.serve import serve

__all__ = [
    "API_HEADERS",
    "TRACE",
    "AccessLog",
    "ClientGone",
    "Cors",
    "FaultBoundary",
    "Lifecycle",
    "RequestHygiene",
    "SecurityHeaders",
    "Stage",
    "StartRefused",
    "application",
    "fault_response",
    "read_body",
    "replay",
    "run_service",
    "serve",
    "strict_json",
]
