--[[ What the reconciler has to know of one queue.
  KEYS[1..3] streams of the priorities high, normal, low   KEYS[4] incarnation of this Redis, as far as the queue goes
  ARGV[1] group   ARGV[2] incarnation to set if there is none
  Returns { incarnation, or '' if there was none; for each stream the time of its oldest undelivered entry, or now: epoch ms }
  A stream without the group counts as delivered to nobody. ]]
local incarnation = redis.call('GET', KEYS[4])
if not incarnation then
  redis.call('SET', KEYS[4], ARGV[2])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = { incarnation or '' }
for p = 1, 3 do
  local last = '0-0'
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[p])
  if not groups.err then
    for _, group in ipairs(groups) do
      if group[2] == ARGV[1] then
        last = group[8]
      end
    end
  end
  local undelivered = redis.call('XRANGE', KEYS[p], '(' .. last, '+', 'COUNT', 1)
  if #undelivered == 0 then
    reply[p + 1] = now
  else
    reply[p + 1] = tonumber(string.match(undelivered[1][1], '^%d+'))
  end
end
return reply
