// Vercel's AI SDK, versions 4 to 7: every kind of call that it has, for captures.
//
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4399 MODELS=http://127.0.0.1:9900 \
//       node tests/capturing/vercel_ai.mjs FOLDER [legacy|usage]
//
// FOLDER holds node_modules with ai, @ai-sdk/openai, @ai-sdk/anthropic, @ai-sdk/google,
// @ai-sdk/amazon-bedrock (from 5 on), zod, @opentelemetry/sdk-node,
// @opentelemetry/exporter-trace-otlp-proto and, for version 7, @ai-sdk/otel. There `legacy` sends
// what version 6 did, and `usage` what the conventions lack.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, way] = process.argv.slice(2);
const require = createRequire(`${folder}/index.js`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href).then((it) => it.default ?? it);
const may = async (name) => load(name).catch(() => null);

const { NodeSDK } = await load("@opentelemetry/sdk-node");
const { OTLPTraceExporter } = await load("@opentelemetry/exporter-trace-otlp-proto");
const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter() });
sdk.start();

const ai = await load("ai");
const otel = await may("@ai-sdk/otel");
if (otel && way === "legacy") ai.registerTelemetry(new otel.LegacyOpenTelemetry());
else if (otel) ai.registerTelemetry(new otel.OpenTelemetry(way === "usage" ? { usage: true } : {}));
const { z } = await load("zod");
const models = process.env.MODELS ?? "http://127.0.0.1:9900";
const key = { apiKey: "none" };
const openai = (await load("@ai-sdk/openai")).createOpenAI({ ...key, baseURL: `${models}/v1`, compatibility: "strict" });
const anthropic = (await load("@ai-sdk/anthropic")).createAnthropic({ ...key, baseURL: `${models}/v1` });
const google = (await load("@ai-sdk/google")).createGoogleGenerativeAI({ ...key, baseURL: `${models}/v1beta` });
const bedrock = (await may("@ai-sdk/amazon-bedrock"))?.createAmazonBedrock({ ...key, region: "us-east-1", baseURL: models });
const chat = openai.chat ?? openai;
const vectors = openai.embedding ?? openai.textEmbeddingModel;

const metadata = { userId: "alice", sessionId: "s-1", team: "search", feature: "answers" };
const experimental_telemetry = { isEnabled: true, functionId: "greet", metadata };
const shared = { experimental_telemetry, prompt: "Say hello.", maxRetries: 0 };
const schema = z.object({ answer: z.string() });
const offered = { description: "the weather", parameters: z.object({}), inputSchema: z.object({}), execute: async () => "sunny" };

const steps = {
  async generate() {
    await ai.generateText({ ...shared, model: chat("gpt-4o-mini") });
    await ai.generateText({ ...shared, model: openai.responses("gpt-4o-mini") });
    await ai.generateText({ ...shared, model: anthropic("claude-sonnet-4-5") });
    await ai.generateText({ ...shared, model: google("gemini-2.5-flash") });
    if (bedrock) await ai.generateText({ ...shared, model: bedrock("anthropic.claude-3-haiku-20240307-v1:0") });
  },
  async stream() {
    for (const model of [chat("gpt-4o-mini"), openai.responses("gpt-4o-mini"), anthropic("claude-sonnet-4-5"), google("gemini-2.5-flash")])
      for await (const _ of ai.streamText({ ...shared, model }).textStream);
  },
  async object() {
    if (!ai.generateObject) return;
    for (const model of [chat("gpt-4o-mini"), anthropic("claude-3-5-haiku-latest"), google("gemini-2.5-flash")]) {
      await ai.generateObject({ ...shared, model, schema });
      const streamed = ai.streamObject({ ...shared, model, schema });
      for await (const _ of streamed.partialObjectStream);
    }
  },
  async embed() {
    await ai.embed({ experimental_telemetry, maxRetries: 0, model: vectors("text-embedding-3-small"), value: "hello" });
    await ai.embedMany({ experimental_telemetry, maxRetries: 0, model: vectors("text-embedding-3-small"), values: ["hello"] });
  },
  async tools() {
    const loop = ai.stepCountIs ? { stopWhen: ai.stepCountIs(3) } : { maxSteps: 3 };
    await ai.generateText({ ...shared, ...loop, model: chat("gpt-tool"), tools: { weather: offered } });
    const streamed = ai.streamText({ ...shared, ...loop, model: anthropic("claude-tool"), tools: { weather: offered } });
    for await (const _ of streamed.textStream);
  },
  async errors() {
    await ai.generateText({ ...shared, model: chat("error-429") }).catch(() => 0);
    await ai.generateText({ ...shared, maxRetries: 1, model: anthropic("error-429") }).catch(() => 0);
    await ai.generateText({ ...shared, maxRetries: 2, model: chat("flaky") });
    for await (const _ of ai.streamText({ ...shared, onError() {}, model: chat("error-429") }).textStream);
    for await (const _ of ai.streamText({ ...shared, maxRetries: 2, onError() {}, model: openai.responses("flaky-2") }).textStream);
    await ai.embed({ experimental_telemetry, maxRetries: 0, model: vectors("error-429"), value: "hello" }).catch(() => 0);
  },
};
for (const [name, step] of Object.entries(steps)) {
  await step().catch((error) => console.log(`${name}: ${error.name}: ${String(error.message).slice(0, 300)}`));
  const served = await fetch(`${models}/served`).then((answer) => answer.json());
  for (const [path, model, status] of served.calls) console.log(name, path, model, status);
}
await sdk.shutdown();
