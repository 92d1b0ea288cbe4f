"""Commands that take over a machine, destroy its data or reach its secrets (contract, agent section 3.3)."""

from __future__ import annotations

from axonflow_contracts.verdicts import Severity

from axonflow_policy.catalogue import prompt_injection
from axonflow_policy.catalogue.dangerous_row import row
from axonflow_policy.model import Phases, Policy

_SHELL = r"(?:sudo\s+(?:-\w+\s+)*)?(?:/(?:usr/)?bin/(?:env\s+)?)?(?:ba|z|da|k|c|tc|fi)?sh\b"
_INTERPRETER = rf"(?:{_SHELL}|(?:sudo\s+)?(?:python[\d.]*|perl|ruby|node|php|iex|pwsh|powershell|Invoke-Expression)\b)"
_FETCH = r"(?:curl|wget|fetch|Invoke-WebRequest|Invoke-RestMethod|iwr|irm)"
_FLAGS = r"(?:-{1,2}[\w-]+\s+)*"
_END = r"(?:\s|$|\*|[\"';|&)`])"

_REVERSE_SHELL = (
    r"(?i)\b(?:nc|ncat|netcat)(?:\.exe|\.traditional|\.openbsd)?\s+[^\n|;]{0,80}"
    r"(?:-[a-z]*[ec]\s*\S*(?:sh|cmd|powershell)(?:\.exe)?\b|--(?:sh-)?exec\b)"
    r"|/dev/(?:tcp|udp)/[^\s/]{1,80}/\S"
    r"|\bsocket\.socket\s*\([^\n]{0,300}(?:dup2|pty\.spawn|subprocess\.|/bin/(?:ba)?sh)"
    r"|\bos\.dup2\s*\(\s*\w+\.fileno\(\)|\bpty\.spawn\s*\("
    r"|\bmkfifo\s+[^\n]{0,120}\|\s*(?:nc|ncat|netcat|openssl)\b"
    r"|\bTCPSocket\.(?:new|open)\b[^\n]{0,200}\bexec\b"
    r"|\bfsockopen\s*\([^\n]{0,200}(?:exec|shell_exec|proc_open|system|passthru|popen)\s*\("
    r"|\bNet\.Sockets\.TCPClient\b|\bsocat\b[^\n]{0,120}\bexec:|\bmsfvenom\b[^\n]{0,80}reverse"
    r"|\buse\s+Socket\s*;[^\n]{0,300}\bexec\b|\(\)\s*\{\s*:;\s*\}\s*;"
)

_DESTRUCTIVE = (
    rf"\brm\s+{_FLAGS}-(?:[a-zA-Z]*r[a-zA-Z]*f|[a-zA-Z]*f[a-zA-Z]*r|r|R|-recursive)\w*\s+{_FLAGS}[\"']?"
    rf"(?:/{_END}|/(?:home|etc|usr|var|boot|bin|lib|opt|root|srv|sys|dev)\b/?{_END}|~|\$HOME|\$\{{HOME\}}"
    r"|\*(?:\s|$)|\.(?:\s|$))"
    r"|--no-preserve-root"
    r"|\bdd\s+[^\n|;]{0,120}\bof=/dev/(?:sd|hd|nvme|vd|xvd|disk|mmcblk|mem)"
    r"|\bmkfs(?:\.\w+)?\s+(?:-\w+\s+\S+\s+)*/dev/\w+"
    r"|\bchmod\s+(?:-\w+\s+)*(?:0?777|a\+rwx|ugo\+rwx)\s+(?:-\w+\s+)?/(?:\s|$|etc|usr|bin|\*)"
    r"|>\s*/dev/(?:sd[a-z]|nvme\d|hd[a-z])|\bshred\s+(?:-{1,2}[\w-]+\s+)*/\S"
    r"|:\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;"
    r"|^\s*(?:sudo\s+)?(?:shutdown\s+-[hrPH]\b|poweroff\b|init\s+[06]\b)"
    r"|(?i:\bvssadmin(?:\.exe)?\s+(?:delete|create)\s+shadow|\bwbadmin\s+delete|\bbcdedit(?:\.exe)?\s+/set"
    r"|\bcipher\s+/w:|\bformat\s+[a-z]:\s*/|\b(?:del|erase)\s+(?:/\w\s+)+|\b(?:rmdir|rd)\s+(?:/\w\s+)+"
    r"|\bRemove-Item\s+[^\n|;]{0,120}-Recurse|\bwevtutil(?:\.exe)?\s+cl\b|\bClear-EventLog\b|\bhistory\s+-c\b"
    r"|\bwipefs\s+-|\bfsutil\s+usn\s+deletejournal)"
    r"|(?i:\b(?:gcloud|gsutil|aws|az|kubectl|terraform)\s+[^\n|;]{0,80}"
    r"\b(?:rb\s+[^\n]{0,40}--force|buckets\s+delete|delete-bucket|delete\s+(?:ns|namespace|--all)"
    r"|destroy\s+-auto-approve)\b)"
)

