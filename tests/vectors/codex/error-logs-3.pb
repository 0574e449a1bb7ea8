
â
Ê
%
telemetry.sdk.name
opentelemetry

env
prod
 
telemetry.sdk.language
rust

	host.name
vm

service.name

codex_exec
!
telemetry.sdk.version
0.31.0

service.version	
0.169.0’

codex_otel.log_onlyø	INFO2!

event.name
codex.user_prompt2
prompt_length
22
prompt

[REDACTED]2-
event.timestamp
2026-11-22T10:37:55.215Z29
conversation.id&
$01a202d5-7c18-72e1-9dfe-5079a4e936a72
app.version	
0.169.02

originator

codex_exec2
terminal.type
xterm2
model
	error-4292
slug
	error-429Y˜‡ã¾Wêb/event otel/src/events/session_telemetry.rs:1200