--[[ Put the ids of committed jobs on the streams of one queue.
  KEYS[1..3] streams of the priorities high, normal, low
  ARGV       pairs: priority (0, 1, 2), job id
  Returns the lengths of the three streams after it.
  If Redis refuses a write half way, what was appended stays: a job id that stands on a stream twice does no harm. ]]
for i = 1, #ARGV, 2 do
  redis.call('XADD', KEYS[tonumber(ARGV[i]) + 1], '*', 'j', ARGV[i + 1])
end
return { redis.call('XLEN', KEYS[1]), redis.call('XLEN', KEYS[2]), redis.call('XLEN', KEYS[3]) }
