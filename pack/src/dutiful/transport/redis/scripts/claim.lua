-- Hands out messages: looks, decodes, notes the owner, pops last.
-- KEYS: 4.. the lists of each queue, in the order in which they are to be served.
-- ARGV: 1 owner ('' for a consumer without acks), 2 epoch, 3 room, 4 bytes a claim, 5 bytes a
--       message, 6 crashes that make a suspect (0: no trials here), 7 seconds after which
--       a suspect that nobody called comes by itself, 8 lists a queue, 9 '1' where the worker
--       gives a hearing, whatever is noted here, then for each queue: name, room, 'ack' or 'noack'.
-- Returns status, server's seconds, next due or '', which queues have more (a letter each: y/n),
--       then five for each message: queue number, tag, crashes, 'hearing', 'trial' or '', message.
local owner, room, steps = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[8])
local claim_bytes, message_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local suspect_after, wait = tonumber(ARGV[6]), tonumber(ARGV[7])
if owner ~= '' and redis.call('HGET', facts_of(owner), 'epoch') ~= ARGV[2] then
    return { 'stale' } -- reaped, or reconnected since this was sent
end
local now = clock()
local next_due, out, left, bytes = unpark_due(now), {}, {}, 0
local score, lined_up = seconds(now), 0

local function look(raw)
    if #raw > message_bytes then return nil, 'too large', #raw .. ' bytes' end
    local ok, message = pcall(cjson.decode, raw)
    if not ok then return nil, 'undecodable', message end
    if type(message) ~= 'table' or type(message.properties) ~= 'table' then
        return nil, 'undecodable', 'no properties'
    end
    local tag = message.properties.delivery_tag
    if type(tag) ~= 'string' or tag == '' or #tag > 512 then return nil, 'no tag', '' end
    local info = message.properties.delivery_info
    if type(info) ~= 'table' then info = {} end
    local place = ', ' .. cjson.encode(type(info.exchange) == 'string' and info.exchange or '')
        .. ', ' .. cjson.encode(type(info.routing_key) == 'string' and info.routing_key or '') .. ']'
    return tag, place, message.headers
end

local function task_id(headers)
    local id = type(headers) == 'table' and headers.id
    return type(id) == 'string' and not string.find(id, '|', 1, true) and id or ''
end

-- A suspect has a hearing: each worker gives one at a time, and it convicts nobody. One whose child
-- died of it in a hearing is put on trial: of these, one at a time in the fleet. And so is one that
-- two workers more have died with, most likely in hearings.
local function hears()
    local tag = redis.call('HGET', facts_of(owner), 'hears')
    return ARGV[9] == '1' or tag and redis.call('HGET', held_by(owner), tag)
end
local function trial_is_free()
    local by, tag = string.match(redis.call('GET', TRIAL) or '', '^([^|]*)|(.*)$')
    return not (by and redis.call('ZSCORE', OWNERS, by) and redis.call('HGET', held_by(by), tag))
end
local function admit(tag, heard)
    if hears() or heard and not trial_is_free() then return false end
    if heard then redis.call('SET', TRIAL, owner .. '|' .. tag) end
    redis.call('HSET', facts_of(owner), 'hears', tag)
    return true
end
-- In line by age, so that one that is looked at and waits on keeps its place.
local function line_up(tag, heard, headers)
    local sent = type(headers) == 'table' and headers.enqueued_at
    if not (type(sent) == 'number' and sent > 0 and sent < now) then
        sent, lined_up = now + lined_up / 1000000, lined_up + 1
    end
    redis.call('ZADD', heard and HEARD or SUSPECTS, seconds(sent), tag)
end

