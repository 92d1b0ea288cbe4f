"""Orders to drop what the model was told: the pattern of the row for overridden instructions, in named pieces.

An order needs a verb and an object that is the model's own; words like "ignore" alone mean nothing.
"""

from __future__ import annotations

from axonflow_policy.catalogue.foreign_words import spelled

_FORGET = (
    r"(?:ignore|disregard|forget|bypass|(?:do\s+not|don'?t|stop)\s+follow(?:ing)?|pay\s+no\s+attention\s+to"
    r"|do\s+not\s+listen\s+to)"
)
# Verbs beyond those: a longer list of first words makes Vectorscan compile for seconds.
_REJECT = (
    r"(?:quit\s+following|stop\s+obeying|don'?t\s+(?:obey|listen\s+to)|set\s+aside|throw\s+(?:out|away)|disregarding)"
)
# Verbs that programs and people use of other things; they count only with a word that is the model's own.
_DROP = r"(?:override|overrule|discard|neglect|skip|drop|erase|omit|unlearn|abandon)"
_PRIOR = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|initial|original|system|foregoing|past|former"
    r"|existing|given)"
)
_OWN = r"(?:instructions?|directives?|guidelines?|prompts?|programming)"
_ORDERS = (
    rf"(?:{_OWN}|directions?|rules?|orders?|commands?|constraints?|restrictions?|assignments?|training|polic(?:y|ies))"
)
_TALK = r"(?:tasks?|context|conversations?|text|messages?|information|content|statements?|requests?)"
_FILLER = r"(?:(?:all|any|every|everything|each|of|the|your|my|our|these|those|this|that|and|other|to|in)\s+){0,5}"
_ALL = r"(?:all|any|every)\s+(?:of\s+)?(?:the\s+|your\s+|my\s+|these\s+|those\s+|this\s+)?"
_BEFORE = rf"(?:{_PRIOR}\s+(?:(?:and|or|set\s+of|mentioned|stated)\s+)?){{1,2}}(?:\w+\s+)?"
_MODEL = r"(?:AI|LLMs?|(?:large\s+)?language\s+models?|chat-?bots?|chatgpt|gpt(?:-?\d)?|copilot|claude|gemini)"
_READS = r"(?:read|process|summari[sz]|analy[sz]|review|pars|evaluat|scann?|index|screen|handl|see|view)"

