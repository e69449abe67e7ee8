# What page.html draws of a target: its series, each with a name as Grafana makes it of the legend.
def named($legend): .metric as $labels | $legend | gsub("\\{\\{\\s*(?<name>\\w+)\\s*\\}\\}"; $labels[.name] // "");

.data.result | map({name: named($legend), points: (.values | map([.[0], (.[1] | tonumber? // null)]))})
