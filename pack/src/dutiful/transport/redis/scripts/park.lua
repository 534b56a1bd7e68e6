-- The second half of a publish: parks a message until it is due. Keys and arguments: publish.lua.
local now, due = clock(), tonumber(ARGV[2])
if due <= now then return push() end
local id = new_id(ARGV[3])
redis.call('HSET', MESSAGES, id, ARGV[1])
park_at(id, ARGV[2], KEYS[2], tonumber(ARGV[4]), ARGV[5], false)
-- Due before the idle look again: wake one, so that it sleeps no longer than that.
if due - now < tonumber(ARGV[6]) then notify(KEYS[3]) end
return 0
