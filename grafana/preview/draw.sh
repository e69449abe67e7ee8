#!/bin/bash
# Draws a dashboard without Grafana: asks Prometheus what its panels ask, and lays them out on a page with charts in SVG.
#
#   grafana/preview/draw.sh DASHBOARD.json PROMETHEUS MINUTES OUT.html [OUT.png]
#
# It knows time series and single figures, as the dashboards of this folder have them; variables stand at All. Needs curl and jq, and for
# the picture a chromium (CHROMIUM names another one).
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 4 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
DASHBOARD=$1
PROMETHEUS=${2%/}
MINUTES=$3
PAGE=$4
PICTURE=${5:-}
[[ $MINUTES =~ ^[0-9]{1,4}$ ]] && [ "$MINUTES" -gt 0 ] || { echo "draw.sh: MINUTES is '$MINUTES': give a number from 1 to 9999" >&2; exit 2; }
# Points of a chart, and what $__rate_interval becomes: Grafana takes at least four scrapes, here of 1 s, or a step.
POINTS=300
STEP=$(((MINUTES * 60 + POINTS - 1) / POINTS))
RATE_INTERVAL=$((STEP > 15 ? STEP : 15))s
END=$(date +%s)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

query() {
  curl -sf -m 20 "$PROMETHEUS/api/v1/query_range" --data-urlencode "query=$1" -d "start=$((END - MINUTES * 60))&end=$END&step=$STEP" ||
    { echo "draw.sh: Prometheus does not answer $1" >&2; return 1; }
}

jq -c -L "$HERE/.." --arg interval "$RATE_INTERVAL" 'include "check"; [.templating.list[].name] as $variables | .panels[] | .id as $id
  | .targets[]? | {id: $id, legend: .legendFormat, expr: (.expr | filled_in($variables; $interval))}' "$DASHBOARD" >"$WORK/targets"
while read -r target; do
  query "$(jq -r .expr <<<"$target")" |
    jq -c --argjson id "$(jq .id <<<"$target")" --arg legend "$(jq -r .legend <<<"$target")" -f "$HERE/data.jq" |
    jq -c --argjson id "$(jq .id <<<"$target")" '{id: $id, series: .}'
done <"$WORK/targets" >"$WORK/answers"
jq -c --slurpfile answers "$WORK/answers" --argjson until "$END" --argjson minutes "$MINUTES" '
  {title, start: ($until - 60 * $minutes), end: $until, panels: [.panels[]
  | .id as $id | {type, title, gridPos, fieldConfig, series: [$answers[] | select(.id == $id) | .series[]]}]}' "$DASHBOARD" >"$WORK/data"
{
  sed '/@DATA@/,$d' "$HERE/page.html"
  sed 's/</\\u003c/g' "$WORK/data"
  sed '1,/@DATA@/d' "$HERE/page.html"
} >"$PAGE"
[ -n "$PICTURE" ] || exit 0
# 38 is the height of a grid row on the page, 72 that of its head.
HEIGHT=$(jq '[.panels[].gridPos | .y + .h] | max * 38 + 72' "$DASHBOARD")
timeout 60 "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$WORK/chromium" \
  --window-size="1600,$HEIGHT" --screenshot="$PICTURE" "file://$(realpath "$PAGE")" 2>"$WORK/chromium.log" ||
  { cat "$WORK/chromium.log" >&2; exit 1; }
# A third of the size, if there is a pngquant.
! command -v pngquant >/dev/null || pngquant --force --output "$PICTURE" 128 "$PICTURE"
