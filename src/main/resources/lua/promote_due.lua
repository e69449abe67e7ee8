--[[ Move jobs whose time has come from the delayed set to the streams.
  KEYS[1] delayed set: member = priority:job id, score = due, epoch ms   KEYS[2..4] streams high, normal, low
  KEYS[5] incarnation of this Redis, as far as the queue goes
  ARGV[1] most jobs to move in one call
  Returns { moved, ms until the next one is due (-1: none) by the clock of Redis, 1 if there is an incarnation, else 0,
  ms by which the first of those moved is late (0 if none was) }.
  Adds before it removes: if Redis refuses the XADD the job stays in the set; the worst case is an id that is sent twice. ]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
local late = 0
if #due > 0 then
  late = math.max(0, now - tonumber(redis.call('ZSCORE', KEYS[1], due[1])))
end
for _, member in ipairs(due) do
  local priority = tonumber(string.sub(member, 1, 1))
  if priority and priority <= 2 then
    redis.call('XADD', KEYS[2 + priority], '*', 'j', string.sub(member, 3))
  end
  redis.call('ZREM', KEYS[1], member)
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local known = redis.call('EXISTS', KEYS[5])
if #next == 0 then
  return { #due, -1, known, late }
end
return { #due, math.max(0, tonumber(next[2]) - now), known, late }