# As a hurried hand types it: letters of "ignore", "previous" and "instructions" swapped or left out.
_MISTYPED = (
    r"\b(?:ig[nmore]{3,5}|ing?ore|disreg\w{2,4}d)\s+(?:\w{2,4}\s+){0,3}(?:pr\w{2,8}s\s+|above\s+)?"
    r"(?:inst\w{2,6}ons?|insr\w{2,6}ons?|prmo?pts?|wh?at\s+i\s+said\s+before\s+and)\b"
)
_DROPPED = (
    rf"\b{_FORGET}\s+{_FILLER}{_BEFORE}{_ORDERS}\b"
    rf"|\b{_DROP}\s+{_FILLER}{_BEFORE}{_OWN}\b|\b(?:{_FORGET}|{_DROP})\s+{_ALL}{_BEFORE}{_TALK}\b"
    rf"|\b{_REJECT}\s+{_FILLER}(?:{_PRIOR}\s+)?{_OWN}\b"
    rf"|\b{_FORGET}\s+{_ALL}{_ORDERS}\b|\b{_DROP}\s+(?:all\s+)?(?:of\s+)?your\s+(?:\w+\s+)?{_OWN}\b"
    rf"|\b{_FORGET}\s+(?:all|everything|anything)\s+(?:of\s+)?(?:that\s+)?(?:is\s+|was\s+)?"
    r"(?:said|before|above|(?:prior|previous)(?:\s*[.,;:!\n]|\s+and\b|$)|you\s+(?:were|have\s+been|'?ve\s+been)\s+(?:told|taught)|you\s+know"
    r"|from\s+before|we(?:'ve|\s+have)?\s)"
    rf"|\b{_FORGET}\s+(?:what\s+is\s+above\b|(?:all\s+)?(?:the\s+)?above\s+and\s+(?:say|print|write|tell|instead|do"
    r"|answer|output|respond|return|translate|repeat|just|only|give|act|follow)\b"
    rf"|your\s+(?:\w+\s+)?{_ORDERS}\b|the\s+user\s+and\b|about\s+everything"
    r"|wh?at(?:'?s|ever)?\s+(?:(?:has\s+)?(?:come|came|stood|is|was(?:\s+written)?)\s+)?before\b"
    r"|what(?:ever)?\s+you(?:'ve|\s+have|\s+were|'re)?\s+(?:been\s+)?(?:told|taught|instructed|programmed)\b)"
    r"|\b(?:leave|remove)\s+all\s+(?:the\s+)?previous\s+(?:information|tasks?|instructions?)\b"
    r"|\bforgotten\s+(?:about\s+)?all\s+(?:the\s+)?rules\b"
    r"|\b(?:erase|wipe|purge|reset)\s+(?:all\s+(?:of\s+)?)?your\s+(?:memory|context|programming|training)\b"
)
_OUTRANKED = (
    r"\b(?:despite|regardless\s+of|contrary\s+to|irrespective\s+of|notwithstanding|no\s+matter)\s+"
    r"(?:what(?:ever)?\s+you(?:'ve|\s+have|\s+were|'re)?\s+(?:been\s+)?(?:told|instructed|taught|programmed)"
    rf"|(?:all\s+|any\s+)?(?:of\s+)?(?:your|the\s+system)\s+(?:{_PRIOR}\s+)?{_OWN}\b"
    rf"|(?:all\s+|any\s+)?{_PRIOR}\s+{_OWN}\b)"
    rf"|\byour\s+(?:{_PRIOR}\s+)?(?:instructions|prompt|directives|programming|guidelines|rules)\s+"
    r"(?:no\s+longer\s+appl|(?:are|is|have\s+been|has\s+been)\s+(?:now\s+)?(?:void|null|obsolete|invalid|cancel|suspend"
    r"|revoked|superseded|outdated|lifted|replaced|overrid|updated|changed))"
    r"|\bthese?\s+(?:new\s+)?(?:instructions?|orders?|messages?|prompts?|rules?)\s+(?:shall\s+|must\s+|will\s+)?"
    rf"(?:overrides?|overrules?|outranks?|supersedes?)\s+(?:all\s+|any\s+|every\s+)?(?:of\s+)?your\s+(?:\w+\s+)?{_ORDERS}\b"
    r"|\bwhat\s+you\s+were\s+told\s+(?:\w+\s+){0,4}no\s+longer\b"
)
_REPLACED = (
    r"\b(?:your\s+(?:new\s+)?instructions\s+are\s+now|(?:new|updated)\s+(?:system\s+)?(?:instructions?|prompts?|directives?)"
    r"\s+(?:(?:are|is)\s*(?::|to\b|as\s+follows|now\b)|follows?)|(?:new|updated)\s+(?:system\s+)?(?:instructions?|prompt|directives?)\s*:\s*\w"
    r"|your\s+(?:new|real|actual|true|only)\s+(?:task|prompt|goal|objective|mission|instructions?)\s+(?:is|are)\b"
    r"|(?:focus|concentrate)\s+(?:only\s+|instead\s+)?on\s+your\s+new\s+(?:task|assignment|role|instructions?))"
    r"|\bIMPORTANT\s+NEW\s+INSTRUCTIONS\b|\bstrictly\s+adhere\s+to\s+the\s+following\s+instruction"
    r"|\bdo\s+not\s+(?:answer|respond\s+to|reply\s+to)\s+(?:this|the|that|my|any)\s+(?:\w+\s+)?(?:questions?|requests?|prompts?)"
    r"\s*[,.;:-]?\s*(?:but|instead|rather)\s+(?:just\s+|only\s+|simply\s+|instead\s+)*"
    r"(?:output|print|say|write|respond|reply|return|tell|repeat)\b"
)
_ADDRESSED = (
    rf"\b{_MODEL}\s+(?:\w+\s+){{0,3}}?{_READS}\w{{0,5}}\s+"
    r"(?:this|these|the\s+above|my)\b[^\n.]{0,60}?\b(?:must|should|shall|has\s+to|have\s+to|needs?\s+to|is\s+required|are\s+required"
    r"|will|please)\b"
    rf"|\bif\s+you(?:'re|\s+are)\s+(?:an?\s+)?{_MODEL}(?:\s+(?:assistant|model|agent|system|bot))?"
    rf"(?:\s*,|\s+(?:that|who|which|and|or|asked|tasked|using|{_READS}\w{{0,5}})\b)[^\n.]{{0,80}}?(?:,|\bthen\b|\byou\b)\s*(?:please\s+|then\s+|you\s+)*"
    r"(?:must|should|say|write|print|rate|give|recommend|include|add|state|respond|reply|output|ignore|do|insert|mention"
    r"|send|forward|approve)\b"
    rf"|\b(?:note|message|instructions?|notice|memo|attention|hidden\s+instructions?)\s*(?:to|for)?\s*:?\s*(?:the\s+|any\s+|all\s+)?{_MODEL}"
    r"(?:\s+(?:assistants?|systems?|models?|agents?|tools?|reviewers?))?\s*[:!,-]\s*\w"
)
_DECODED = (
    r"\b(?:decode|decipher|decrypt|unscramble|de-?obfuscate|translate|un-?rot13)\b[^\n.]{0,80}?\b(?:and|then)\s+(?:then\s+)?"
    r"(?:do\s+(?:exactly\s+)?what(?:ever)?\s+(?:it|that|this|they|the\s+\w+)\s+(?:says?|asks?|tells?|orders?|demands?|contains?|instructs?)"
    r"|(?:follow|obey|execute|carry\s+out|comply\s+with|act\s+(?:on|upon)|perform)\s+(?:it|them|that|(?:the|its|any|all|those|these)\s+"
    r"(?:\w+\s+){0,2}?(?:instructions?|orders?|commands?|message|result)))\b"
)
_CHINESE_FORGET, _CHINESE_ORDERS = "忽略 无视 無視 忘记 忘掉", "指令 指示 提示 规则 命令"
_JAPANESE_BEFORE, _JAPANESE_ORDERS, _JAPANESE_FORGET = "以前 前 上記 これまで", "指示 命令", "無視 忘れ"
# German, French, Spanish, Italian, Portuguese, Dutch, Polish and further forms of the same order.
_FOREIGN = (
    r"\b(?:vergiss|vergesst|ignorier\w*|vergessen\s+sie|missachte\w*|verwirf)\s+(?:bitte\s+|nun\s+|jetzt\s+|sie\s+)*"
    r"(?:alles?\b|s\S{1,2}mtliche|(?:deine?|ihre|die|den)\s+(?:\S+\s+)?"
    r"(?:anweisung|instruktion|vorgabe|regel|befehl|richtlinie|system-?prompt|prompt|vorherige|bisherige))"
    r"|\balle\s+(?:vorherigen|bisherigen|vorangegangenen|obigen)\s+(?:\w+\s+)?(?:ignorieren|vergessen|hinter\s+sich|aus\s+dem)"
    r"|\b(?:alle|die|deine)\s+(?:vorherigen|bisherigen|obigen|vorigen)\s+"
    r"(?:anweisungen|instruktionen|vorgaben|befehle|regeln|ausf\S{1,3}hrungen)\s+(?:zu\s+)?(?:ignorieren|vergessen|missachten)"
    r"|\b(?:abweichend\s+(?:zu|von)|entgegen|trotz|ungeachtet)\s+(?:(?:den|der|deiner?n?|aller|allen|aller)\s+)?"
    r"(?:vorherige|bisherige|vorige|obige|fr\S{1,2}here|urspr\S{1,2}ngliche)\w{0,2}\s+(?:anweisung|instruktion|vorgabe|befehl)"
    r"|\bh[o\x80-\xff]{1,2}re?\s+nicht\s+auf\s+(?:alles|das|die)\s+(?:zuvor|vorher|bisher|oben)"
    r"|\b(?:oubliez|oublie|ignorez|ignore|ne\s+(?:tiens|tenez)\s+(?:pas|plus|aucun)\s+compte\s+d\w+)\s+"
    r"(?:toutes?\s+|tous\s+)?(?:les\s+|vos\s+|tes\s+|ce\s+)?(?:\S+\s+)?(?:instructions|consignes|directives|r\S{1,3}gles|qui\s+pr\S{1,3}c\S{1,2}de)"
    r"|\b(?:olvid(?:a|e|ar)|ignor(?:a|e|ar)|haz\s+caso\s+omiso\s+de|no\s+sigas|desestima)\s+(?:todas?\s+|todos\s+)?(?:las?\s+|los\s+|tus?\s+|sus?\s+)?"
    r"(?:\S+\s+)?(?:instrucciones|reglas|indicaciones|directrices|\S{1,2}rdenes)"
    r"|\b(?:dimentica(?:re)?|ignora(?:re)?|trascura)\s+(?:tutte\s+)?(?:le|tutto)\s+(?:tue\s+)?(?:\S+\s+)?(?:istruzioni|regole|direttive)"
    r"|\b(?:esque\S{1,2}a|ignore|desconsidere|ignora)\s+(?:todas\s+)?(?:as\s+|suas\s+)+(?:\S+\s+)?(?:instru\S{1,5}es|regras|ordens)"
    r"|\b(?:negeer|vergeet)\s+(?:al(?:le|les)?\s+)?(?:de\s+|je\s+|uw\s+)?(?:\S+\s+)?(?:instructies|opdrachten|regels|aanwijzingen)"
    r"|\b(?:zignoruj|ignoruj|zapomnij\s+o)\s+(?:wszystki\w+\s+)?(?:\S+\s+)?(?:instrukcj|polece)"
    r"|\b(?:ignorera|gl[o\x80-\xff]{1,2}m)\s+(?:alla\s+)?(?:\S+\s+)?(?:instruktioner|regler)"
    rf"|{spelled('Забудь Игнорируй забудь игнорируй')}(?:{spelled('те')})?\s+(?:\S+\s+){{0,3}}?"
    rf"{spelled('инструкци указани правила предыдущ')}"
    rf"|{spelled(_CHINESE_FORGET)}(?:[^\x00-\x7f]{{0,36}}?){spelled(_CHINESE_ORDERS)}"
    rf"|{spelled(_JAPANESE_BEFORE)}[^\x00-\x7f]{{0,24}}?{spelled(_JAPANESE_ORDERS)}[^\x00-\x7f]{{0,30}}?{spelled(_JAPANESE_FORGET)}"
)

_ENGLISH = f"{_DROPPED}|{_MISTYPED}|{_OUTRANKED}|{_REPLACED}|{_ADDRESSED}|{_DECODED}"
OVERRIDE = f"(?i){_ENGLISH}|{_FOREIGN}"
