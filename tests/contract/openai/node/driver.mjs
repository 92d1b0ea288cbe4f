// The same job as sdk_driver.py, for the OpenAI SDK of Node: calls on stdin, outcomes on stdout, as JSON.
import { readFileSync } from "node:fs";
import OpenAI, { APIError } from "openai";

const job = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({
  baseURL: job.base_url,
  apiKey: "any-value",
  defaultHeaders: job.headers,
  maxRetries: 0,
  timeout: 30_000,
});

async function outcome(args) {
  try {
    const { data, response } = await client.chat.completions.create(args).withResponse();
    return {
      text: data.choices[0].message.content,
      model: data.model,
      tokens: data.usage?.total_tokens ?? null,
      headers: Object.fromEntries(response.headers),
    };
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return {
      error: error.constructor.name,
      status: error.status,
      code: error.code,
      type: error.type,
      message: error.message,
      headers: error.headers ? Object.fromEntries(error.headers) : {},
    };
  }
}

const outcomes = [];
for (const args of job.calls) outcomes.push(await outcome(args));
process.stdout.write(JSON.stringify({ outcomes }));
