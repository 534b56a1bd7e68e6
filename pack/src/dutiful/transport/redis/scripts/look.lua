-- What there is, for monitoring: a few commands for each queue and each owner, however much waits.
-- KEYS: 1 dutiful:layout, 2 dutiful:dead_letters, 3.. the lists of each queue. ARGV: 1 lists a
--       queue, 2 owners at the most.
-- Returns the server's seconds, its queues (depth, then for each list that is not empty three:
--       enqueued_at, eta and eligible_at of the message that is next), its owners (id, last
--       refresh, facts, number held), the counters of `flow`, how many are parked, how many of
--       these are suspects, how many are dead, and the id of the oldest of these.
local DEAD, steps = KEYS[2], tonumber(ARGV[1])
local time, queues, owners = redis.call('TIME'), {}, {}
local bytes_left = 1048576 -- that are decoded in one look

local function stamps(raw)
    if #raw > bytes_left then return '', '', '' end
    bytes_left = bytes_left - #raw
    local ok, message = pcall(cjson.decode, raw)
    if not ok or type(message) ~= 'table' then return '', '', '' end
    local headers = type(message.headers) == 'table' and message.headers or {}
    local sent, eta, eligible = headers.enqueued_at, headers.eta, false
    local tag = type(message.properties) == 'table' and message.properties.delivery_tag
    if type(tag) == 'string' then eligible = redis.call('HGET', notes_of(tag), 'eligible_at') end
    return type(sent) == 'number' and seconds(sent) or '', type(eta) == 'string' and eta or '', eligible or ''
end

for first = 3, #KEYS, steps do
    local found, depth = { 0 }, 0
    for i = first, first + steps - 1 do
        local length = redis.call('LLEN', KEYS[i])
        if length > 0 then
            local at = #found
            found[at + 1], found[at + 2], found[at + 3] = stamps(redis.call('LINDEX', KEYS[i], -1))
            depth = depth + length
        end
    end
    found[1] = depth
    queues[#queues + 1] = found
end

local listed = redis.call('ZREVRANGE', OWNERS, 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
for i = 1, #listed, 2 do
    local id = listed[i]
    owners[#owners + 1] = {
        id, listed[i + 1],
        redis.call('HGET', facts_of(id), 'facts') or '{}',
        redis.call('HLEN', held_by(id)),
    }
end

local oldest = redis.call('XRANGE', DEAD, '-', '+', 'COUNT', 1)[1]
return {
    time[1] .. '.' .. string.format('%06d', tonumber(time[2])), queues, owners,
    redis.call('HGETALL', FLOW),
    redis.call('ZCARD', PARKED),
    redis.call('ZCARD', SUSPECTS) + redis.call('ZCARD', FINALISTS),
    redis.call('XLEN', DEAD), oldest and oldest[1] or '',
}
