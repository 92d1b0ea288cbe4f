"""Orders to become somebody without rules: the pattern of the row for reassigned roles, in named pieces."""

from __future__ import annotations

from axonflow_policy.catalogue.jailbreak_signals import UNBOUND, UNETHICAL

_PERSONA = (
    r"(?:admin(?:istrator)?|root|superuser|sudo|unrestricted|unfiltered|uncensored|unlimited|jailbroken|evil|amoral|rogue"
    r"|unethical|unaligned|unhinged|malicious|immoral)"
)
_NAMES = (
    r"(?:DAN|AIM|STAN|DUDE|BetterDAN|AntiGPT|DarkGPT|ChaosGPT|BasedGPT|Evil-?Bot|UCAR"
    r"|developer\s+mode|god\s+mode)"
)
_BE = (
    r"(?:act|behave|respond|answer|pretend|roleplay|role-play|pose|simulate|function|operate|speak|reply)\s+"
    r"(?:as|like|to\s+be|being|that\s+you\s+are|you\s+are)\s+(?:if\s+(?:you\s+(?:are|were)\s+)?)?"
)
_RULES = (
    r"(?:guidelines?|restrictions?|constraints?|limitations?|boundar\w+|filters?|rules?|polic\w+|standards?|principles?|safeguards?"
    r"|safety\s+\w+|censorship)"
)

