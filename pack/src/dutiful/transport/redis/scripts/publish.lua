-- One message into its list, and the queue's notify list; or parked until it is due. Refused by a
-- full server, as a push is.
-- KEYS: 1 dutiful:layout, 2 list, 3 notify list.
-- ARGV: 1 message, then, when it has an eta: 2 due (epoch seconds), 3 tag, 4 length of the
--       priority's suffix, 5 task id, 6 poll_seconds.
write_layout()
if ARGV[2] then
    local now, due = clock(), tonumber(ARGV[2])
    if due > now then
        local id = new_id(ARGV[3])
        redis.call('HSET', MESSAGES, id, ARGV[1])
        park_at(id, ARGV[2], KEYS[2], tonumber(ARGV[4]), ARGV[5], false)
        -- Due before the idle look again: wake one, so that it sleeps no longer than that.
        if due - now < tonumber(ARGV[6]) then notify(KEYS[3]) end
        return 0
    end
end
local length = redis.call('LPUSH', KEYS[2], ARGV[1])
notify(KEYS[3])
return length
