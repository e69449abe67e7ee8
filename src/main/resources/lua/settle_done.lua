--[[ Acknowledge entries whose jobs are recorded as ended, or that no longer stand for anything, and delete them.
  KEYS[1] stream   ARGV[1] group   ARGV[2..] entry ids
  Returns how many were still pending. Sent only after the guarded write held: XACK asks nobody who owns the entry. ]]
local ids = { unpack(ARGV, 2) }
local acked = redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))
redis.call('XDEL', KEYS[1], unpack(ids))
return acked
