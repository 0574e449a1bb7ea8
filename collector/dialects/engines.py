"""Model servers that tell what they served: vLLM, SGLang, TensorRT-LLM.

They speak the conventions' first names (prompt and completion tokens), count what their prefix
cache held in the prompt, and name neither provider nor, mostly, the model: that is the client's to
tell. Sources: vLLM ``v1/engine/output_processor.py`` and (0.4 to 0.8) ``engine/llm_engine.py``;
SGLang 0.5 ``srt/observability``; TensorRT-LLM ``llmapi/otel_tracing.py``.
"""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

VLLM: Final = Dialect(
    name="vllm",
    scopes=("vllm*",),
    marks=(Mark(SPAN_NAME, {"llm_request": Verdict.CALL}, scope="vllm*"),),
    serves=True,
    engine="vllm",
)
SGLANG: Final = Dialect(
    name="sglang",
    scopes=("sglang*",),
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
    scopes=("trt.llm*", "tensorrt_llm*"),
    marks=(Mark(SPAN_NAME, {"llm_request": Verdict.CALL}, scope="trt.llm*"),),
    serves=True,
    engine="tensorrt-llm",
)
