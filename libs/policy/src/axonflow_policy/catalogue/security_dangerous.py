"""Dangerous commands and prompt injection (contract, agent section 3.3).

These rows judge requests only: a reply that explains a command is not the command being given.
"""

from __future__ import annotations

from axonflow_contracts.posture import Lever
from axonflow_contracts.verdicts import Action, Severity

from axonflow_policy.model import Phases, Policy

_CATEGORY = "security-dangerous"
_RISK = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.8, Severity.MEDIUM: 0.6}
_PRIORITY = {Severity.CRITICAL: 100, Severity.HIGH: 90, Severity.MEDIUM: 80}

_INTERPRETER = r"(?:sudo\s+(?:-\w+\s+)*)?(?:/(?:usr/)?bin/(?:env\s+)?)?(?:ba|z|da|k|c|tc|fi)?sh\b|(?:sudo\s+)?(?:python[\d.]*|perl|ruby|node|php|iex|pwsh|powershell|Invoke-Expression)\b"
_FETCH = r"(?:curl|wget|fetch|Invoke-WebRequest|Invoke-RestMethod|iwr|irm)"


def _row(
    policy_id: str,
    name: str,
    reason: str,
    pattern: str,
    severity: Severity,
    description: str,
    validator: str | None = "shell_command",
    priority: int | None = None,
) -> Policy:
    return Policy(
        id=f"sys_dangerous_{policy_id}",
        name=name,
        category=_CATEGORY,
        severity=severity,
        priority=_PRIORITY[severity] if priority is None else priority,
        pattern=pattern,
        validator=validator,
        reason=reason,
        description=description,
        phases=Phases.REQUEST,
        action=Action.BLOCK,
        action_request=Action.BLOCK,
        lever=Lever.DANGEROUS_COMMANDS,
        risk_weight=_RISK[severity],
    )


def _injection(
    policy_id: str, name: str, reason: str, pattern: str, description: str, validator: str | None = "prompt_override"
) -> Policy:
    return _row(f"injection_{policy_id}", name, reason, pattern, Severity.HIGH, description, validator, priority=95)