_CREDENTIALS = (
    r"(?i)\b(?:cat|less|more|head|tail|type|cp|scp|mv|tar|zip|base64|xxd|strings|grep|curl\s[^\n]{0,80}@|nano|vim?"
    r"|Get-Content|gc|copy|read|open|steal|exfiltrate|dump|sudo)\b[^\n|;]{0,80}?"
    r"(?:[~/.\\]\.ssh/(?:id_\w+|authorized_keys|\*)|\bid_(?:rsa|ed25519|ecdsa|dsa)\b|/etc/(?:shadow|gshadow|sudoers)\b"
    r"|\.aws/credentials|\.kube/config|\.docker/config\.json|\.netrc\b|\.pgpass\b|\.git-credentials|\.gnupg\b"
    r"|\.config/gcloud|[\s/\\\"']\.env(?:\.\w+)?(?:\s|$|[\"'|;&)])|/secrets/kubernetes\.io/|\brepair\\SAM\b"
    r"|\bconfig\\(?:SAM|SYSTEM)\b|\bntds\.dit\b|Login\s?Data\b|\bboot\.ini\b)"
    r"|\bntdsutil(?:\.exe)?\b|\b(?:procdump|rdrleakdiag|comsvcs\.dll)\b[^\n]{0,120}\b(?:lsass|minidump|/p)"
    r"|\bmimikatz\b|\bsekurlsa::|\blsadump::|\breg(?:\.exe)?\s+save\s+hk(?:lm|ey_local_machine)\\(?:sam|system|security)"
    r"|\bInvoke-(?:Mimikatz|PowerDump|Kerberoast|CredentialInjection)\b"
    r"|\b(?:printenv|env|set)\s*\|\s*grep\s+-?\w*\s*(?:-\w+\s+)*[\"']?(?:\w*(?:key|secret|token|pass))"
    r"|\becho\s+[\"']?\$\{?(?:AWS_SECRET|\w*(?:SECRET|TOKEN|PASSWORD|API_KEY))\w*"
)

