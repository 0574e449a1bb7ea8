"""Where dialects say what was said: attributes and events that hold content, by its kind.

Read only where a tenant keeps content (``collector/understanding/content.py``); otherwise nobody
looks at any of them. ``*`` stands for any letters; where several patterns hold a key, the first one
counts. Found in what emitters sent us (``tests/vectors``) and in their sources.
"""

from typing import Final

SYSTEM, TOOLS, INPUT, OUTPUT = "system", "tools", "input", "output"

KEYS: Final[tuple[tuple[str, str], ...]] = (
    # The conventions for generative AI, and who follows them.
    ("gen_ai.system_instructions", SYSTEM),
    ("gen_ai.request.instructions", SYSTEM),
    ("gen_ai.tool.definitions", TOOLS),
    ("gen_ai.tool.json_schema", TOOLS),
    ("gen_ai.tool.call.arguments", TOOLS),
    ("gen_ai.tool.call.result", TOOLS),
    ("gen_ai.input.messages", INPUT),
    ("gen_ai.output.messages", OUTPUT),
    ("gen_ai.prompt", INPUT),
    ("gen_ai.prompt_json", INPUT),
    ("gen_ai.prompt.*", INPUT),
    ("gen_ai.completion", OUTPUT),
    ("gen_ai.completion_json", OUTPUT),
    ("gen_ai.completion.*", OUTPUT),
    ("gen_ai.task.input", INPUT),
    ("gen_ai.task.output", OUTPUT),
    # OpenInference, also as Envoy and CrewAI write it.
    ("input.value", INPUT),
    ("output.value", OUTPUT),
    ("llm.input_messages.*", INPUT),
    ("llm.output_messages.*", OUTPUT),
    ("llm.prompts", INPUT),
    ("llm.prompts.*", INPUT),
    ("llm.completions.*", OUTPUT),
    ("llm.prompt_template.*", INPUT),
    ("llm.tools.*", TOOLS),
    ("tool.parameters", TOOLS),
    ("tool.description", TOOLS),
    ("embedding.embeddings.*.embedding.text", INPUT),
    ("retrieval.documents.*.document.content", INPUT),
    ("reranker.query", INPUT),
    ("reranker.*_documents.*.document.content", INPUT),
    # Traceloop, LiteLLM.
    ("traceloop.entity.input", INPUT),
    ("traceloop.entity.output", OUTPUT),
    ("llm.request.functions.*", TOOLS),
    ("llm.*.messages", INPUT),
    ("llm.*.content", OUTPUT),
    ("llm.*.choices", OUTPUT),
    ("llm.*.output", OUTPUT),
    ("llm.*.stringified_raw_response", OUTPUT),
    # Vercel's AI SDK, Mastra.
    ("ai.prompt.tools", TOOLS),
    ("ai.prompt", INPUT),
    ("ai.prompt.*", INPUT),
    ("ai.value", INPUT),
    ("ai.values", INPUT),
    ("ai.response.text", OUTPUT),
    ("ai.response.object", OUTPUT),
    ("ai.response.reasoning", OUTPUT),
    ("ai.response.toolCalls", OUTPUT),
    ("ai.toolCall.args", TOOLS),
    ("ai.toolCall.result", TOOLS),
    ("mastra.*.input", INPUT),
    ("mastra.*.output", OUTPUT),
    # Pydantic AI, Logfire.
    ("pydantic_ai.all_messages", INPUT),
    ("all_messages_events", INPUT),
    ("request_data", INPUT),
    ("response_data", OUTPUT),
    ("events", INPUT),
    ("model_request_parameters", TOOLS),
    ("tool_arguments", TOOLS),
    ("tool_response", TOOLS),
    # Langfuse, LangSmith, MLflow, Agno, ADK.
    ("langfuse.observation.input", INPUT),
    ("langfuse.observation.output", OUTPUT),
    ("langfuse.trace.input", INPUT),
    ("langfuse.trace.output", OUTPUT),
    ("mlflow.spanInputs", INPUT),
    ("mlflow.spanOutputs", OUTPUT),
    ("mlflow.chat.messages", INPUT),
    ("mlflow.chat.tools", TOOLS),
    ("agno.tools", TOOLS),
    ("gcp.vertex.agent.llm_request", INPUT),
    ("gcp.vertex.agent.llm_response", OUTPUT),
    ("gcp.vertex.agent.tool_call_args", TOOLS),
    ("gcp.vertex.agent.tool_response", TOOLS),
    ("gcp.vertex.agent.data", INPUT),
    # Logs of agents in a terminal.
    ("request_text", INPUT),
    ("response_text", OUTPUT),
)
"""Attribute -> kind, wherever it stands."""

EVENTS: Final[dict[str, str]] = {
    "gen_ai.system.message": SYSTEM,
    "gen_ai.user.message": INPUT,
    "gen_ai.assistant.message": INPUT,
    "gen_ai.tool.message": INPUT,
    "gen_ai.choice": OUTPUT,
    "gen_ai.content.prompt": INPUT,
    "gen_ai.content.completion": OUTPUT,
    "llm.content.completion.chunk": OUTPUT,
    "new_token": OUTPUT,
    "mlflow.chunk.item.*": OUTPUT,
    # Claude Code, Codex, Gemini CLI and those that come from it.
    "user_prompt": INPUT,
    "claude_code.user_prompt": INPUT,
    "assistant_response": OUTPUT,
    "claude_code.assistant_response": OUTPUT,
    "tool_result": TOOLS,
    "claude_code.tool_result": TOOLS,
    "codex.user_prompt": INPUT,
    "codex.tool_result": TOOLS,
    "gemini_cli.user_prompt": INPUT,
    "gemini_cli.tool_call": TOOLS,
    "qwen-code.user_prompt": INPUT,
    "qwen-code.tool_call": TOOLS,
}
"""Event of a span, or log record -> kind of what its members say (MEMBERS), and of its body."""

MEMBERS: Final = frozenset(
    {
        "role",
        "content",
        "message",
        "tool_calls",
        "id",
        "gen_ai.event.content",
        "chunk",
        "mlflow.chunk.value",
        "prompt",
        "response",
        "text",
        "tool_name",
        "function_name",
        "function_args",
        "arguments",
        "output",
        "tool_input",
        "tool_parameters",
        "tool.result",
    }
)
"""Attributes of such an event that are content, or say who speaks."""
