--[[ Take tokens from a bucket that fills evenly (GCRA: one number says how full it is).
  KEYS[1] bucket         when it will be full again, in µs; absent: it is full
  ARGV[1] tokens a second that come in      ARGV[2] tokens that it holds
  ARGV[3] tokens that are needed: all of them are taken, or none. More than it holds are taken from a full bucket, and owed
  ARGV[4] tokens to take if there are so many: what the caller has in hand, it need not ask for
  The clock is that of Redis: with clocks of their own, a process that is ahead would empty the bucket for all others.
  Returns {tokens taken, tokens left}. ]]
local holds, need, want = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local each = 1000000 / tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local left = holds - (full - now) / each
if left < math.min(need, holds) then
  return {0, math.max(0, math.floor(left))}
end
local taken = math.max(need, math.min(want, math.floor(left)))
full = full + taken * each
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {taken, math.max(0, math.floor(left - taken))}
