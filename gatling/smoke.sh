#!/bin/bash
# Five seconds of every load test, against a process of its own with embedded servers, so that none of them rots. Needs
# ./mvnw package -DskipTests, and curl. Takes half a minute, and stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/processes.sh
# Seconds for Maven and the five seconds of load.
RUN_LIMIT=300

prepare_processes
clean_up_at_exit stop_processes
# Settings of the caller must not lead it to servers that are in use.
unset "${!MILLRACE_@}"
start_process all MILLRACE_LOCAL_DIR="$LOGS/servers" MILLRACE_EGRESS_OPEN_HOSTS=127.0.0.1
await_ready all
timeout "$RUN_LIMIT" ./mvnw -B -ntp -q -f gatling/pom.xml test-compile gatling:test "$@" \
  -Dgatling.simulationClass=io.millrace.load.SmokeSimulation -Dload.url="$(api_of all)"
