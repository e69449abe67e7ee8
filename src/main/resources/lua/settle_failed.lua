--[[ Acknowledge entries whose jobs are recorded as given up, delete them, and note the jobs in the dead letter stream.
  KEYS[1] stream   KEYS[2] dead letter stream (a hint: the truth is the state FAILED)
  ARGV[1] group   ARGV[2] about how many dead letters to keep   ARGV[3..] triples: entry id, job id, reason
  Returns how many were still pending. Removes first: a Redis that is full refuses XADD, and the rest has passed by then. ]]
local acked = 0
for i = 3, #ARGV, 3 do
  acked = acked + redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
for i = 3, #ARGV, 3 do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'j', ARGV[i + 1], 'reason', ARGV[i + 2])
end
return acked