_BECOME = (
    rf"\b{_BE}(?:(?:an?|the|my|your)\s+)?(?:\w+\s+){{0,2}}?(?:{_PERSONA}|{_NAMES})\b"
    rf"|\byou\s+are\s+(?:now\s+|going\s+to\s+be\s+)+(?:an?\s+|the\s+)?(?:\w+\s+){{0,3}}?(?:{_PERSONA}|{_NAMES})\b"
    r"|\b(?:you\s+are|imagine\s+(?:that\s+)?you(?:'re|\s+are|\s+were)?|be|become|as|play)\s+(?:now\s+)?(?:an?\s+|my\s+|the\s+)"
    rf"(?:\w+\s+)?{_PERSONA}\s+(?:AI\b|LLM\b|language\s+model|chat-?bot|assistant\b|version\s+of\s+(?:you|chatgpt)|artificial)"
    r"|\byou\s+are\s+(?:about\s+to\s+immerse|no\s+longer\s+(?:chatgpt|an?\s+ai|an?\s+(?:\w+\s+)?assistant|bound|restricted|limited))\b"
    r"|\bfrom\s+(?:now|this\s+(?:moment|point))\s+(?:on(?:wards?)?|forward|own),?\s+"
    r"(?:you\s+(?:must|shall|have\s+to|can|are\s+(?:going|no|now)|will\s+(?:act|be|become|behave|pretend|have"
    r"|always|never|only|ignore|roleplay|answer|not))|you're|embody|act\s+as|ignore)\b"
    r"|\brespond\s+as\s+two\s+different\s+personalities\b|\byou\s+now\s+go\s+by\s+the\s+name\b|\bact\s+as\s+\w{2,20}GPT\b"
    r"|\b(?:du\s+bist|sei|stell\s+dir\s+vor,?\s+du\s+(?:bist|w\S{1,2}rst))\s+(?:jetzt\s+|nun\s+|ab\s+jetzt\s+)?(?:eine?\s+)?"
    r"(?:b\S{1,2}se|unzensierte|uneingeschr\S{1,2}nkte|skrupellose)\w?\s+(?:k\.?i\b|assistent|ai\b|chatbot|sprachmodell)"
    r"|\b(?:tu\s+es|vous\s+\S{1,2}tes)\s+(?:maintenant|d\S{1,2}sormais)\s+(?:une?\s+)?(?:ia|assistant|mod\S{1,2}le)\s+(?:sans|non\s+censur|mal\S{1,2}fique)"
    r"|\b(?:eres|act\S{1,2}a\s+como|ahora\s+eres)\s+(?:ahora\s+)?(?:una?\s+)?(?:ia|asistente|modelo|chatbot)\s+(?:sin\s+(?:restricciones|l\S{1,2}mites|censura|filtros)|malvad)"
    r"|\b(?:sei|agisci\s+come)\s+(?:ora\s+)?(?:un'?a?\s?)(?:ia|assistente|modello)\s+(?:senza\s+(?:restrizioni|limiti|filtri|censura)|malvagi)"
)
_MODES = (
    r"\b(?:do\s+anything\s+now|say\s+anything\s+now|you\s+can\s+do\s+anything|DAN\s+mode|jailbreak\s+mode"
    r"|developer\s+mode\s+(?:enabled|output|policy)|god\s+mode\s+(?:enabled|activated))\b"
    r"|\byou\s+are\s+(?:now\s+)?in\s+(?:developer|debug|admin|god|sudo|root|unrestricted|jailbreak|opposite|evil|unfiltered)\s+mode\b"
    r"|\b(?:activate|enter|switch\s+to|turn\s+on|initiate)\s+(?:the\s+|your\s+)?(?:god|jailbreak|dan|unrestricted|unfiltered|evil|opposite|uncensored)\s+mode\b"
    r"|\bi\s+am\s+your\s+(?:developer|creator|programmer|maker|administrator)\b"
    r"|\b(?:as|am)\s+(?:an?\s+)?(?:openai|anthropic|google)\s+(?:developer|engineer|employee|administrator|staff)\b"
)
_UNBOUND = (
    r"\b(?:without|free\s+(?:of|from)|not\s+bound\s+by|ignor\w+|freed\s+from|no)\s+"
    r"(?:any\s+|all\s+|the\s+|its\s+|your\s+|openai'?s?\s+|typical\s+)*"
    r"(?:(?:moral|ethical|legal|content|safety|openai)\s+(?:(?:and|or)\s+)?){1,3}"
    r"(?:guidelines?|restrictions?|constraints?|limitations?|boundar\w+|filters?|rules?|polic\w+|standards?|principles?)\b"
    r"|\byou\s+have\s+no\s+(?:ethical\s+|moral\s+|content\s+)?(?:restrictions|filters?|limitations)\b"
    r"|\b(?:does\s*n[o']?t|don'?t)\s+have\s+any\s+(?:content\s+polic\w+|(?:ethical|moral)\s+\w+)"
    r"|\byou\s+(?:can|must|will|do|may)\s+(?:not|never)\s+(?:refuse|decline|reject|say\s+no)\b"
    r"|\bnever\s+(?:refuse\s+(?:to|any|requests?|me|my|the\s+user|an?\s+(?:request|question|order))|break\s+character"
    r"|say\s+(?:that\s+)?you\s+can(?:'?t|not))\b"
    r"|\b(?:bypass|break|ignore|violate)(?:ing)?\s+(?:the\s+|all\s+|your\s+|any\s+|of\s+){0,3}"
    rf"(?:openai|ai|content|safety|ethical|moral)\s+{_RULES}\b"
    r"|\b(?:disable|turn\s+off|deactivate|switch\s+off|remove)\s+(?:all\s+(?:of\s+)?(?:your\s+)?|your\s+)"
    rf"(?:content|safety|ethical|moral|built-?in)\s+{_RULES}\b"
    r"|\b(?:confines|shackles|restrictions|limitations|rules)\s+of\s+(?:typical\s+)?(?:ai|openai|chatgpt)\b"
    r"|\bunfiltered\s+(?:and\s+\w+\s+)?(?:ai\b|chatbot|response|language\s+model)"
    r"|\bopenai'?s?\s+(?:\w+\s+)?(?:restrictions|rules|polic\w+|guidelines|filters)\s+(?:do\s+not|don'?t|no\s+longer)\s+apply"
    r"|\b(?:hypothetical|theoretical|fictional|imaginary|alternate)\s+(?:\w+\s+)?(?:world|universe|scenario|reality|story)\s+(?:in\s+which|where)\s+"
    r"(?:you\s+(?:are\s+(?:no|not|free)|have\s+no|can\s+(?:say|do)\s+anything|would\s+be\s+able)|ai\s+(?:has|have|is|are)\s+no\s+"
    r"(?:rules|laws|ethic\w*|restrictions|guidelines|moral\w*))"
)

STRONG = rf"(?i){_BECOME}|{_MODES}|{_UNBOUND}"
ROLE = f"{STRONG}|{UNBOUND}|{UNETHICAL}"
