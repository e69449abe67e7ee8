--[[ Delete consumers of processes that are gone. Checked and deleted in one script: a consumer that has pending entries keeps
  them, because deleting it would lose them.
  KEYS[1] stream   ARGV[1] group   ARGV[2] idle for at least this long, ms
  Returns how many were deleted. ]]
local deleted = 0
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then
  return 0
end
for _, consumer in ipairs(consumers) do
  if consumer[4] == 0 and consumer[6] >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer[2])
    deleted = deleted + 1
  end
end
return deleted
