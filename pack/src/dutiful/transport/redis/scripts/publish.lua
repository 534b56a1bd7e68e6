-- One message into its list, and the queue's notify list. Refused by a full server, as a push is. With
-- an eta the script goes on in park.lua; this half comes first, since it is each publish's cost.
-- KEYS: 1 dutiful:layout, 2 list, 3 notify list.
-- ARGV: 1 message, then, when it has an eta: 2 due (epoch seconds), 3 tag, 4 length of the
--       priority's suffix, 5 task id, 6 poll_seconds.
write_layout()
local function push()
    local length = redis.call('LPUSH', KEYS[2], ARGV[1])
    notify(KEYS[3])
    return length
end
if not ARGV[2] then return push() end
