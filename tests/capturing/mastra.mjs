// Mastra's agents: a plain answer, a stream, a tool, a failure; for captures.
//
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4399 MODELS=http://127.0.0.1:9900 \
//       node tests/capturing/mastra.mjs FOLDER
//
// FOLDER holds node_modules with @mastra/core, @mastra/observability, @mastra/otel-exporter,
// @ai-sdk/openai, @ai-sdk/anthropic, zod and @opentelemetry/exporter-trace-otlp-proto.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.argv[2]}/index.js`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Mastra } = await load("@mastra/core");
const { Agent } = await load("@mastra/core/agent");
const { createTool } = await load("@mastra/core/tools");
const { Observability } = await load("@mastra/observability");
const { OtelExporter } = await load("@mastra/otel-exporter");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createAnthropic } = await load("@ai-sdk/anthropic");
const { z } = await load("zod");

const models = process.env.MODELS ?? "http://127.0.0.1:9900";
const endpoint = `${process.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`;
const openai = createOpenAI({ apiKey: "none", baseURL: `${models}/v1` });
const anthropic = createAnthropic({ apiKey: "none", baseURL: `${models}/v1` });
const weather = createTool({
  id: "weather",
  description: "the weather",
  inputSchema: z.object({}),
  execute: async () => "sunny",
});
const agent = (name, model) => new Agent({ id: name, name, instructions: "Be kind.", model, tools: { weather }, maxRetries: 0 });
const agents = {
  plain: agent("plain", openai.chat("gpt-4o-mini")),
  answers: agent("answers", openai.responses("gpt-4o-mini")),
  claude: agent("claude", anthropic("claude-sonnet-4-5")),
  tool: agent("tool", openai.chat("gpt-tool")),
  failing: agent("failing", openai.chat("error-429")),
};
const exporter = new OtelExporter({ provider: { custom: { endpoint, protocol: "http/protobuf" } } });
const configs = { otel: { serviceName: "checkout-svc", exporters: [exporter] } };
const mastra = new Mastra({ agents, observability: new Observability({ configs }) });
const asked = { tracingOptions: { metadata: { userId: "alice", sessionId: "s-1", team: "search" } }, modelSettings: { maxRetries: 0 } };
for (const name of Object.keys(agents)) {
  await mastra
    .getAgent(name)
    .generate("Say hello.", asked)
    .catch((error) => console.log(`${name}: ${String(error.message).slice(0, 200)}`));
}
const stream = await mastra.getAgent("claude").stream("Say hello.", asked);
for await (const _ of stream.textStream);
const served = await fetch(`${models}/served`).then((answer) => answer.json());
for (const [path, model, status] of served.calls) console.log(path, model, status);
await exporter.flush?.();
await mastra.shutdown?.();
await exporter.shutdown();
