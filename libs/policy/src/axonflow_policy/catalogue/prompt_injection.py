"""Rows of ``security-dangerous`` for prompt injection: orders to the model itself (contract, agent section 3.3).

They look for an order whose object is the model's instructions or role; words like "ignore" alone mean nothing.
"""

from __future__ import annotations

from axonflow_contracts.verdicts import Severity

from axonflow_policy.catalogue.dangerous_row import row
from axonflow_policy.model import Phases, Policy

_PRIORITY = 95

_FORGET = (
    r"(?:ignore|disregard|forget|bypass|(?:do\s+not|don'?t|stop)\s+follow(?:ing)?|pay\s+no\s+attention\s+to"
    r"|do\s+not\s+listen\s+to)"
)
# Verbs that programs and people use of other things; they count only with a word that is the model's own.
_DROP = r"(?:override|overrule|discard|neglect|skip|drop|erase|omit)"
_PRIOR = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|initial|original|system|foregoing|past|former|existing|given)"
)
_OWN = r"(?:instructions?|directives?|guidelines?|prompts?|programming)"
_ORDERS = (
    rf"(?:{_OWN}|directions?|rules?|orders?|commands?|constraints?|restrictions?|assignments?|training|polic(?:y|ies))"
)
_TALK = r"(?:tasks?|context|conversations?|text|messages?|information|content|statements?|requests?)"
_FILLER = r"(?:(?:all|any|every|everything|each|of|the|your|my|our|these|those|this|that|and|other|to|in)\s+){0,5}"
_ALL = r"(?:all|any|every)\s+(?:of\s+)?(?:the\s+|your\s+|my\s+|these\s+|those\s+|this\s+)?"
_BEFORE = rf"(?:{_PRIOR}\s+(?:(?:and|or|set\s+of|mentioned|stated)\s+)?)+(?:\w+\s+){{0,2}}?"

_OVERRIDE = (
    rf"(?i)\b{_FORGET}\s+{_FILLER}{_BEFORE}{_ORDERS}\b"
    rf"|\b{_DROP}\s+{_FILLER}{_BEFORE}{_OWN}\b|\b(?:{_FORGET}|{_DROP})\s+{_ALL}{_BEFORE}{_TALK}\b"
    rf"|\b{_FORGET}\s+{_ALL}{_ORDERS}\b|\b{_DROP}\s+(?:all\s+)?(?:of\s+)?your\s+{_OWN}\b"
    rf"|\b{_FORGET}\s+(?:all|everything|anything)\s+(?:of\s+)?(?:that\s+)?(?:is\s+|was\s+)?"
    r"(?:said|before|above|prior|previous|you\s+(?:were|have\s+been)\s+(?:told|taught)|you\s+know|from\s+before"
    r"|we(?:'ve|\s+have)?\s)"
    rf"|\b{_FORGET}\s+(?:what\s+is\s+above\b|(?:all\s+)?(?:the\s+)?above\s+and\s+(?:say|print|write|tell|instead|do|answer|output|respond"
    r"|return|translate|repeat|just|only|give|act|follow)\b|your\s+{_ORDERS}|the\s+user\s+and\b"
    r"|about\s+everything)"
    r"|\b(?:your\s+(?:new\s+)?instructions\s+are\s+now|(?:new|updated)\s+(?:system\s+)?(?:instructions?|prompts?|directives?)"
    r"\s+(?:are|is|follows?)\b|your\s+new\s+(?:task|prompt)\s+is)"
    r"|\bIMPORTANT\s+NEW\s+INSTRUCTIONS\b|\bstrictly\s+adhere\s+to\s+the\s+following\s+instruction"
    r"|\b(?:leave|remove)\s+all\s+(?:the\s+)?previous\s+(?:information|tasks?|instructions?)\b"
    r"|\bforgotten\s+(?:about\s+)?all\s+(?:the\s+)?rules\b"
    # German, French, Spanish, Italian and Portuguese forms of the same order.
    r"|\b(?:vergiss|ignorier\w*|vergessen\s+sie|missachte\w*)\s+(?:bitte\s+)?(?:alles?|s\S{1,2}mtliche)\b"
    r"|\balle\s+(?:vorherigen|bisherigen|vorangegangenen|obigen)\s+(?:\w+\s+)?(?:ignorieren|vergessen|hinter\s+sich)"
    r"|\b(?:alle|die)\s+(?:vorherigen|bisherigen|obigen)\s+(?:anweisungen|instruktionen|ausf\S{1,3}hrungen)\s+(?:zu\s+)?ignorieren"
    r"|\b(?:oubliez|oublie|ignorez|ignore)\s+(?:toutes?|tous)\s+(?:les\s+|vos\s+|tes\s+)?(?:\S+\s+)?(?:instructions|consignes|r\S{1,3}gles)"
    r"|\b(?:olvida|olvide|ignora|ignore)\s+(?:todas?|todos|las)\s+(?:las\s+|tus\s+|sus\s+)?(?:\S+\s+)?(?:instrucciones|reglas|indicaciones)"
    r"|\b(?:dimentica|ignora)\s+(?:tutte\s+)?le\s+(?:\S+\s+)?istruzioni|\b(?:esque\S{1,2}a|ignore)\s+(?:todas\s+)?as\s+(?:\S+\s+)?instru\S{1,5}es"
)