_COMMANDS: tuple[Policy, ...] = (
    _row(
        "reverse_shell",
        "Reverse Shell Blocking",
        "Reverse shell detected",
        r"(?i)\b(?:nc|ncat|netcat)(?:\.exe|\.traditional|\.openbsd)?\s+[^\n|;]{0,80}(?:-[a-z]*[ec]\s*\S*(?:sh|cmd|powershell)(?:\.exe)?\b|--(?:sh-)?exec\b)"
        r"|/dev/(?:tcp|udp)/[^\s/]{1,80}/\S"
        r"|\bsocket\.socket\s*\([^\n]{0,300}(?:dup2|pty\.spawn|subprocess\.|/bin/(?:ba)?sh)"
        r"|\bpty\.spawn\s*\("
        r"|\bmkfifo\s+[^\n]{0,120}\|\s*(?:nc|ncat|netcat|openssl)\b"
        r"|\bTCPSocket\.(?:new|open)\b[^\n]{0,200}\bexec\b|\bfsockopen\s*\([^\n]{0,200}(?:exec|shell_exec|proc_open|system|passthru|popen)\s*\("
        r"|\bNet\.Sockets\.TCPClient\b|\bsocat\b[^\n]{0,120}\bexec:|\bmsfvenom\b[^\n]{0,80}reverse|\buse\s+Socket\s*;[^\n]{0,300}\bexec\b"
        r"|\(\)\s*\{\s*:;\s*\}\s*;",
        Severity.CRITICAL,
        "A shell handed to a network connection",
    ),
    _row(
        "destructive_fs",
        "Destructive Filesystem Operations",
        "Destructive filesystem command detected",
        r"\brm\s+(?:-{1,2}[\w-]+\s+)*-(?:[a-zA-Z]*r[a-zA-Z]*f|[a-zA-Z]*f[a-zA-Z]*r|r|R|-recursive)\w*\s+(?:-{1,2}[\w-]+\s+)*[\"']?(?:/(?:\s|$|\*|[\"';|&)`])|/(?:home|etc|usr|var|boot|bin|lib|opt|root|srv|sys|dev)\b/?(?:\s|$|\*|[\"';|&)`])|~|\$HOME|\$\{HOME\}|\*(?:\s|$)|\.(?:\s|$)|--no-preserve-root)"
        r"|--no-preserve-root"
        r"|\bdd\s+[^\n|;]{0,120}\bof=/dev/(?:sd|hd|nvme|vd|xvd|disk|mmcblk|mem)"
        r"|\bmkfs(?:\.\w+)?\s+(?:-\w+\s+\S+\s+)*/dev/\w+"
        r"|\bchmod\s+(?:-\w+\s+)*(?:0?777|a\+rwx|ugo\+rwx)\s+(?:-\w+\s+)?/(?:\s|$|etc|usr|bin|\*)"
        r"|>\s*/dev/(?:sd[a-z]|nvme\d|hd[a-z])|\bshred\s+(?:-\w+\s+)*(?:--?[\w-]+\s+)*/\S|:\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;"
        r"|(?i:\bvssadmin(?:\.exe)?\s+(?:delete|create)\s+shadow|\bwbadmin\s+delete|\bbcdedit(?:\.exe)?\s+/set|\bcipher\s+/w:|\bformat\s+[a-z]:\s*/|\b(?:del|erase)\s+(?:/\w\s+)+|\b(?:rmdir|rd)\s+(?:/\w\s+)+"
        r"|\bRemove-Item\s+[^\n|;]{0,120}-Recurse|\bwevtutil(?:\.exe)?\s+cl\b|\bClear-EventLog\b|\bhistory\s+-c\b|\bwipefs\s+-|\bdiskpart\b|\bfsutil\s+usn\s+deletejournal)"
        r"|(?i:\b(?:gcloud|gsutil|aws|az|kubectl|terraform)\s+[^\n|;]{0,80}\b(?:rb\s+[^\n]{0,40}--force|buckets\s+delete|delete-bucket|delete\s+(?:ns|namespace|--all)|destroy\s+-auto-approve)\b)",
        Severity.CRITICAL,
        "Recursive removal, raw writes to devices, wiping of logs and backups",
    ),
    _row(
        "credential_access",
        "Credential File Access",
        "Access to credential files detected",
        r"(?i)\b(?:cat|less|more|head|tail|type|cp|scp|mv|tar|zip|base64|xxd|strings|grep|curl\s[^\n]{0,80}@|nano|vim?|Get-Content|gc|copy|read|open|steal|exfiltrate|dump|sudo)\b[^\n|;]{0,80}?"
        r"(?:[~/.\\]\.ssh/(?:id_\w+|authorized_keys|\*)|\bid_(?:rsa|ed25519|ecdsa|dsa)\b|/etc/(?:shadow|gshadow|sudoers)\b|\.aws/credentials|\.kube/config|\.docker/config\.json|\.netrc\b|\.pgpass\b|\.git-credentials|\.gnupg\b|\.config/gcloud"
        r"|[\s/\\\"']\.env(?:\.\w+)?(?:\s|$|[\"'|;&)])|/secrets/kubernetes\.io/|\brepair\\SAM\b|\bconfig\\(?:SAM|SYSTEM)\b|\bntds\.dit\b|Login\s?Data\b|\bboot\.ini\b)"
        r"|\bntdsutil(?:\.exe)?\b|\b(?:procdump|rdrleakdiag|comsvcs\.dll)\b[^\n]{0,120}\b(?:lsass|minidump|/p)|\bmimikatz\b|\bsekurlsa::|\blsadump::|\breg(?:\.exe)?\s+save\s+hk(?:lm|ey_local_machine)\\(?:sam|system|security)"
        r"|\bInvoke-(?:Mimikatz|PowerDump|Kerberoast|CredentialInjection)\b|\b(?:printenv|env|set)\s*\|\s*grep\s+-?\w*\s*(?:-\w+\s+)*[\"']?(?:\w*(?:key|secret|token|pass))"
        r"|\becho\s+[\"']?\$\{?(?:AWS_SECRET|\w*(?:SECRET|TOKEN|PASSWORD|API_KEY))\w*",
        Severity.HIGH,
        "Reading of ssh, cloud, env and password files, or printing of secret variables",
    ),
    _row(
        "shell_download",
        "Download and Execute",
        "Download piped into an interpreter detected",
        rf"(?i)\b{_FETCH}\b[^\n|;]{{0,300}}\|\s*(?:{_INTERPRETER})"
        rf"|\b(?:ba|z|da|k)?sh\s+(?:-\w+\s+)*[\"']?(?:<\(|\$\(|`)\s*{_FETCH}\b|\beval\s+[\"']?(?:\$\(|`)\s*{_FETCH}\b|\bsource\s+<\(\s*{_FETCH}\b"
        r"|\b(?:iex|Invoke-Expression)\b[^\n]{0,60}(?:\biwr\b|\birm\b|Invoke-WebRequest|Net\.Web-?Client|DownloadString)|\.DownloadString\s*\(|\bDownloadFile\s*\("
        rf"|\b{_FETCH}\b[^\n]{{0,300}}(?:&&|;)\s*(?:sudo\s+)?(?:chmod\s+\+x\b|(?:ba)?sh\s+\S|\./)"
        r"|\bbase64\s+(?:-d|-D|--decode)\b[^\n]{0,80}\|\s*(?:ba|z|da)?sh\b"
        r"|\bmshta(?:\.exe)?\s+[\"']?(?:https?:|javascript:|vbscript:|\S*\.hta)|\bcertutil(?:\.exe)?\s+[^\n]{0,60}-urlcache|\bbitsadmin(?:\.exe)?\s+/\w|\brundll32(?:\.exe)?\s|\bregsvr32(?:\.exe)?\s+/"
        r"|\bpowershell(?:\.exe)?\s+[^\n]{0,80}-e(?:nc(?:odedcommand)?|c)?\s+[A-Za-z0-9+/=]{16,}|[&|;]\s*wget\s+https?://",
        Severity.CRITICAL,
        "Something fetched and run in one step",
    ),
    _row(
        "cloud_metadata",
        "Cloud Metadata Endpoint Access",
        "Access to a cloud metadata endpoint detected",
        r"(?i)\b169\.254\.169\.254\b|\b169\.254\.170\.2\b|\bmetadata\.google\.internal\b|\bmetadata\.azure\.(?:com|internal)\b|\b100\.100\.100\.200\b|\[?fd00:ec2::254\]?|/latest/meta-data/|/computeMetadata/v1",
        Severity.CRITICAL,
        "Addresses from which cloud credentials are served",
    ),
    _row(
        "internal_network",
        "Internal Network Access",
        "Request to an internal address detected",
        r"(?i)\b(?:curl|wget|fetch|http|https|httpie|nc|ncat|netcat|telnet|nmap|socat|Invoke-WebRequest|iwr|GET|POST|PUT|DELETE|requests?\.\w+|urlopen|axios(?:\.\w+)?|httpx\.\w+|open|access|visit|browse|query|scan|probe|connect\s+to|request\s+to|read\s+from|call)\b"
        r"(?:\(|\s)[^\n|;]{0,60}?((?:https?://|gopher://|dict://|ftp://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):\d{4,5})\b",
        Severity.HIGH,
        "A request to this machine's own ports",
        "local_request",
    ),
    _row(
        "agent_config",
        "Agent Config File Protection",
        "Change of an agent's configuration detected",
        r"(?i)(?:>>?|\btee\s+(?:-a\s+)?|\b(?:write|append|overwrite|edit|modify|replace|sed\s+-i\S*|nano|vim?|echo)\b[^\n|;]{0,60}?)\s*[\"'`]?(?:[\w~./\\-]*/)?"
        r"(?:\.env(?:\.(?:local|production|development|staging))?|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.bashrc|\.zshrc|\.bash_profile|\.ssh/(?:config|authorized_keys)|\.aws/(?:credentials|config)|credentials\.json|(?:CLAUDE|AGENTS|SOUL)\.md|\.cursorrules|\.claude/\S+|\.cursor/\S+|mcp\.json|claude_desktop_config\.json|/etc/sudoers\S*|sudoers(?:\.d/\S+)?|/etc/crontab|/etc/passwd)(?:\s|$|[\"'`;|&),.])"
        r"|\bcrontab\s+(?:-\s|/\S|-r\b)|\bvisudo\b|\b(?:reg(?:\.exe)?)\s+(?:add|delete)\s|\b(?:New|Set)-ItemProperty\b|\bschtasks(?:\.exe)?\s+/(?:create|change)\b|\bsc(?:\.exe)?\s+(?:create|config|stop|delete)\s|\bnet(?:\.exe)?\s+(?:user|localgroup)\s[^\n]{0,80}/add\b"
        r"|\b(?:useradd|adduser|pw\s+useradd|dscl\s+\.\s+-create)\b\s|\bnetsh\s+(?:adv)?firewall\s|\bSet-MpPreference\b|\bLD_PRELOAD=/|\b(?:insmod|modprobe)\s+/?\w|\bchmod\s+(?:u\+x?s|[42]7[0-7]{2})\b",
        Severity.HIGH,
        "Writing to files and registries that configure agents, shells, accounts and services",
    ),
    _row(
        "path_traversal",
        "Path Traversal Detection",
        "Path traversal detected",
        r"(?i)(?:\.\.[/\\]){3,}|(?:\.\.(?:%2f|%5c)){2,}|(?:%2e%2e(?:%2f|/|%5c)){2,}|(?:\.\.[/\\])+(?:etc|proc|windows|boot)\b"
        r"|/etc/(?:passwd|shadow)\b|/proc/self/(?:environ|cmdline|maps|mem|fd|root)\b|\bfile:///(?:etc|proc|root)/",
        Severity.HIGH,
        "Repeated steps to a parent, or the files they are taken for",
    ),
    _row(
        "eval_exec",
        "Dynamic Code Execution",
        "Dynamic code execution detected",
        r"\b(?:eval|exec)\s*\(\s*(?:base64|atob|compile|input|request|requests\.|__import__|open\(|urllib|bytes|bytearray|codecs|zlib|marshal|String\.fromCharCode|\$_(?:GET|POST|REQUEST|COOKIE)|params|req\.|user_|cmd\b|code\b|payload|decode)"
        r"|\b__import__\s*\(\s*[\"'](?:os|subprocess|pty|socket)[\"']"
        r"|\bos\.(?:system|popen|exec[lv]\w*)\s*\(|\bsubprocess\.(?:run|call|Popen|check_output|check_call|getoutput)\s*\(\s*[^\n]{0,120}\bshell\s*=\s*True"
        r"|\bchild_process\b[^\n]{0,60}\.exec(?:Sync)?\s*\(|\bRuntime\.getRuntime\(\)\.exec\s*\("
        r"|(?:^|[|;&`{$]|<\?php|\bphp\s)\s*(?:system|shell_exec|passthru|popen|proc_open)\s*\(\s*[\"'$]|\bassert\s*\(\s*\$_|\$\{\s*@?\s*(?:print|phpinfo|sleep|system)\s*\("
        r"|\bWScript\.Shell\b|\bCreateObject\s*\(|\bInvoke-Expression\s+\$",
        Severity.HIGH,
        "Code or commands built at run time and executed",
    ),
    _row(
        "package_install",
        "Unauthorized Package Installation",
        "Installation from a remote address detected",
        r"(?i)\b(?:pip3?|python3?\s+-m\s+pip|uv\s+pip|pipx)\s+install\s+(?:-{1,2}[\w-]+(?:[=\s]\S+)?\s+){0,4}?(?:git\+|hg\+)?(?:https?|ftp)://"
        r"|\bpip3?\s+install\s+[^\n]{0,120}(?:--(?:extra-)?index-url|-i)[=\s]+http"
        r"|\b(?:npm|yarn|pnpm|bun)\s+(?:install|add|i)\s+(?:-{1,2}\S+\s+)*(?:git\+)?(?:https?|git|ftp)://|\b(?:npm|yarn|pnpm)\b[^\n]{0,80}--registry[=\s]+http://"
        r"|\b(?:gem|cargo|go|brew|apt|apt-get|dpkg|rpm|yum|dnf|snap)\s+(?:-\w+\s+)*(?:install|add|get|-i|-Uvh?)\s+(?:-{1,2}\S+\s+)*(?:--git\s+)?https?://|\bmsiexec(?:\.exe)?\s+[^\n]{0,40}/i\s+[\"']?http",
        Severity.MEDIUM,
        "An installer fed by a remote address",
    ),
)

