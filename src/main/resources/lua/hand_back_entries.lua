--[[ Put entries that this consumer read but will not run onto the stream again, where the next free worker reads them at once.
  KEYS[1] stream   ARGV[1] group   ARGV[2] consumer   ARGV[3..] pairs: entry id, job id
  Returns how many it owned; the others belong to somebody else by now and are left alone.
  Adds before it removes: if Redis refuses the XADD the entry stays pending, and the sweeper finds it. ]]
local handed = 0
for i = 3, #ARGV, 2 do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) == 1 then
    redis.call('XADD', KEYS[1], '*', 'j', ARGV[i + 1])
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    redis.call('XDEL', KEYS[1], ARGV[i])
    handed = handed + 1
  end
end
return handed
