#!lua flags=no-writes
-- What there is, for monitoring: a few commands for each queue and each owner, however much waits.
-- KEYS: 1 unacked, 2 dead_letters, 3.. the lists of each queue. ARGV: 1 lists a queue, 2 owners at
--       the most.
-- Returns the server's seconds, its queues (depth, then for each list that is not empty three
--       words: enqueued_at, eta and eligible_at of the message that is next), its owners (id, last
--       refresh, facts, number held), the counters of `flow`, how many are parked, how many of
--       these are suspects, how many are dead, and the id of the oldest of these.
local UNACKED, DEAD, steps = KEYS[1], KEYS[2], tonumber(ARGV[1])
local time, queues, owners = redis.call('TIME'), {}, {}

for first = 3, #KEYS, steps do
    local found, depth = { 0 }, 0
    for i = first, first + steps - 1 do
        local length = redis.call('LLEN', KEYS[i])
        if length > 0 then
            local raw = redis.call('LINDEX', KEYS[i], -1)
            -- Quotes within texts are escaped, and the body is base64: only keys look like this.
            found[#found + 1] = string.match(raw, '"enqueued_at": ?(%d[%d%.]*)') or ''
            found[#found + 1] = string.match(raw, '"eta": ?"([^"]+)"') or ''
            found[#found + 1] = string.match(raw, '"eligible_at": ?(%d[%d%.]*)') or ''
            depth = depth + length
        end
    end
    found[1] = depth
    queues[#queues + 1] = found
end

local listed = redis.call('ZREVRANGE', UNACKED .. ':owners', 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
for i = 1, #listed, 2 do
    local id = listed[i]
    owners[#owners + 1] = {
        id, listed[i + 1],
        redis.call('HGET', UNACKED .. ':owner:' .. id, 'facts') or '{}',
        redis.call('HLEN', UNACKED .. ':held:' .. id),
    }
end

local oldest = redis.call('XRANGE', DEAD, '-', '+', 'COUNT', 1)[1]
return {
    time[1] .. '.' .. string.format('%06d', tonumber(time[2])), queues, owners,
    redis.call('HGETALL', UNACKED .. ':flow'),
    redis.call('ZCARD', UNACKED .. ':parked'),
    redis.call('ZCARD', UNACKED .. ':suspects') + redis.call('ZCARD', UNACKED .. ':heard'),
    redis.call('XLEN', DEAD), oldest and oldest[1] or '',
}
