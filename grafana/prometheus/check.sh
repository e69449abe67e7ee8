#!/bin/bash
# Has promtool judge the scrape configurations, the rules, and each alert by the cases in tests/. Takes half a minute. PROMTOOL names
# another promtool than that of the PATH.
set -euo pipefail
cd "$(dirname "$0")"
PROMTOOL=${PROMTOOL:-$(command -v promtool || true)}
if [ -z "$PROMTOOL" ]; then
  echo "there is no promtool: it is in the package prometheus of Debian and Ubuntu, and in the archives of" \
    "https://prometheus.io/download; .ci/prometheus prints the folder of one" >&2
  exit 2
fi
"$PROMTOOL" check config prometheus.yml prometheus-local.yml
"$PROMTOOL" check rules rules/*.yml
"$PROMTOOL" test rules tests/*.yml
if ! ./to-k8s.sh | cmp - ../../deploy/k8s/components/monitoring/prometheus-rule.yaml; then
  echo "the rules for Kubernetes are not these: run" \
    "grafana/prometheus/to-k8s.sh >deploy/k8s/components/monitoring/prometheus-rule.yaml" >&2
  exit 1
fi
