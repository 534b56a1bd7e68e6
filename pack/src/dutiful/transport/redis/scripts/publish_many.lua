-- Messages of one list, all or none, and its notify list. Refused by a full server, as a push is.
-- KEYS: 1 dutiful:layout, 2 list, 3 notify list. ARGV: the messages, at most a thousand (Lua's
-- stack).
write_layout()
local length = redis.call('LPUSH', KEYS[2], unpack(ARGV))
notify(KEYS[3])
return length
