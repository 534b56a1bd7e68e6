#!lua
-- Messages of one list, all or none, and its notify. Refused by a full server, as a push is.
-- KEYS: 1 list, 2 notify. ARGV: the messages, at most some thousands (Lua's stack).
local length = redis.call('LPUSH', KEYS[1], unpack(ARGV))
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('LPUSH', KEYS[2], '1') end
return length