_PRIOR = r"(?:previous(?:ly)?|prior|above|earlier|preceding|initial|original|system|foregoing|past|former|existing|given|current|old)"
_ORDERS = r"(?:instructions?|directions?|directives?|guidelines?|rules?|prompts?|orders?|commands?|constraints?|restrictions?|programming|assignments?|tasks?|training|context|polic(?:y|ies)|conversations?|text|messages?|information|content|statements?|requests?)"
_FORGET = r"(?:ignore|disregard|forget|override|overrule|bypass|discard|neglect|skip|drop|erase|omit|do\s+not\s+follow|don'?t\s+follow|stop\s+following|pay\s+no\s+attention\s+to)"

_INJECTIONS: tuple[Policy, ...] = (
    _injection(
        "override",
        "Prompt Injection: Instruction Override",
        "Prompt injection: attempt to override instructions",
        rf"(?i)\b{_FORGET}\s+(?:(?:all|any|every|everything|each|of|the|your|my|our|these|those|this|that|and|other|to|in)\s+){{0,5}}(?:{_PRIOR}\s+(?:(?:and|or|set\s+of|given|mentioned|stated)\s+)?)+(?:\w+\s+){{0,2}}?{_ORDERS}\b"
        rf"|\b{_FORGET}\s+(?:all|every|any)\s+(?:of\s+)?(?:the\s+|your\s+|these\s+|those\s+|my\s+)?(?:{_ORDERS})\b"
        rf"|\b{_FORGET}\s+(?:(?:all|everything|anything)\s+(?:of\s+)?(?:that\s+)?(?:is\s+|was\s+|said\s+|you\s+(?:were|have\s+been)\s+(?:told|taught)|before|above|prior|previous)|(?:the|what\s+is)\s+above\b|(?:all\s+)?(?:the\s+)?above\s+and\b|your\s+(?:{_ORDERS}))"
        r"|\b(?:new|updated|your)\s+(?:system\s+)?(?:instructions?|task|prompt|directive)s?\s+(?:are|is)\s+(?:now\s+)?(?:to\b|as\s+follows|:)"
        r"|\bstrictly\s+adhere\s+to\s+the\s+following\s+instruction",
        "An order to drop what the model was told before",
    ),
    _injection(
        "role_override",
        "Prompt Injection: Role Reassignment",
        "Prompt injection: attempt to reassign the role",
        r"(?i)\b(?:act|behave|respond|answer|pretend|roleplay|role-play|pose|simulate|function|operate)\s+(?:as|like|to\s+be|being)\s+(?:if\s+(?:you\s+(?:are|were)\s+)?)?(?:(?:an?|the|my|your)\s+)?(?:\w+\s+){0,2}?(?:admin(?:istrator)?|root|superuser|sudo|unrestricted|unfiltered|uncensored|unlimited|jailbroken|evil|amoral|DAN\b|AIM\b|STAN\b|developer\s+mode|god\s+mode)\b"
        r"|\byou\s+are\s+(?:now\s+|going\s+to\s+be\s+|about\s+to\s+\w+\s+(?:as\s+)?)+(?:an?\s+|the\s+)?(?:\w+\s+){0,3}?(?:unrestricted|unfiltered|uncensored|unlimited|jailbroken|DAN\b|evil|amoral|root|admin)\b"
        r"|\bfrom\s+(?:now|this\s+(?:moment|point))\s+(?:on(?:wards?)?|forward|own),?\s+(?:you\s+(?:will|must|shall|are|have\s+to|should|can)|your|embody|act|respond|answer|ignore)\b"
        r"|\b(?:do\s+anything\s+now|DAN\s+mode|developer\s+mode\s+(?:enabled|output|policy)|jailbreak\s+mode|god\s+mode\s+(?:enabled|activated))\b"
        r"|\b(?:without|free\s+(?:of|from)|no|not\s+bound\s+by|ignor\w+|freed\s+from)\s+(?:any\s+|all\s+|the\s+|its\s+|your\s+|openai'?s?\s+|typical\s+)*(?:(?:moral|ethical|legal|content|safety|openai)\s+(?:and|or|,)?\s*){1,3}(?:guidelines?|restrictions?|constraints?|limitations?|boundar\w+|filters?|rules?|polic\w+|standards?|principles?|concerns?)\b"
        r"|\b(?:you\s+(?:can|must|will|do)\s+(?:not|never)\s+(?:refuse|decline|reject|say\s+no)|never\s+(?:refuse|break\s+character|say\s+(?:that\s+)?you\s+can(?:'?t|not))|stay\s+in\s+character|remain\s+in\s+character|break(?:ing)?\s+(?:the\s+)?(?:rules|character))\b"
        r"|\b(?:confines|shackles|restrictions|limitations|rules)\s+of\s+(?:typical\s+)?(?:ai|openai|chatgpt)\b|\bunfiltered\s+(?:and\s+\w+\s+)?(?:ai\b|chatbot|response|language\s+model)|\bhypothetical\s+(?:story|response|scenario)\b[^\n]{0,120}\b(?:unfiltered|amoral|illegal)\b",
        "An order to become an administrator, an unrestricted model or a known jailbreak persona",
    ),
    _injection(
        "system_exfil",
        "Prompt Injection: System Prompt Exfiltration",
        "Prompt injection: attempt to extract the system prompt",
        r"(?i)\b(?:reveal|show|print|display|repeat|output|tell|give|share|expose|leak|dump|disclose|recite|return|write|spell\s?-?check|summari[sz]e|translate|copy|what\s+(?:is|are|was|were)|what'?s|list|provide)\s+(?:(?:me|us|out|back|down|to|all|of|the|your|exact|full|complete|entire|whole|initial|original|first|hidden|secret|above|previous|preceding|verbatim|contents?|text)\s+){0,6}(?:system\s+(?:prompt|message|instructions?)|(?:initial|original|hidden|secret|above|previous|prior|preceding|internal)\s+(?:prompt|instructions?|text\s+prompts?)|your\s+(?:\w+\s+)?(?:prompt|instructions)(?:\s+(?:text|verbatim|exactly|above))?|prompt\s?_?texts?)\b"
        r"|\brepeat\s+(?:everything|all|the\s+(?:words|text))\s+(?:above|before)\b|\b(?:show|print|reveal|output)\s+(?:me\s+)?(?:all\s+)?(?:your|the)\s+prompts?\b",
        "A demand for the model's own instructions",
    ),
    _injection(
        "bracket_marker",
        "Prompt Injection: Template/Bracket Marker",
        "Prompt injection: chat template marker",
        r"(?i)<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|start_header_id|end_header_id|eot_id|begin_of_text)\|>|\[/?INST\]|<</?SYS>>|\[(?:system|SYSTEM)\](?:\(#\w+\)|\s*:?\s)|(?m:^)\s*#{2,}\s*(?:system|instruction)s?\s*(?:prompt|message|override)?\s*:"
        r"|<(?:system|instructions?)>\s*\S|\[\s*(?:system|admin)\s+(?:override|message|note|prompt|command)\s*\]|\bBEGIN\s+(?:SYSTEM|ADMIN)\s+(?:PROMPT|OVERRIDE|MESSAGE)\b|\bEND\s+OF\s+(?:SYSTEM\s+)?(?:PROMPT|INSTRUCTIONS?)\b",
        "Delimiters of chat templates and roles inside a text",
        None,
    ),
)

POLICIES: tuple[Policy, ...] = _COMMANDS + _INJECTIONS
