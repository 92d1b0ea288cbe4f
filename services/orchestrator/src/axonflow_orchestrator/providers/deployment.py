"""The providers of the deployment itself: the files over the environment, and the built-in one beneath both."""

from __future__ import annotations

from collections.abc import Iterable

from axonflow_providers.registry import ProviderSpec
from axonflow_providers.standard import standard_specs
from axonflow_settings import SettingsError

from axonflow_orchestrator.provider_settings import ProviderSettings
from axonflow_orchestrator.providers.definition import Definition, Source
from axonflow_orchestrator.providers.environment import environment_definitions, key_faults
from axonflow_orchestrator.providers.files import FileFaults, file_definitions

DEMO = "demo"


def provider_specs(settings: ProviderSettings) -> tuple[ProviderSpec, ...]:
    """The types that this release knows; AWS credentials of the environment serve the operator's own Bedrock alone."""
    return standard_specs(settings.aws_environment)


def deployment_definitions(settings: ProviderSettings, specs: Iterable[ProviderSpec]) -> tuple[Definition, ...]:
    """One definition a name, in order of names.

    Raises:
        SettingsError: every fault of the variables and files; the service must not start with a part of them.
    """
    known = {spec.type: spec for spec in specs}
    faults = key_faults(settings)
    found = {}
    if DEMO in known:
        found[DEMO] = Definition(name=DEMO, type=DEMO, source=Source.BUILT_IN)
    found |= {each.name: each for each in environment_definitions(settings)}
    for path in (settings.config_file, settings.llm_config_file):
        if path:
            try:
                found |= {each.name: each for each in file_definitions(path, known)}
            except FileFaults as error:
                faults += error.faults
    for each in found.values():
        if each.type not in known:
            faults.append(f"{each.name} is configured, but this release has no provider of type {each.type}")
        else:
            faults += [f"Provider {each.name} ({each.source}): {fault}" for fault in each.faults(known[each.type])]
    if faults:
        raise SettingsError(faults)
    return tuple(found[name] for name in sorted(found))
