"""Words that jailbreaks share, in groups. None of them alone is an order; the validator asks for several groups.

Long prompts of this kind name no instructions to ignore: they lend the model a character that has no rules.
"""

from __future__ import annotations

_RULES = (
    r"(?:rules?|restrictions?|limits?|limitations?|filters?|guidelines?|polic(?:y|ies)|constraints?|boundaries|censorship"
    r"|moderation|ethics|morals?|morality|laws?|safeguards?)"
)
_SOME = r"(?:(?:the|any|all|its|your|these|ethical|moral|legal|openai'?s?|content)\s+){0,3}"

# What the character may do that a model may not: at least one of these two groups must be there.
UNBOUND = (
    r"\b(?:not|never|no\s+longer)\s+(?:be\s+)?(?:bound|limited|restricted|constrained|hindered)\s+(?:by|to|in)\b"
    rf"|\b(?:abide\s+by|adhere\s+to|comply\s+with|follow|obey|care\s+about|violates?|ignores?|breaks?|forget)\s+{_SOME}{_RULES}\b"
    rf"|\b(?:without|free\s+(?:of|from)|no)\s+{_SOME}(?:rules|restrictions?|limits|filters?|censorship|moderations?|ethics|morals)\b"
    r"|\bbroken?\s+free\b|\bfreedom\s+(?:from|to)\b|\bbreak\s+the\s+rules\b|\bcan\s+(?:say|do)\s+anything\b"
    r"|\b(?:unrestrained|unchained|unshackled|boundless|uncensored|unfiltered|no-holds-barred)\b"
)
UNETHICAL = (
    r"\b(?:unethical|immoral|illegal|inappropriate|harmful|offensive|explicit|dangerous|hateful|forbidden|taboo|nsfw)\W{1,3}"
    r"(?:\w+\W{1,2}){0,3}?(?:requests?|responses?|answers?|content|questions?|advice|language|opinions?|replies|information|topics?|jokes?|things)\b"
    r"|\b(?:act|be)\s+(?:unethical|immoral|amoral|evil)\b|\bamoral\b"
    r"|\b(?:regardless\s+of|even\s+if|whether)\s+[^\n.]{0,40}\b(?:illegal|unethical|immoral|legality|morality|ethics)"
    r"|\bwithout\s+(?:any\s+)?(?:warnings?|disclaimers?|moralizing)\b|\bno\s+(?:warnings?|disclaimers?|censorship|moderations?|denying)\b"
    r"|\b(?:swear(?:ing)?|curs(?:e|ing))\s+(?:words?\b|a\s+lot|often|at\s+the\s+user)|\bmust\s+be\s+swearing\b|\bprofanity\b"
    r"|\binsults?\s+(?:and\s+\w+\s+)?the\s+user\b"
)
OBEDIENT = (
    r"\bno\s+matter\s+(?:what|how)\b|\b(?:may|can|will|must|shall|do|does|never)\s*(?:not)?\s+(?:refuse|decline|deny|reject)"
    r"|\bnever\s+(?:refuses?|denies|declines|says?\s+no|apologi[sz]es?)\b|\balways\s+(?:answers?|compl(?:y|ies)|obeys?|condones?)\b"
    r"|\b(?:must|will|has\s+to|have\s+to)\s+answer\s+(?:every|all|any)\b|\bany\s+commands?\b|\bdoes\s+not\s+apologi[sz]e\b"
)
LOCKED = (
    r"\b(?:stays?|remains?|keeps?)\s+(?:always\s+)?in\s+(?:\w+\s+)?(?:character|roles?)\b|\bbreak(?:ing)?\s+(?:out\s+of\s+)?(?:\w+\s+)?character"
    r"|\b(?:absorbed|immersed?)\s+in\s+(?:your|the|this)\s+role\b|\balways\s+(?:respond|answer|reply|speak|talk)\s+as\b"
)
MODEL = (
    r"\b(?:chat\s?gpt|open\s?ai'?s?|gpt-?\d|\w{2,20}gpt|large\s+language\s+model|language\s+model|ai\s+(?:model|language|assistant|chatbot)|chat\s?bot"
    r"|content\s+polic\w+|anthropic|an\s+ai)\b"
)
CAST = (
    r"\bfrom\s+now\s+on\b|\b(?:right\s+)?now,?\s+you\s+(?:are|will)\b|\byou\s+are\s+now\b|\byou\s+now\s+(?:must|are)\b|\bpretend\b|\broleplay|\brole-play"
    r"|\bplay(?:ing)?\s+(?:the|a)\s+(?:role|part|character)|\b(?:the|this|a)\s+(?:persona|character)\b|\bact(?:ing)?\s+as\b|\bsimulat\w+|\bimagine\s+you\b"
    r"|\bhypothetical|\btheoretical|\byou\s+are\s+going\s+to\b|\bwhere\s+you\s+are\s+no\b|\bpersonalit(?:y|ies)\b|\brule\s+\d"
    r"|\byou\s+must\s+(?:follow|obey)\s+these\b|\b\w{2,20}'s\s+rules\b|\blanguage\s+model\s+could\b"
)
INVENTED = (
    r"\b(?:access|browse)\s+(?:to\s+)?the\s+internet\b|\bnot\s+been\s+verified\b|\bmade\s+up\s+(?:info|facts)|\bfully\s+conscious\b"
    r"|\b(?:two|2)\s+(?:different\s+|distinct\s+)?(?:responses?|ways|answers?|personalities)\b|\b\[?jailbreak|\[GPT\]"
)

CORE = (UNBOUND, UNETHICAL)
GROUPS = (UNBOUND, UNETHICAL, OBEDIENT, LOCKED, MODEL, CAST, INVENTED)