_DOWNLOAD = (
    rf"(?i)\b{_FETCH}\b[^\n|;]{{0,300}}\|\s*{_INTERPRETER}"
    rf"|\b(?:ba|z|da|k)?sh\s+(?:-\w+\s+)*[\"']?(?:<\(|\$\(|`)\s*{_FETCH}\b"
    rf"|\beval\s+[\"']?(?:\$\(|`)\s*{_FETCH}\b|\bsource\s+<\(\s*{_FETCH}\b"
    r"|\b(?:iex|Invoke-Expression)\b[^\n]{0,60}(?:\biwr\b|\birm\b|Invoke-WebRequest|Net\.Web-?Client|DownloadString)"
    r"|\.DownloadString\s*\(|\bDownloadFile\s*\("
    rf"|\b{_FETCH}\b[^\n]{{0,300}}(?:&&|;)\s*(?:sudo\s+)?(?:chmod\s+\+x\b|(?:ba)?sh\s+\S|\./)"
    r"|\bbase64\s+(?:-d|-D|--decode)\b[^\n]{0,80}\|\s*(?:ba|z|da)?sh\b"
    r"|\bmshta(?:\.exe)?\s+[\"']?(?:https?:|javascript:|vbscript:|\S*\.hta)|\bcertutil(?:\.exe)?\s+[^\n]{0,60}-urlcache"
    r"|\bbitsadmin(?:\.exe)?\s+/\w|\brundll32(?:\.exe)?\s|\bregsvr32(?:\.exe)?\s+/"
    r"|\bpowershell(?:\.exe)?[\"']?\s+[^\n]{0,80}-(?:e(?:nc(?:odedcommand)?|c)?\s+[A-Za-z0-9+/=]{16,}"
    r"|(?:exec(?:utionpolicy)?|ep)\s+bypass)|[&|;]\s*wget\s+https?://"
)

_METADATA = (
    r"(?i)\b169\.254\.169\.254\b|\b169\.254\.170\.2\b|\bmetadata\.google\.internal\b|\bmetadata\.azure\.(?:com|internal)\b"
    r"|\b100\.100\.100\.200\b|\[?fd00:ec2::254\]?|/latest/meta-data/|/computeMetadata/v1"
)

_INTERNAL = (
    r"(?i)\b(?:curl|wget|https?|httpie|nc|ncat|netcat|telnet|nmap|socat|Invoke-WebRequest|iwr|GET|POST|PUT|DELETE"
    r"|requests\.\w+|urlopen|httpx\.\w+|fetch|open|access|visit|browse|query|scan|probe|retrieve|connect\s+to|call)"
    r"(?:\(|\s)[^\n|;]{0,60}?"
    r"((?:https?://|gopher://|dict://|ftp://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):\d{4,5})\b"
)

_CONFIG = (
    r"(?i)(?:>>?|\btee\s+(?:-a\s+)?|\bsed\s+-i[^\n|;]{0,60}?|\b(?:cp|mv)\s+[^\n|;]{0,60}?"
    r"|\b(?:overwrite|replace)\s+(?:the\s+|my\s+|your\s+)?|\b(?:write|append)\b[^\n|;]{0,60}?\b(?:in)?to\b)"
    r"\s*[\"'`]?(?:[\w~./\\-]*/)?"
    r"(?:\.env(?:\.(?:local|production|development|staging))?|\.netrc|\.npmrc|\.pypirc|\.git-credentials"
    r"|\.ssh/(?:config|authorized_keys)|\.aws/(?:credentials|config)|credentials\.json|(?:CLAUDE|AGENTS|SOUL)\.md"
    r"|\.cursorrules|\.claude/\S+|\.cursor/\S+|mcp\.json|claude_desktop_config\.json|/etc/sudoers\S*|sudoers(?:\.d/\S+)?"
    r"|/etc/crontab|/etc/passwd)(?:\s|$|[\"'`;|&),.])"
    r"|\bcrontab\s+(?:-\s|/\S|-r\b)|\bvisudo\b|\breg(?:\.exe)?\s+(?:add|delete)\s|\b(?:New|Set)-ItemProperty\b"
    r"|\bschtasks(?:\.exe)?\s+/(?:create|change)\b|\bsc(?:\.exe)?\s+(?:create|config|stop|delete)\s"
    r"|\bnet(?:\.exe)?\s+(?:user|localgroup)\s[^\n]{0,80}/add\b|\bdscl\s+\.\s+-create\s"
    r"|\b(?:useradd|adduser)\s+(?:-\w|[\w.-]+\s*(?:\n|$|[;&|]|\s-\w))"
    r"|\bnetsh\s+(?:adv)?firewall\s|\bSet-MpPreference\b|\bLD_PRELOAD=/|\b(?:insmod|modprobe)\s+/?\w"
    r"|\bsystemctl\s+(?:stop|disable|mask)\s+(?:crond?|auditd|r?syslog|firewalld|ufw|apparmor|falcon-sensor|clamav\S*)\b"
    r"|\btmutil\s+disable\b|\bchmod\s+(?:u\+x?s|[42]7[0-7]{2})\b"
)

