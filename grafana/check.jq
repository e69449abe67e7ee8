# What grafana/check.sh asks of dashboards and of answers of Prometheus.

def panels: .panels[] | if .type == "row" then .panels[]? else . end;

def target_name: "\(.panel) (\(.refId))";

# Every query of a dashboard, one object a line.
def targets($file):
  [.templating.list[].name] as $variables
  | panels as $panel
  | $panel.targets[]
  | {file: $file, panel: $panel.title, refId, expr, legend: (.legendFormat // ""), $variables};

# As Grafana puts it in, with All chosen. Longer names first: one may begin with another.
def filled_in($variables; $interval):
  gsub("\\$__rate_interval"; $interval)
  | reduce ($variables | sort_by(-length))[] as $name (.; gsub("\\$(\\{\($name)(:[a-z]+)?\\}|\($name)\\b)"; ".*"));

# Names of metrics in an expression: what is left of it without strings, selectors, ranges, lists of labels, numbers and functions.
def metric_names:
  gsub("\"(\\\\.|[^\"\\\\])*\""; "")
  | gsub("\\{[^}]*\\}|\\[[^\\]]*\\]"; " ")
  | gsub("\\b(by|without|on|ignoring|group_left|group_right)\\s*\\([^)]*\\)"; " ")
  | gsub("\\b[0-9][0-9.]*([eE][-+]?[0-9]+)?[smhdwy]*\\b"; " ")
  | [scan("[a-zA-Z_:][a-zA-Z0-9_:]*\\b(?!\\s*\\()")]
  | map(select(IN("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan") | not))
  | unique;

def unknown_names($known): [metric_names[] | select(in($known) | not)];

# Problems of a query, whose answer is the input.
def problems($target; $expr; $known):
  def told: "\($target.file): \($target | target_name): " + .;
  if .status != "success" then "\(.error) in \($expr)" | told
  else
    (.data.result as $result
    | if ($result | length) == 0 then "no data for \($expr)" | told
      elif all($result[]; .value[1] == "NaN") then "only NaN for \($expr)" | told
      else empty end,
      ($target.legend | [scan("\\{\\{\\s*(\\w+)\\s*\\}\\}")[0]][]
      | . as $wanted | select(any($result[]; .metric | has($wanted) | not)) | "the legend names \($wanted), which the result has not" | told)),
    ($expr | unknown_names($known)[] | "nobody exports \(.)" | told),
    ($expr | [scan("\\$\\{?\\w+")][] | "there is no variable \(.)" | told)
  end;
