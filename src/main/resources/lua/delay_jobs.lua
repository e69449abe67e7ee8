--[[ Put jobs into the delayed set. Doing it twice is the same as once.
  KEYS[1] delayed set: member = priority:job id, score = due, epoch ms
  ARGV    pairs: due, member
  Returns ms until the next job of the set is due, by the clock of Redis. ]]
for i = 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #next == 0 then
  return -1
end
local time = redis.call('TIME')
return math.max(0, tonumber(next[2]) - (time[1] * 1000 + math.floor(time[2] / 1000)))
