--[[ Delete entries that were delivered, are pending for nobody, and were not deleted: what somebody leaves behind who deletes a
  consumer or destroys its pending list by hand. Nobody would ever look at them again, and they count as filling the stream.
  KEYS[1] stream   ARGV[1] group   ARGV[2] start behind this entry id ('-': at the beginning)   ARGV[3] most entries to look at
  Returns { deleted, id of the last entry that was looked at ('' at the end of what was delivered) }. ]]
local last
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err then
  return { 0, '' }
end
for _, group in ipairs(groups) do
  if group[2] == ARGV[1] then
    last = group[8]
  end
end
if not last then
  return { 0, '' }
end
local from = ARGV[2] == '-' and '-' or '(' .. ARGV[2]
local entries = redis.call('XRANGE', KEYS[1], from, last, 'COUNT', ARGV[3])
local deleted = 0
for _, entry in ipairs(entries) do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1) == 0 then
    deleted = deleted + redis.call('XDEL', KEYS[1], entry[1])
  end
end
if #entries < tonumber(ARGV[3]) then
  return { deleted, '' }
end
return { deleted, entries[#entries][1] }
