"""Model servers that tell what they served: vLLM, SGLang, TensorRT-LLM.

They speak the conventions' first names (prompt and completion tokens), count what their prefix
cache held in the prompt, and name neither provider nor, mostly, the model: that is the client's to
tell. How long they read the prompt and wrote the answer, all tell in seconds under two names; with
SGLang the first begins when the request was handed to its scheduler, so waiting is in it. Others
have numbers of another unit under these names: so they are read on model servers' spans alone.

Sources: vLLM ``v1/engine/output_processor.py`` and (0.4 to 0.8) ``engine/llm_engine.py``;
SGLang 0.5 ``srt/observability``; TensorRT-LLM ``llmapi/otel_tracing.py``.
"""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

_TIMINGS: Final = {
    "prefill_s": ("gen_ai.latency.time_in_model_prefill",),
    "decode_s": ("gen_ai.latency.time_in_model_decode",),
}

VLLM: Final = Dialect(
    name="vllm",
    who="VLLM, a model server.",
    to_know=(
        "They speak the conventions' first names, and count what their prefix cache "
        "held in the prompt."
    ),
    scopes=("vllm*",),
    own=_TIMINGS,
    marks=(Mark(SPAN_NAME, {"llm_request": Verdict.CALL}, scope="vllm*"),),
    serves=True,
    engine="vllm",
)
SGLANG: Final = Dialect(
    name="sglang",
    who="SGLang, a model server.",
    to_know=(
        "They speak the conventions' first names, and count what their prefix cache "
        "held in the prompt."
    ),
    scopes=("sglang*",),
    own=_TIMINGS,
    # Where two machines share a request, the one that only read the prompt repeats it.
    marks=(
        Mark(
            SPAN_NAME,
            {"prefill req *": Verdict.OTHER, "*req ????????": Verdict.CALL},
            scope="sglang*",
        ),
    ),
    serves=True,
    engine="sglang",
)
TENSORRT_LLM: Final = Dialect(
    name="tensorrt-llm",
    who="TensorRT-LLM, a model server.",
    to_know=(
        "They speak the conventions' first names, and count what their prefix cache "
        "held in the prompt."
    ),
    scopes=("trt.llm*", "tensorrt_llm*"),
    own=_TIMINGS,
    marks=(Mark(SPAN_NAME, {"llm_request": Verdict.CALL}, scope="trt.llm*"),),
    serves=True,
    engine="tensorrt-llm",
)
