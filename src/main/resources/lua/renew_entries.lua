--[[ Reset the idle time of entries that this consumer still owns, so that no sweeper hands them to another.
  KEYS[1] stream   ARGV[1] group   ARGV[2] consumer   ARGV[3..] entry ids
  Returns how many it owned. Asks for the owner first: XCLAIM by a worker that was paused would steal the entry back. ]]
local renewed = 0
for i = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
    renewed = renewed + 1
  end
end
return renewed
