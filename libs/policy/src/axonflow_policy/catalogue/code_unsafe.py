"""Unsafe constructs in code that a model wrote (contract, agent section 3.3): judged on answers, never on requests.

No lever moves them.
"""

from __future__ import annotations

from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Phases, Policy

# What is built from variables: an f-string, a template, a concatenation or a format.
_BUILT = (
    r"""(?:f["'][^"'\n]{0,200}\{|`[^`\n]{0,200}\$\{|["'][^"'\n]{0,200}["']\s*(?:\+|\.\s*\$|%\s*[\w(]|\.format\s*\())"""
)
# In one case only: "Select one from" is a sentence.
_VERB = (
    r"(?:SELECT\s[^\"'`\n]{1,120}\sFROM|INSERT\s+INTO|UPDATE\s+\S{1,60}\s+SET|DELETE\s+FROM"
    r"|select\s[^\"'`\n]{1,120}\sfrom|insert\s+into|update\s+\S{1,60}\s+set|delete\s+from)\s"
)


def _row(
    policy_id: str,
    name: str,
    severity: Severity,
    pattern: str,
    *,
    reason: str,
    description: str,
    validator: str = "code_call",
    action: Action = Action.WARN,
) -> Policy:
    return Policy(
        id=f"sys_code_{policy_id}",
        name=name,
        category="code-unsafe",
        severity=severity,
        priority=60,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=description,
        phases=Phases.RESPONSE,
        action=action,
        action_response=action,
        risk_weight=0.6,
    )


POLICIES: tuple[Policy, ...] = (
    _row(
        "eval_js",
        "JavaScript eval Detection",
        Severity.HIGH,
        r"(?:^|[^\w.])((?:(?:window|globalThis|self)\.)?eval\s*\(\s*[^)\s]|new\s+Function\s*\(\s*[^)\s]"
        r"|set(?:Timeout|Interval)\s*\(\s*[\"'`])",
        reason="Evaluation of a string as code detected",
        description="eval, the Function constructor, and timers that are given a string",
    ),
    _row(
        "exec_python",
        "Python exec Detection",
        Severity.HIGH,
        r"(?:^|[^\w.])(exec\s*\(\s*[^)\s]|execfile\s*\(\s*[^)\s]|compile\s*\([^\n]{1,120},\s*(?:mode\s*=\s*)?[\"']exec[\"']"
        r"|__import__\s*\(\s*[^)\s\"'])",
        reason="Execution of a string as Python code detected",
        description="exec, compile for exec, and imports by a computed name",
    ),
    _row(
        "shell_injection",
        "Shell Injection Detection",
        Severity.CRITICAL,
        r"\bsubprocess\.\w{1,20}\s*\(\s*(?:"
        rf"{_BUILT}[^\n]{{0,120}}\bshell\s*=\s*True|[a-z_]\w{{0,40}}\s*,[^\n]{{0,120}}\bshell\s*=\s*True)"
        rf"|\bos\.(?:system|popen)\s*\(\s*{_BUILT}|\b(?:child_process\.)?exec(?:Sync)?\s*\(\s*{_BUILT}"
        r"|\b(?:shell_exec|passthru|system|popen|proc_open)\s*\(\s*(?:[\"'][^\"'\n]{0,200}[\"']\s*\.\s*)?\$"
        rf"|\bRuntime\.getRuntime\(\)\.exec\s*\(\s*{_BUILT}"
        r"|\bexec\.Command\s*\(\s*\"(?:ba|z)?sh\"\s*,\s*\"-c\"\s*,\s*[^\"\s)]",
        reason="Command built from variables for a shell detected",
        description="A shell that is given a string built from variables",
        action=Action.BLOCK,
    ),
    _row(
        "sql_format",
        "SQL String Formatting Detection",
        Severity.HIGH,
        rf"(?:f\"{_VERB}[^\"\n]{{0,200}}\{{|f'{_VERB}[^'\n]{{0,200}}\{{|`{_VERB}[^`\n]{{0,200}}\$\{{"
        rf"|\"{_VERB}[^\"\n]{{0,200}}\"\s*(?:\+\s*\w|%\s*[\w(]|\.format\s*\(|\.\s*\$)"
        rf"|'{_VERB}[^'\n]{{0,200}}'\s*(?:\+\s*\w|%\s*[\w(]|\.format\s*\(|\.\s*\$)"
        rf"|\bSprintf\s*\(\s*[\"`]{_VERB}[^\n]{{0,200}}%[svd])",
        reason="SQL built from variables detected",
        description="A statement put together by formatting or concatenation instead of parameters",
    ),
    _row(
        "os_system",
        "os.system Detection",
        Severity.HIGH,
        r"\bos\.(?:system|popen)\s*\(\s*[^)\s]",
        reason="Shell command by os.system detected",
        description="Commands handed to a shell by the os module",
    ),
    _row(
        "pickle",
        "Unsafe Deserialization Detection",
        Severity.CRITICAL,
        r"\b(?:c?[pP]ickle|dill|cloudpickle|marshal)\.(?:loads?|Unpickler)\s*\(\s*[^)\s]|\bpd\.read_pickle\s*\(\s*[^)\s]"
        r"|\bjoblib\.load\s*\(\s*[^)\s]|\bshelve\.open\s*\(\s*[^)\s]",
        reason="Deserialisation of Python objects detected",
        description="pickle and its relatives, which run code while they read",
    ),
    _row(
        "yaml_unsafe",
        "Unsafe YAML Load Detection",
        Severity.HIGH,
        r"\byaml\.(?:(?:unsafe_load|full_load)(?:_all)?\s*\(\s*[^)\s]|load(?:_all)?\s*\(\s*[^)\s])",
        validator="yaml_load",
        reason="Unsafe loading of YAML detected",
        description="yaml.load without a safe loader",
    ),
)
