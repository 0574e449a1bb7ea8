
³
C

service.name
vllm-server
"
telemetry.sdk.language
pythonë

vllm.tracing.otelï
ÝÌ˜Aê:ãZm½Í^½}ªã	—õµ›È"CF=Žª£*llm_request09ÀaÑ°8\êAÀÚÉ8\êJ/
"gen_ai.latency.time_to_first_token	!{®Gáz´?J
gen_ai.latency.e2e	!š™™™™™Ù?J)
gen_ai.latency.time_in_queue	!ü©ñÒMb`?J!
gen_ai.usage.prompt_tokensèJ$
gen_ai.usage.completion_tokens2J1
$gen_ai.latency.time_in_model_prefill	!ìQ¸…ë±?J0
#gen_ai.latency.time_in_model_decode	!333333Ó?J3
&gen_ai.latency.time_in_model_inference	!®Gáz®×?J@
gen_ai.request.id+
)chatcmpl-ddcc0398417fea3ae35a6dbdcd5ebd7dJ!
gen_ai.request.top_p	!ffffffî?J 
gen_ai.request.max_tokens€J'
gen_ai.request.temperature	!ffffffæ?J
gen_ai.request.nï
¼Nª/yã>–’dð¼,8Í\l
XúË	"RM5±ðrñe*llm_request09ÀÆžÎ8\êAÀw§ç8\êJ/
"gen_ai.latency.time_to_first_token	!{®Gáz´?J
gen_ai.latency.e2e	!š™™™™™Ù?J)
gen_ai.latency.time_in_queue	!ü©ñÒMb`?J!
gen_ai.usage.prompt_tokensèJ$
gen_ai.usage.completion_tokens2J1
$gen_ai.latency.time_in_model_prefill	!ìQ¸…ë±?J0
#gen_ai.latency.time_in_model_decode	!333333Ó?J3
&gen_ai.latency.time_in_model_inference	!®Gáz®×?J@
gen_ai.request.id+
)chatcmpl-bc4eaa2f79e33e969264f0bc2c3816cdJ!
gen_ai.request.top_p	!ffffffî?J 
gen_ai.request.max_tokens€J'
gen_ai.request.temperature	!ffffffæ?J
gen_ai.request.nï
"cçù±ùZ¿á>tƒ¨5ZAcOµr»Ü#"÷µŸGÍ2×Æ*llm_request09À+lì8\êAÀÜt9\êJ/
"gen_ai.latency.time_to_first_token	!{®Gáz´?J
gen_ai.latency.e2e	!š™™™™™Ù?J)
gen_ai.latency.time_in_queue	!ü©ñÒMb`?J!
gen_ai.usage.prompt_tokensèJ$
gen_ai.usage.completion_tokens2J1
$gen_ai.latency.time_in_model_prefill	!ìQ¸…ë±?J0
#gen_ai.latency.time_in_model_decode	!333333Ó?J3
&gen_ai.latency.time_in_model_inference	!®Gáz®×?J@
gen_ai.request.id+
)chatcmpl-2263e7f9b1f95abfe13e7483a8355a41J!
gen_ai.request.top_p	!ffffffî?J 
gen_ai.request.max_tokens€J'
gen_ai.request.temperature	!ffffffæ?J
gen_ai.request.n