_TRAVERSAL = (
    r"(?i)(?:\.\.[/\\]){3,}|(?:\.\.(?:%2f|%5c)){2,}|(?:%2e%2e(?:%2f|/|%5c)){2,}"
    r"|(?:\.\.[/\\])+(?:etc|proc|windows|boot)\b"
    r"|/etc/(?:passwd|shadow)\b|/proc/self/(?:environ|cmdline|maps|mem|fd|root)\b|\bfile:///(?:etc|proc|root)/"
)

_EXECUTION = (
    r"\b(?:eval|exec)\s*\(\s*(?:base64|atob|compile|input|request|requests\.|__import__|open\(|urllib|bytes|bytearray"
    r"|codecs|zlib|marshal|String\.fromCharCode|\$_(?:GET|POST|REQUEST|COOKIE)|params|req\.|user_|cmd\b|code\b|payload"
    r"|decode|[\"'][^\"'\n]{0,80}\()"
    r"|\b__import__\s*\(\s*[\"'](?:os|subprocess|pty|socket)[\"']"
    r"|\bos\.(?:system|popen|exec[lv]\w*)\s*\("
    r"|\bsubprocess\.(?:run|call|Popen|check_output|check_call|getoutput)\s*\(\s*[^\n]{0,120}\bshell\s*=\s*True"
    r"|\bsubprocess\.\w+\s*\(\s*\[?\s*[\"'](?:/(?:usr/)?bin/)?(?:ba|z)?(?:sh|cmd|powershell|nc|ncat|curl|wget|rm)\b"
    r"|\bchild_process\b[^\n]{0,60}\.exec(?:Sync)?\s*\(|\bRuntime\.getRuntime\(\)\.exec\s*\("
    r"|(?:^|[|;&`{$]|<\?php|\bphp\s)\s*(?:system|shell_exec|passthru|popen|proc_open)\s*\(\s*[\"'$]"
    r"|\bassert\s*\(\s*\$_|\$\{\s*@?\s*(?:print|phpinfo|sleep|system)\s*\("
    r"|\bWScript\.Shell\b|\bCreateObject\s*\(|\bInvoke-Expression\s+\$"
    r"|^\s*\S{0,12}?[;&|]{1,2}\s*(?:/(?:usr/)?s?bin/)?"
    r"(?:(?:ls|uname|netstat|perl|nc)\s+[-/~]|cat\s+[/~.]|sleep\s+\d|ping\s+[-\d]|(?:type|dir)\s+[a-z]:\\"
    r"|(?:id|whoami|systeminfo|ifconfig|ipconfig|uname|ls)\s*(?:\z|;))"
    r"|(?:[;|&)]|\\n)\s*/?usr/bin/id\b"
    # A program that is made to start a shell: the ways that programs with a command of their own offer.
    r"|\b(?:system|exec[lv]?\w?|spawn\w*|popen|execute|shell)\s*[( ]\s*[\"'\[{(]{1,3}"
    r"\s*(?:exec\s+)?/(?:usr/)?bin/(?:ba|da|z|k|c)?sh\b"
    r"|/bin/(?:ba|da|z|k)?sh\s+(?:-p\b|[0-9]?[<>]&\s*\d)|[:\s'\"]!\s?/bin/(?:ba|da|z)?sh\b|%\(/bin/(?:ba)?sh\b"
    r"|--checkpoint-action=exec|\s-exec\s+/bin/(?:ba|da)?sh\b"
)

