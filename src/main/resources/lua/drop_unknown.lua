--[[ Acknowledge and delete entries whose jobs nobody knows, once they are so old that no transaction can still bring them.
  KEYS[1] stream   ARGV[1] group   ARGV[2] at least this old, ms   ARGV[3..] entry ids
  Returns how many were dropped. ]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local dropped = 0
for i = 3, #ARGV do
  if now - tonumber(string.match(ARGV[i], '^%d+')) >= tonumber(ARGV[2]) then
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    redis.call('XDEL', KEYS[1], ARGV[i])
    dropped = dropped + 1
  end
end
return dropped