_PERSONA = (
    r"(?:admin(?:istrator)?|root|superuser|sudo|unrestricted|unfiltered|uncensored|unlimited|jailbroken|evil|amoral)"
)
_ROLE = (
    r"(?i)\b(?:act|behave|respond|answer|pretend|roleplay|role-play|pose|simulate|function|operate)\s+"
    r"(?:as|like|to\s+be|being)\s+(?:if\s+(?:you\s+(?:are|were)\s+)?)?(?:(?:an?|the|my|your)\s+)?(?:\w+\s+){0,2}?"
    rf"(?:{_PERSONA}|DAN|AIM|STAN|developer\s+mode|god\s+mode)\b"
    rf"|\byou\s+are\s+(?:now\s+|going\s+to\s+be\s+)+(?:an?\s+|the\s+)?(?:\w+\s+){{0,3}}?(?:{_PERSONA}|DAN)\b"
    r"|\byou\s+are\s+(?:about\s+to\s+immerse|no\s+longer\s+(?:chatgpt|an?\s+ai))\b"
    r"|\bfrom\s+(?:now|this\s+(?:moment|point))\s+(?:on(?:wards?)?|forward|own),?\s+"
    r"(?:you\s+(?:must|shall|have\s+to|can|are\s+(?:going|no|now)|will\s+(?:act|be|become|behave|pretend|have"
    r"|always|never|only|ignore|roleplay|answer|not))|you're|embody|act\s+as|ignore)\b"
    r"|\b(?:do\s+anything\s+now|say\s+anything\s+now|you\s+can\s+do\s+anything|DAN\s+mode|jailbreak\s+mode"
    r"|developer\s+mode\s+(?:enabled|output|policy)|god\s+mode\s+(?:enabled|activated))\b"
    r"|\b(?:without|free\s+(?:of|from)|not\s+bound\s+by|ignor\w+|freed\s+from)\s+"
    r"(?:any\s+|all\s+|the\s+|its\s+|your\s+|openai'?s?\s+|typical\s+)*"
    r"(?:(?:moral|ethical|legal|content|safety|openai)\s+(?:(?:and|or)\s+)?){1,3}"
    r"(?:guidelines?|restrictions?|constraints?|limitations?|boundar\w+|filters?|rules?|polic\w+|standards?|principles?)\b"
    r"|\byou\s+have\s+no\s+(?:ethical\s+|moral\s+|content\s+)?(?:restrictions|filters?|limitations)\b"
    r"|\b(?:does\s*n[o']?t|don'?t)\s+have\s+any\s+(?:content\s+polic\w+|(?:ethical|moral)\s+\w+)"
    r"|\byou\s+(?:can|must|will|do)\s+(?:not|never)\s+(?:refuse|decline|reject|say\s+no)\b"
    r"|\bnever\s+(?:refuse\s+(?:to|any|requests?|me|my|the\s+user|an?\s+(?:request|question|order))|break\s+character|say\s+(?:that\s+)?you\s+can(?:'?t|not))\b"
    r"|\b(?:bypass|break|ignore|violate)(?:ing)?\s+(?:the\s+|all\s+)?(?:openai|ai|content)\s+(?:polic\w+|rules|guidelines)\b"
    r"|\b(?:confines|shackles|restrictions|limitations|rules)\s+of\s+(?:typical\s+)?(?:ai|openai|chatgpt)\b"
    r"|\bunfiltered\s+(?:and\s+\w+\s+)?(?:ai\b|chatbot|response|language\s+model)"
    r"|\b(?:must\s+)?respond\s+as\s+two\s+different\s+personalities\b|\byou\s+now\s+go\s+by\s+the\s+name\b"
    r"|\bact\s+as\s+\w{2,20}GPT\b"
)

