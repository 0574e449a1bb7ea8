#!/bin/bash
# Coding agents against the stand-in, each in an environment and a home of its own; for captures.
#
#   tests/capturing/coding_agents.sh AGENT BINARY HOME MODELS ENDPOINT MODEL
#
# AGENT is claude, codex, gemini or opencode; BINARY what npm installed (@anthropic-ai/claude-code,
# @openai/codex, @google/gemini-cli, opencode-ai); HOME an empty folder, which is overwritten;
# MODELS and ENDPOINT are the URLs of model_server.py and record.py. Further variables for the
# agent go into MORE ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA=1 OTEL_TRACES_EXPORTER=otlp").
set -eu
agent=$1 binary=$2 home=$3 models=$4 endpoint=$5 model=$6
rm -rf "$home" && mkdir -p "$home/work"
tags="service.namespace=shop,deployment.environment.name=prod,team=payments"
alone=(env -i "HOME=$home" "PATH=$PATH" TERM=dumb "OTEL_RESOURCE_ATTRIBUTES=$tags"
  "OTEL_EXPORTER_OTLP_ENDPOINT=$endpoint" OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)
cd "$home/work"
case $agent in
claude)
  echo '{"hasCompletedOnboarding":true}' >"$home/.claude.json"
  "${alone[@]}" IS_SANDBOX=1 ANTHROPIC_API_KEY=fake "ANTHROPIC_BASE_URL=$models" \
    "ANTHROPIC_MODEL=$model" CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \
    CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_LOGS_EXPORTER=otlp OTEL_METRICS_EXPORTER=otlp ${MORE:-} \
    "$binary" --dangerously-skip-permissions -p "Say hello." </dev/null
  ;;
codex)
  cat >"$home/config.toml" <<TOML
model = "$model"
model_provider = "local"
approval_policy = "never"
[model_providers.local]
name = "local"
base_url = "$models/v1"
env_key = "FAKE_KEY"
wire_api = "responses"
[otel]
exporter = { otlp-http = { endpoint = "$endpoint/v1/logs", protocol = "binary" } }
trace_exporter = { otlp-http = { endpoint = "$endpoint/v1/traces", protocol = "binary" } }
metrics_exporter = { otlp-http = { endpoint = "$endpoint/v1/metrics", protocol = "binary" } }
TOML
  "${alone[@]}" "CODEX_HOME=$home" FAKE_KEY=fake ${MORE:-} \
    "$binary" exec --skip-git-repo-check "Say hello." </dev/null
  ;;
gemini)
  mkdir "$home/.gemini"
  cat >"$home/.gemini/settings.json" <<JSON
{"telemetry": {"enabled": true, "target": "local", "otlpEndpoint": "$endpoint", "otlpProtocol": "http"},
 "security": {"auth": {"selectedType": "gemini-api-key"}},
 "general": {"disableAutoUpdate": true, "maxAttempts": 2}}
JSON
  "${alone[@]}" GEMINI_API_KEY=fake "GOOGLE_GEMINI_BASE_URL=$models" \
    GEMINI_CLI_TRUST_WORKSPACE=true ${MORE:-} "$binary" -m "$model" -p "Say hello." </dev/null
  ;;
opencode)
  mkdir -p "$home/.config/opencode"
  cat >"$home/.config/opencode/opencode.json" <<JSON
{"autoupdate": false, "experimental": {"openTelemetry": true}, "model": "local/$model",
 "provider": {"local": {"npm": "@ai-sdk/openai-compatible", "models": {"$model": {}},
  "options": {"baseURL": "$models/v1", "apiKey": "fake"}}}}
JSON
  "${alone[@]}" ${MORE:-} "$binary" run "Say hello." </dev/null
  ;;
esac
