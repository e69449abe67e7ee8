--[[ Acknowledge entries whose jobs are recorded as waiting, delete them, and put the jobs into the delayed set.
  KEYS[1] stream   KEYS[2] delayed set: member = priority:job id, score = due, epoch ms
  ARGV[1] group   ARGV[2..] triples: entry id, member, due; a due of 0 leaves the job to the loader (it is far away)
  Returns ms until the next job of the delayed set is due, by the clock of Redis; -1 if it is empty.
  Removes first: a Redis that is full refuses ZADD, and the rest has passed by then. ]]
for i = 2, #ARGV, 3 do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
for i = 2, #ARGV, 3 do
  if ARGV[i + 2] ~= '0' then
    redis.call('ZADD', KEYS[2], ARGV[i + 2], ARGV[i + 1])
  end
end
local next = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if #next == 0 then
  return -1
end
local time = redis.call('TIME')
return math.max(0, tonumber(next[2]) - (time[1] * 1000 + math.floor(time[2] / 1000)))
