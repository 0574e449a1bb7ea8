
Œ
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
0.169.0¼

codex_otel.log_only¢	INFO2#

event.name
codex.startup_phase2%
startup.phase
thread_start_total2
startup.status
ready2
duration_ms
402-
event.timestamp
2026-11-22T10:37:55.122Z29
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
	error-429YÌ_¾Wêb.event otel/src/events/session_telemetry.rs:377