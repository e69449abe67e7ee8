#!/bin/bash
# Draws the dashboards from a run of its own: starts Millrace and Prometheus, makes a mixed load, kills a worker halfway, and leaves a
# page and a picture of each dashboard. docs/images/dashboard-overview.png is made so.
#
#   grafana/preview/run.sh MINUTES FOLDER
#
# Needs what grafana/check.sh needs, and chromium.
set -euo pipefail
GRAFANA=$(cd "$(dirname "$0")/.." && pwd)
. "$GRAFANA/live.sh"
MINUTES=${1:-}
FOLDER=${2:-}
[[ $MINUTES =~ ^[0-9]{1,2}$ ]] && [ "$MINUTES" -gt 0 ] && [ -n "$FOLDER" ] || { echo "run.sh MINUTES FOLDER: 1 to 99 minutes" >&2; exit 2; }

# until_second N: of the load.
until_second() {
  while [ "$((SECONDS - BEGUN))" -lt "$1" ]; do
    kill -0 "$LOAD_PID" 2>/dev/null || { echo "the load has ended: $LOGS/load.log" >&2; return 1; }
    sleep 1
  done
}

need_tools prometheus curl jq "${CHROMIUM:-chromium}"
mkdir -p "$FOLDER"
clean_up_at_exit stop_live
start_live
start_load
BEGUN=$SECONDS
until_second $((MINUTES * 30))
kill_process worker-2
until_second $((MINUTES * 60))
for dashboard in "$GRAFANA"/dashboards/*.json; do
  name=$FOLDER/dashboard-$(basename "$dashboard" .json)
  "$GRAFANA/preview/draw.sh" "$dashboard" "$PROMETHEUS" "$MINUTES" "$name.html" "$name.png"
done