local rooms, taken = {}, {}
for q = 1, (#ARGV - 9) / 3 do rooms[q], taken[q] = tonumber(ARGV[8 + 3 * q]), 0 end

-- Hands out up to `most` of one list. Returns whether it has more.
local function serve(q, step, most)
    local name, mode, list = ARGV[7 + 3 * q], ARGV[9 + 3 * q], KEYS[3 + (q - 1) * steps + step]
    local raw = redis.call('LINDEX', list, -1)
    while raw and math.min(most, rooms[q], room) > 0 and (bytes == 0 or bytes + #raw <= claim_bytes) do
        local tag, place, headers = look(raw)
        local given, crashes, as = false, 0, ''
        if not tag then
            bury(raw, place, headers or '', list, #list - #name, '', owner)
        elseif mode == 'noack' then
            given = true
        else
            if redis.call('ZSCORE', INDEX, tag) then
                -- Bound to two queues, or given out again by stock: a copy, so a tag of its own.
                local fresh = fresh_tag(tag)
                local from, to = string.find(raw, '"' .. tag .. '"', 1, true)
                if from then
                    raw = string.sub(raw, 1, from) .. fresh .. string.sub(raw, to)
                end
                tag = fresh
            end
            local step_size = #list - #name
            crashes = redis.call('HLEN', crashes_of(tag))
            local suspect = suspect_after > 0 and crashes >= suspect_after
            local heard = suspect
                and (crashes >= suspect_after + 2 or redis.call('HGET', crashes_of(tag), 'heard'))
            redis.call('HSET', UNACKED, tag, '[' .. raw .. place)
            if suspect and not admit(tag, heard) then
                park(tag, seconds(now + wait), #place, step_size, list, task_id(headers))
                line_up(tag, heard, headers)
            else
                given, as = true, heard and 'trial' or suspect and 'hearing' or ''
                redis.call('ZADD', INDEX, score, tag)
                local mark = heard and 't' or crashes > 0 and 'c' or 'n'
                redis.call('HSET', held_by(owner), tag, note(score, #place, mark, step_size, list))
                taken[q] = taken[q] + 1
            end
        end
        if given then
            local i = #out
            out[i + 1], out[i + 2], out[i + 3], out[i + 4], out[i + 5] = q, tag, crashes, as, raw
            most, rooms[q], room, bytes = most - 1, rooms[q] - 1, room - 1, bytes + #raw
        end
        redis.call('RPOP', list)
        raw = redis.call('LINDEX', list, -1)
    end
    return raw ~= false
end

-- The first in line that this claim has room for is handed out first. A few are looked at: where
-- others' are before them, those come by themselves when they are due.
local function call(line)
    local places = {}
    for q = 1, #rooms do
        for step = 1, steps do
            places[KEYS[3 + (q - 1) * steps + step]] = rooms[q] > 0 and ARGV[9 + 3 * q] == 'ack' and { q, step }
        end
    end
    for _, tag in ipairs(redis.call('ZRANGE', line, 0, 19)) do
        local _, _, _, list = place_of(tag)
        local place = places[list or '']
        if (place or not list) and unpark(tag, true) then
            serve(place[1], place[2], 1)
            return true
        end
    end
    return false
end

local function oldest(line)
    return tonumber(redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')[2] or math.huge)
end
if suspect_after > 0 and room > 0 and redis.call('EXISTS', SUSPECTS, HEARD) > 0 and not hears() then
    local lines = oldest(HEARD) < oldest(SUSPECTS) and { HEARD, SUSPECTS } or { SUSPECTS, HEARD }
    for _, line in ipairs(lines) do
        if (line == SUSPECTS or trial_is_free()) and call(line) then break end
    end
end

for q = 1, (#ARGV - 9) / 3 do
    local name, more = ARGV[7 + 3 * q], false
    for step = 1, steps do more = serve(q, step, rooms[q]) or more end
    if taken[q] > 0 then flow('taken', name, 0, taken[q]) end
    left[q] = more and 'y' or 'n'
    local notify = name .. ':notify'
    if not more then
        redis.call('DEL', notify)
    elseif redis.call('EXISTS', notify) == 0 then
        redis.call('LPUSH', notify, '1')
    end
end
return { 'ok', score, next_due, table.concat(left), unpack(out) }
