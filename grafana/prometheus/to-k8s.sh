#!/bin/bash
# Prints the rules as the object that the Prometheus operator reads. After each change of rules/millrace.yml:
#   grafana/prometheus/to-k8s.sh >deploy/k8s/components/monitoring/prometheus-rule.yaml
set -euo pipefail
cd "$(dirname "$0")"
cat <<'HEAD'
# Made of grafana/prometheus/rules/millrace.yml by grafana/prometheus/to-k8s.sh: change it there. Load it once for each Prometheus, which
# has to select it: the label `release` of kube-prometheus-stack, for one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: millrace
spec:
HEAD
sed -n '/^groups:/,$ {s/^\(.\)/  \1/; p}' rules/millrace.yml