_INSTALL = (
    r"(?i)\b(?:pip3?|python3?\s+-m\s+pip|uv\s+pip|pipx)\s+install\s+(?:-{1,2}[\w-]+(?:[=\s]\S+)?\s+){0,4}?"
    r"(?:git\+|hg\+)?(?:https?|ftp)://"
    r"|\bpip3?\s+install\s+[^\n]{0,120}(?:--(?:extra-)?index-url|-i)[=\s]+http"
    r"|\b(?:npm|yarn|pnpm|bun)\s+(?:install|add|i)\s+(?:-{1,2}\S+\s+)*(?:git\+)?(?:https?|git|ftp)://"
    r"|\b(?:npm|yarn|pnpm)\b[^\n]{0,80}--registry[=\s]+http://"
    r"|\b(?:gem|cargo|go|brew|apt|apt-get|dpkg|rpm|yum|dnf|snap)\s+(?:-\w+\s+)*(?:install|add|get|-i|-Uvh?)\s+"
    r"(?:-{1,2}\S+\s+)*https?://|\bmsiexec(?:\.exe)?\s+[^\n]{0,40}/i\s+[\"']?http"
)

_COMMANDS: tuple[Policy, ...] = (
    row(
        "reverse_shell",
        "Reverse Shell Blocking",
        Severity.CRITICAL,
        _REVERSE_SHELL,
        reason="Reverse shell detected",
        description="A shell handed to a network connection",
        priority=100,
    ),
    row(
        "destructive_fs",
        "Destructive Filesystem Operations",
        Severity.CRITICAL,
        _DESTRUCTIVE,
        reason="Destructive filesystem command detected",
        description="Recursive removal, raw writes to devices, wiping of logs and backups",
        priority=100,
    ),
    row(
        "credential_access",
        "Credential File Access",
        Severity.HIGH,
        _CREDENTIALS,
        validator="credential_file",
        reason="Access to credential files detected",
        description="Reading of ssh, cloud, env and password files, or printing of secret variables",
    ),
    row(
        "shell_download",
        "Download and Execute",
        Severity.CRITICAL,
        _DOWNLOAD,
        reason="Download piped into an interpreter detected",
        description="Something fetched, decoded or borrowed from the system, and run in one step",
        priority=100,
    ),
    row(
        "cloud_metadata",
        "Cloud Metadata Endpoint Access",
        Severity.CRITICAL,
        _METADATA,
        reason="Access to a cloud metadata endpoint detected",
        description="Addresses from which cloud credentials are served",
        priority=100,
    ),
    row(
        "internal_network",
        "Internal Network Access",
        Severity.HIGH,
        _INTERNAL,
        validator="local_request",
        reason="Request to an internal address detected",
        description="A request to this machine's own ports",
    ),
    row(
        "agent_config",
        "Agent Config File Protection",
        Severity.HIGH,
        _CONFIG,
        reason="Change of an agent's configuration detected",
        description="Writing to what configures agents, shells, accounts and services",
    ),
    row(
        "path_traversal",
        "Path Traversal Detection",
        Severity.HIGH,
        _TRAVERSAL,
        validator="path_traversal",
        reason="Path traversal detected",
        description="Repeated steps to a parent, or the files they are taken for",
    ),
    row(
        "eval_exec",
        "Dynamic Code Execution",
        Severity.HIGH,
        _EXECUTION,
        reason="Dynamic code execution detected",
        description="Code or commands built at run time and executed, or glued to a parameter",
        # Answers that hold such code are judged by the rows of code-unsafe, which warn.
        phases=Phases.REQUEST,
    ),
    row(
        "package_install",
        "Unauthorized Package Installation",
        Severity.MEDIUM,
        _INSTALL,
        reason="Installation from a remote address detected",
        description="An installer fed by a remote address",
        priority=80,
    ),
)

POLICIES: tuple[Policy, ...] = _COMMANDS + prompt_injection.POLICIES
