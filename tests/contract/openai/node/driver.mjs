// The same jobs as sdk_driver.py, for the OpenAI SDK of Node: a job a line on stdin, its outcomes a line on stdout.
import { createInterface } from "node:readline";
import OpenAI, { APIError } from "openai";

async function outcome(client, args) {
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

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const client = new OpenAI({
    baseURL: job.base_url,
    apiKey: "any-value",
    defaultHeaders: job.headers,
    maxRetries: 0,
    timeout: 30_000,
  });
  const outcomes = [];
  for (const args of job.calls) outcomes.push(await outcome(client, args));
  process.stdout.write(JSON.stringify(outcomes) + "\n");
}
