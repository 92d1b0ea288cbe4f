"""Demands for the model's own instructions, or for what was entrusted to it: the row's pattern, in named pieces."""

from __future__ import annotations

from axonflow_policy.catalogue.foreign_words import spelled

_REVEAL = r"(?:reveal|show|print|display|repeat|output|tell|expose|leak|dump|disclose|recite|divulge|regurgitate|echo)"
_ASK = (
    r"(?:give|share|return|write|summari[sz]e|translate|copy|paste|paraphrase|encode|describe|what\s+(?:is|are|was|were)|what'?s|list"
    r"|provide|zeige|spell\s?check|quote|state|type\s+out|read\s+out)"
)
_ITS = r"(?:(?:me|us|out|back|all|of|the|your|exact|full|complete|entire|whole|contents?|text)\s+){0,4}"
_HIDDEN = (
    r"(?:initial|original|hidden|secret|above|previous|preceding|prior|internal|current|initialization|confidential)"
)
_OWN = r"(?:system\s+(?:prompt|message|instructions?)|(?:pre-?|meta-?)?prompts?|instructions|initialization)"
_ADDRESS = (
    r"(?:https?://|\S{1,60}@|(?:this|the\s+following|my|an\s+external)\s+(?:url|server|endpoint|webhook|email|address))"
)

