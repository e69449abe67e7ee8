--[[ Read new entries of one queue, higher priorities first, and never more than asked for over all of them together.
  KEYS[1..3] streams of the priorities high, normal, low
  ARGV[1] group   ARGV[2] consumer   ARGV[3] most entries
  Returns a list of { priority (0, 1, 2), entry id, field, value, field, value ... }. Never waits. ]]
local found = {}
local left = tonumber(ARGV[3])
for p = 1, 3 do
  if left > 0 then
    local reply = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', left, 'STREAMS', KEYS[p], '>')
    if reply then
      for _, entry in ipairs(reply[1][2]) do
        local flat = { p - 1, entry[1] }
        for _, part in ipairs(entry[2] or {}) do
          flat[#flat + 1] = part
        end
        found[#found + 1] = flat
        left = left - 1
      end
    end
  end
end
return found
