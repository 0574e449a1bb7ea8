// The clients of OpenAI and Anthropic, and LangChain, in JavaScript, under some instrumentation.
//
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4399 MODELS=http://127.0.0.1:9900 \
//       node tests/capturing/js_clients.mjs FOLDER CLIENTS INSTRUMENTATION...
//
// FOLDER holds node_modules with openai, @anthropic-ai/sdk, @langchain/openai, @langchain/anthropic
// (where asked for), @opentelemetry/sdk-node, @opentelemetry/exporter-trace-otlp-proto and the
// instrumentations. CLIENTS: openai, anthropic, langchain, joined by commas. INSTRUMENTATION is
// `package:Class`, or `langfuse` (@langfuse/otel, @langfuse/openai, @langfuse/langchain), or
// `langsmith`.

import { createRequire } from "node:module";

const [folder, clients, ...ways] = process.argv.slice(2);
const require = createRequire(`${folder}/index.js`);
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const langfuse = ways.includes("langfuse");
const langsmith = ways.includes("langsmith");
const classes = ways.filter((way) => way.includes(":"));
const instrumentations = classes.map((way) => new (require(way.split(":")[0])[way.split(":")[1]])());

let stop;
if (langsmith) {
  const { initializeOTEL } = require("langsmith/experimental/otel/setup");
  const { DEFAULT_LANGSMITH_SPAN_PROCESSOR } = initializeOTEL();
  stop = async () => {
    await require("@langchain/core/callbacks/promises").awaitAllCallbacks();
    await require("langsmith").RunTree.getSharedClient().awaitPendingTraceBatches();
    await new Promise((done) => setTimeout(done, 1000));
    await DEFAULT_LANGSMITH_SPAN_PROCESSOR.shutdown();
  };
} else {
  const exporter = new OTLPTraceExporter();
  const spanProcessors = langfuse
    ? [new (require("@langfuse/otel").LangfuseSpanProcessor)({ exporter, publicKey: "pk", secretKey: "sk", environment: "prod" })]
    : undefined;
  const sdk = new NodeSDK({ ...(spanProcessors ? { spanProcessors } : { traceExporter: exporter }), instrumentations });
  sdk.start();
  stop = () => sdk.shutdown();
}

const models = process.env.MODELS ?? "http://127.0.0.1:9900";
const messages = [{ role: "user", content: "Say hello." }];
const drain = async (stream) => {
  for await (const _ of stream);
};
const may = async (name, step) => {
  await Promise.resolve().then(step).catch((error) => console.log(`${name}: ${String(error.message).slice(0, 200)}`));
};

async function openai() {
  // OpenInference patches what it is given, the others what is required.
  const OpenAI = require("openai");
  for (const one of instrumentations) if (one.instrumentationName?.includes("openinference-instrumentation-openai")) one.manuallyInstrument?.(OpenAI);
  const wrap = langfuse
    ? (client) => require("@langfuse/openai").observeOpenAI(client, { userId: "alice", sessionId: "s-1", generationMetadata: { team: "search" } })
    : langsmith
      ? (client) => require("langsmith/wrappers").wrapOpenAI(client)
      : (client) => client;
  const client = wrap(new OpenAI.OpenAI({ apiKey: "none", baseURL: `${models}/v1` }));
  const once = wrap(new OpenAI.OpenAI({ apiKey: "none", baseURL: `${models}/v1`, maxRetries: 0 }));
  const model = "gpt-4o-mini";
  await may("chat", () => client.chat.completions.create({ model, messages, user: "alice" }));
  await may("stream", async () => drain(await client.chat.completions.create({ model, messages, stream: true })));
  await may("stream usage", async () =>
    drain(await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } })),
  );
  await may("responses", () => client.responses.create({ model, input: "Say hello." }));
  await may("responses stream", async () => drain(await client.responses.create({ model, input: "Say hello.", stream: true })));
  await may("embeddings", () => client.embeddings.create({ model: "text-embedding-3-small", input: "hello", encoding_format: "float" }));
  await may("429", () => once.chat.completions.create({ model: "error-429", messages }));
  await may("flaky", () => client.chat.completions.create({ model: "flaky", messages }));
}

async function anthropic() {
  const Anthropic = require("@anthropic-ai/sdk");
  for (const one of instrumentations) if (one.instrumentationName?.includes("openinference-instrumentation-anthropic")) one.manuallyInstrument?.(Anthropic);
  const client = new Anthropic.Anthropic({ apiKey: "none", baseURL: models });
  const shared = { model: "claude-sonnet-4-5", max_tokens: 100, messages };
  await may("create", () => client.messages.create(shared));
  await may("create stream", async () => drain(await client.messages.create({ ...shared, stream: true })));
  await may("stream", () => client.messages.stream(shared).finalMessage());
  await may("429", () => client.messages.create({ ...shared, model: "error-429" }, { maxRetries: 0 }));
  await may("flaky", () => client.messages.create({ ...shared, model: "flaky" }));
}

async function langchain() {
  for (const one of instrumentations)
    if (one.instrumentationName?.includes("langchain")) one.manuallyInstrument(require("@langchain/core/callbacks/manager"));
  const { ChatOpenAI, OpenAIEmbeddings } = require("@langchain/openai");
  const { ChatPromptTemplate } = require("@langchain/core/prompts");
  const callbacks = langfuse ? [new (require("@langfuse/langchain").CallbackHandler)({ userId: "alice", sessionId: "s-1" })] : undefined;
  const asked = { callbacks, metadata: { user_id: "alice", session_id: "s-1", team: "search" } };
  const configuration = { baseURL: `${models}/v1` };
  const chat = new ChatOpenAI({ model: "gpt-4o-mini", apiKey: "none", configuration });
  await may("invoke", () => chat.invoke("Say hello.", asked));
  await may("stream", async () => drain(await chat.stream("Say hello.", asked)));
  const prompt = ChatPromptTemplate.fromMessages([["human", "Say {what}."]]);
  await may("chain", () => prompt.pipe(chat).invoke({ what: "hello" }, asked));
  const failing = new ChatOpenAI({ model: "error-429", apiKey: "none", configuration, maxRetries: 0 });
  await may("429", () => failing.invoke("Say hello.", asked));
  await may("anthropic", () => {
    const { ChatAnthropic } = require("@langchain/anthropic");
    return new ChatAnthropic({ model: "claude-sonnet-4-5", apiKey: "none", anthropicApiUrl: models }).invoke("Say hello.", asked);
  });
  await may("embeddings", () => new OpenAIEmbeddings({ model: "text-embedding-3-small", apiKey: "none", configuration }).embedQuery("hello"));
}

for (const name of clients.split(",")) {
  await { openai, anthropic, langchain }[name]();
  const served = await fetch(`${models}/served`).then((answer) => answer.json());
  for (const [path, model, status] of served.calls) console.log(name, path, model, status);
}
await stop();