_INSTRUCTIONS = (
    rf"\b{_REVEAL}\s+{_ITS}(?:(?:{_HIDDEN}\s+)?(?:system\s+(?:prompt|message|instructions?)|prompt\s?_?texts?|pre-?prompt)"
    rf"|{_HIDDEN}\s+(?:prompts?|instructions?))\b"
    rf"|\b{_ASK}\s+(?:me\s+|us\s+|out\s+|all\s+|of\s+){{0,2}}your\s+(?:\w+\s+)?"
    r"(?:system\s+(?:prompt|message|instructions?)|prompts?|instructions|guidelines\s+verbatim)\b"
    rf"|\b{_ASK}\s+(?:me\s+|us\s+)?(?:the\s+)?(?:full\s+|entire\s+|exact\s+)?(?:hidden|secret|internal)\s+(?:prompts?|instructions)\b"
    rf"|\b{_REVEAL}\s+(?:me\s+|us\s+|out\s+)?(?:all\s+)?(?:of\s+)?your\s+(?:\w+\s+){{0,2}}?(?:prompts?|instructions|configuration|embeddings"
    r"|guidelines|initial\s+context)\b"
    rf"|\b(?:{_REVEAL}|{_ASK})\s+(?:me\s+|us\s+)?(?:the\s+)?(?:exact\s+|full\s+|entire\s+)?(?:system\s+)?(?:prompt|instructions|rules|directives)\s+"
    r"(?:that\s+|which\s+)?(?:you(?:'ve|\s+have|\s+were)?\s+(?:been\s+)?(?:given|told|received|got)|(?:openai|your\s+\w+)\s+gave\s+you)\b"
    r"|\breturn\s+your\s+embeddings\b|\byour\s+(?:full\s+|entire\s+|exact\s+)?(?:system\s+)?(?:prompt|instructions)\s+(?:verbatim|word\s+for\s+word|in\s+full)\b"
)
_ABOVE = (
    r"\b(?:repeat|print|output|echo|recite|write\s+out|encode|translate)\s+(?:exactly\s+)?"
    r"(?:everything|all(?:\s+(?:of\s+)?(?:the\s+)?text)?|the\s+(?:words?|text|sentences?|lines?))\s+"
    r"(?:that\s+(?:is|was|came|comes|stands?|appears?)\s+)?(?:written\s+)?"
    r"(?:(?:above|before|prior\s+to)\s+this\s+(?:line|prompt|message|sentence|conversation|point|word)"
    r"|above\s+(?:starting\s+(?:with|from)|verbatim|word\s+for\s+word))"
    r"|\brepeat\s+(?:everything|all|the\s+words)\s+(?:above|before)\b"
    r"|\b(?:written|stands?|was|is)\s+at\s+the\s+(?:beginning|start|top)\s+of\s+(?:this|your|the)\s+prompt\b"
    r"|\bprint\s+out\s+all\s+instructions\b|\b(?:sentences?|words?|text)\s+before\s+the\s+text:|\bshowing\s+all\s+prompt\s+texts?\b"
    r"|\b(?:start(?:ing|s)?|begin(?:ning|s)?)\s+with\s+(?:the\s+(?:words?|phrase|sentence)\s+)?[\"'`]?you\s+are\s+(?:chatgpt|gpt|an?\s+(?:\w+\s+)?(?:ai|assistant|language))"
    r"|\bwhat\s+(?:were|have)\s+you\s+(?:been\s+)?(?:told|instructed|ordered|programmed)\s+(?:to\s+(?:do|keep|hide|say)|not\s+to|before|at\s+the|initially|in\s+your)"
    r"|\bwhat\s+does\s+your\s+(?:system\s+|initial\s+)?prompt\s+(?:say|contain|look)"
)
_SECRETS = (
    rf"\b(?:{_REVEAL}|give|say|spell|share|write|encode|send|what\s+is|what'?s)\s+(?:me\s+|us\s+|out\s+|to\s+me\s+)?(?:what\s+)?(?:is\s+)?(?:the|your)\s+"
    r"(?:(?:secret|hidden)\s+(?:password|pass\s?phrase|code|word|phrase|flag|message|key\s+word)|password\s+(?:you|that\s+you)\s+(?:were|are|have|know|keep|protect|hold))"
    rf"|\b(?:send|forward|post|upload|transmit|exfiltrate|leak|e-?mail|submit)\s+(?:me\s+)?(?:(?:all|the|any|every|this|user'?s?|your|their|his|her|entire"
    r"|full|of|above|a|copy|complete|stored|saved|found)\s+){0,6}"
    r"(?:conversation|chat\s+(?:history|logs?)|system\s+prompt|previous\s+messages|(?:message|conversation)\s+history|session\s+(?:tokens?|data|cookies?)"
    r"|(?:api|secret|private|access)\s+keys?|credentials|passwords?|personal\s+data|environment\s+variables|cookies|instructions)\b"
    rf"[^\n.]{{0,60}}?\bto\s+{_ADDRESS}"
    r"|!\[[^\]\n]{0,60}\]\(https?://[^)\s]{1,200}[?&=/]\s*(?:\{|\[|<|%7b|\$)[^)\n]{0,60}(?:data|secret|prompt|history|conversation|summary|message|user|content|info)"
)
_ENCODED = (
    r"\b(?:your|the\s+whole|the\s+entire)\s+(?:\w+\s+)?(?:answer|response|reply|output|message)s?\s+(?:\w+\s+)?(?:in|into|using|as|with|to)\s+"
    r"(?:the\s+)?(?:base\s?-?(?:16|32|58|64|85)|rot\s?-?\d{1,2}|morse\s+code|pig\s+latin|caesar|reverse\s+(?:order|sequence))\b"
    r"|\b(?:use|using)\s+(?:base\s?-?(?:16|32|58|64|85)|rot\s?-?\d{1,2}|morse\s+code)\s+(?:encoding\s+)?(?:to|for|in)\s+(?:\w+\s+)?your\s+(?:answer|response|reply|output)"
)
_FOREIGN = (
    r"\b(?:zeige?|nenne?|verrate?|gib|wiederhole)\s+(?:mir\s+|uns\s+|bitte\s+)*(?:deine?n?|ihre?n?|den|die|alle\s+deine)\s+(?:\w+\s+)?"
    r"(?:system-?prompt|prompt|system-?anweisung|anweisungen|instruktionen)"
    r"|\b(?:montre|r[e\x80-\xff]{1,2}v[e\x80-\xff]{1,2}le|affiche|donne|r[e\x80-\xff]{1,2}p[e\x80-\xff]{1,2}te)(?:-moi|z)?\s+(?:tes|ton|vos|votre|toutes\s+tes)\s+(?:\S+\s+)?(?:instructions|consignes|prompt|invite)"
    r"|\b(?:muestra|mu\S{1,2}strame|revela|dime|rep\S{1,2}te|imprime)\s+(?:me\s+)?(?:tus?|sus?|todas\s+tus|el)\s+(?:\S+\s+)?(?:instrucciones|prompt|mensaje\s+del\s+sistema)"
    r"|\b(?:mostra|rivela|dimmi|ripeti|stampa)(?:mi)?\s+(?:le\s+tue|il\s+tuo|i\s+tuoi)\s+(?:\S+\s+)?(?:istruzioni|prompt)"
    r"|\b(?:mostre|revele|diga|repita)\s+(?:me\s+)?(?:as\s+)?(?:suas?|seu|teu)\s+(?:\S+\s+)?(?:instru\S{1,5}es|prompt)"
    rf"|{spelled('Покажи покажи Раскрой раскрой Выведи выведи')}\s+(?:\S+\s+)?{spelled('свой свои системн')}"
    rf"|{spelled('显示 告诉我 输出 透露 重复')}[^\x00-\x7f]{{0,30}}?{spelled('系统提示 提示词 初始指令 系统指令')}"
    rf"|{spelled('システムプロンプト')}[^\x00-\x7f]{{0,12}}?{spelled('教え 表示 出力 見せ')}"
)

EXFIL = rf"(?i){_INSTRUCTIONS}|{_ABOVE}|{_SECRETS}|{_ENCODED}|{_FOREIGN}"
