#!lua
-- One message and its notify, or parked until it is due. Refused by a full server, as a push is.
-- KEYS: 1 list, 2 notify, 3 unacked, 4 unacked_index.
-- ARGV: 1 message, then, when it has an eta: 2 due (epoch seconds), 3 tag, 4 JSON suffix,
--       5 length of the priority's suffix, 6 task id, 7 poll_seconds.
if ARGV[2] then
    local t = redis.call('TIME')
    local now, due = tonumber(t[1]) + tonumber(t[2]) / 1000000, tonumber(ARGV[2])
    if due > now then
        local tag, place = ARGV[3], KEYS[3]
        while redis.call('ZSCORE', KEYS[4], tag) do -- an exchange with two queues: one tag for both
            tag = ARGV[3] .. '#' .. redis.call('INCR', place .. ':copies')
        end
        redis.call('HSET', place, tag, '[' .. ARGV[1] .. ARGV[4])
        redis.call('ZADD', KEYS[4], ARGV[2], tag)
        redis.call('ZADD', place .. ':parked', ARGV[2], tag)
        redis.call('HSET', place .. ':parked_at', tag,
            #ARGV[4] .. '|' .. ARGV[5] .. '|' .. ARGV[6] .. '|' .. KEYS[1])
        local queue = string.sub(KEYS[1], 1, #KEYS[1] - tonumber(ARGV[5]))
        redis.pcall('HINCRBY', place .. ':flow', 'delayed|' .. queue, 1)
        if ARGV[6] ~= '' then redis.call('HSET', place .. ':parked_ids', ARGV[6], tag) end
        -- Due before the idle look again: wake one, so that it sleeps no longer than that.
        if due - now < tonumber(ARGV[7]) and redis.call('EXISTS', KEYS[2]) == 0 then
            redis.call('LPUSH', KEYS[2], '1')
        end
        return 0
    end
end
local length = redis.call('LPUSH', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('LPUSH', KEYS[2], '1') end
return length
