-- Hands out messages: looks, decodes, notes the owner, pops last.
-- KEYS: 4.. the lists of each queue, in the order in which they are to be served.
-- ARGV: 1 owner ('' for a consumer without acks), 2 epoch, 3 room, 4 bytes a claim, 5 bytes a
--       message, 6 crashes that make a suspect (0: no trials here), 7 seconds after which
--       a suspect waits no longer for its call, 8 lists a queue, then for each queue: name, room,
--       'ack' or 'noack'.
-- Returns status, server's seconds, next due or '', which queues have more (a letter each: y/n),
--       then five for each message: queue number, tag, crashes, 'trial' or '', message.
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

local function try(tag)
    if not trial_is_free() then return false end
    redis.call('SET', TRIAL, owner .. '|' .. tag)
    return true
end

for q = 1, (#ARGV - 8) / 3 do
    local name, mode = ARGV[6 + 3 * q], ARGV[8 + 3 * q]
    local here = math.min(tonumber(ARGV[7 + 3 * q]), room)
    local more, taken = false, 0
    for step = 1, steps do
        local list = KEYS[3 + (q - 1) * steps + step]
        local raw = redis.call('LINDEX', list, -1)
        while raw and here > 0 and (bytes == 0 or bytes + #raw <= claim_bytes) do
            local tag, place, headers = look(raw)
            if not tag then
                bury(raw, place, headers or '', list, #list - #name, '', owner)
            elseif mode == 'noack' then
                out[#out + 1] = q; out[#out + 1] = tag; out[#out + 1] = 0
                out[#out + 1] = ''; out[#out + 1] = raw
                here, room, bytes = here - 1, room - 1, bytes + #raw
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
                local crashes = redis.call('HLEN', crashes_of(tag))
                local suspect = suspect_after > 0 and crashes >= suspect_after
                if suspect and not try(tag) then
                    redis.call('HSET', UNACKED, tag, '[' .. raw .. place)
                    -- Called when the trial is free; due by itself where nobody calls any more.
                    park(tag, seconds(now + wait), #place, step_size, list, task_id(headers))
                    lined_up = lined_up + 1
                    redis.call('ZADD', SUSPECTS, seconds(now + lined_up / 1000000), tag)
                else
                    redis.call('HSET', UNACKED, tag, '[' .. raw .. place)
                    redis.call('ZADD', INDEX, score, tag)
                    local mark = suspect and 't' or crashes > 0 and 'c' or 'n'
                    redis.call('HSET', held_by(owner), tag, note(score, #place, mark, step_size, list))
                    out[#out + 1] = q; out[#out + 1] = tag; out[#out + 1] = crashes
                    out[#out + 1] = suspect and 'trial' or ''; out[#out + 1] = raw
                    here, room, bytes = here - 1, room - 1, bytes + #raw
                    taken = taken + 1
                end
            end
            redis.call('RPOP', list)
            raw = redis.call('LINDEX', list, -1)
        end
        more = more or raw ~= false
    end
    if taken > 0 then flow('taken', name, 0, taken) end
    left[q] = more and 'y' or 'n'
    local bell = name .. ':bell'
    if not more then
        redis.call('DEL', bell)
    elseif redis.call('EXISTS', bell) == 0 then
        redis.call('LPUSH', bell, '1')
    end
end
return { 'ok', score, next_due, table.concat(left), unpack(out) }
