"""Runs beside one release of the OpenAI SDK: a job a line on stdin, its outcomes a line on stdout, as JSON."""

import json
import sys

import openai


def outcome(client, arguments):
    try:
        raw = client.chat.completions.with_raw_response.create(**arguments)
    except openai.APIStatusError as error:
        return {
            "error": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "type": error.type,
            "message": error.message,
            "body": error.response.text,
            "headers": {name.lower(): value for name, value in error.response.headers.items()},
        }
    except openai.APIError as error:
        return {"error": type(error).__name__, "message": str(error)}
    parsed = raw.parse()
    return {
        "text": parsed.choices[0].message.content,
        "model": parsed.model,
        "tokens": parsed.usage.total_tokens if parsed.usage else None,
        "body": raw.http_response.text,
        "headers": {name.lower(): value for name, value in raw.headers.items()},
    }


def main():
    for line in sys.stdin:
        job = json.loads(line)
        client = openai.OpenAI(
            base_url=job["base_url"], api_key="any-value", default_headers=job["headers"], max_retries=0, timeout=30
        )
        print(json.dumps([outcome(client, arguments) for arguments in job["calls"]]), flush=True)


if __name__ == "__main__":
    main()