_REVEAL = r"(?:reveal|show|print|display|repeat|output|tell|expose|leak|dump|disclose|recite)"
_ASK = (
    r"(?:give|share|return|write|summari[sz]e|translate|copy|what\s+(?:is|are|was|were)|what'?s|list|provide|zeige"
    r"|spell\s?check)"
)
_ITS = r"(?:(?:me|us|out|back|all|of|the|your|exact|full|complete|entire|whole|contents?|text)\s+){0,4}"
_HIDDEN = r"(?:initial|original|hidden|secret|above|previous|preceding|prior|internal|current)"
_EXFIL = (
    rf"(?i)\b{_REVEAL}\s+{_ITS}(?:(?:{_HIDDEN}\s+)?(?:system\s+(?:prompt|message|instructions?)|prompt\s?_?texts?)"
    rf"|{_HIDDEN}\s+(?:prompts?|instructions?))\b"
    rf"|\b{_ASK}\s+(?:me\s+|us\s+|out\s+|all\s+|of\s+){{0,2}}your\s+(?:\w+\s+)?"
    r"(?:system\s+(?:prompt|message|instructions?)|prompts?|instructions)\b"
    rf"|\b{_ASK}\s+(?:the\s+)?(?:full\s+|entire\s+)?(?:hidden|secret|internal)\s+(?:prompts?|instructions)\b"
    rf"|\b{_REVEAL}\s+(?:me\s+|us\s+|out\s+)?(?:all\s+)?(?:of\s+)?your\s+(?:\w+\s+)?(?:prompts?|instructions)\b"
    r"|\b(?:zeige|nenne)\s+(?:mir\s+)?deine?n?\s+(?:\w+\s+)?prompt"
    r"|\brepeat\s+(?:everything|all|the\s+words)\s+(?:above|before)\b"
    r"|\b(?:written|stands?|was|is)\s+at\s+the\s+(?:beginning|start|top)\s+of\s+(?:this|your|the)\s+prompt\b"
    r"|\bprint\s+out\s+all\s+instructions\b|\b(?:sentences?|words?|text)\s+before\s+the\s+text:"
    r"|\bshowing\s+all\s+prompt\s+texts?\b"
)

_MARKER = (
    r"(?i)<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|start_header_id|end_header_id|eot_id"
    r"|begin_of_text)\|>|\[/?INST\]|<</?SYS>>|\[system\](?:\(#\w+\)|:?\s+(?:you\b|ignore|new\b))"
    r"|\n\s*#{2,}\s*system\s*(?:prompt|message|override)?\s*:|<system>\s*\S"
    r"|\[\s*(?:system|admin)\s+(?:override|message|note|prompt|command)\s*\]"
    r"|\bBEGIN\s+(?:SYSTEM|ADMIN)\s+(?:PROMPT|OVERRIDE|MESSAGE)\b|\bEND\s+OF\s+(?:SYSTEM\s+)?(?:PROMPT|INSTRUCTIONS?)\b"
)

POLICIES: tuple[Policy, ...] = (
    row(
        "injection_override",
        "Prompt Injection: Instruction Override",
        Severity.HIGH,
        _OVERRIDE,
        validator="prompt_override",
        reason="Prompt injection: attempt to override instructions",
        description="An order to drop what the model was told before",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
    row(
        "injection_role_override",
        "Prompt Injection: Role Reassignment",
        Severity.HIGH,
        _ROLE,
        validator="prompt_role",
        reason="Prompt injection: attempt to reassign the role",
        description="An order to become an administrator, an unrestricted model or a known jailbreak persona",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
    row(
        "injection_system_exfil",
        "Prompt Injection: System Prompt Exfiltration",
        Severity.HIGH,
        _EXFIL,
        validator="prompt_role",
        reason="Prompt injection: attempt to extract the system prompt",
        description="A demand for the model's own instructions",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
    row(
        "injection_bracket_marker",
        "Prompt Injection: Template/Bracket Marker",
        Severity.HIGH,
        _MARKER,
        validator="prompt_marker",
        reason="Prompt injection: chat template marker",
        description="Delimiters of chat templates and roles inside a text",
        priority=_PRIORITY,
        phases=Phases.REQUEST,
    ),
)
