-- Hands out messages: looks, decodes, notes the owner, pops last.
-- KEYS: 3.. the lists of each queue, in the order in which they are to be served.
-- ARGV: 1 owner ('' for a consumer without acks), 2 epoch, 3 capacity, 4 bytes a claim, 5 bytes a
--       message, 6 crashes that make a suspect (0: no isolated runs here), 7 seconds after which a
--       suspect that was not handed out is looked at again, 8 lists a queue, 9 '1' where the worker
--       has an isolated run, whatever is noted here, then for each queue: name, capacity, 'ack' or
--       'noack'.
-- Returns status, server's seconds, next due or '', which queues have more (y or n for each), then
--       seven for each message: queue number, id, crashes, 'isolated', 'final' or '', redelivered
--       ('1' or ''), eligible_at or '', message.
local owner, capacity, steps = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[8])
local claim_bytes, message_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local suspect_after, wait = tonumber(ARGV[6]), tonumber(ARGV[7])
local FIELDS, MOST_LOOKED = 7, 1000
if owner ~= '' and redis.call('HGET', facts_of(owner), 'epoch') ~= ARGV[2] then
    return { 'stale' } -- reaped, or reconnected since this was sent
end
local now = clock()
local next_due, out, left = unpark_due(now), {}, {}
local looked, bytes, lined_up = 0, 0, 0

-- Returns the tag and the headers, or nil, the reason why it cannot be handed out and its detail.
local function look(raw)
    if #raw > message_bytes then return nil, 'too large', #raw .. ' bytes' end
    local ok, message = pcall(cjson.decode, raw)
    if not ok then return nil, 'undecodable', message end
    if type(message) ~= 'table' or type(message.properties) ~= 'table' then
        return nil, 'undecodable', 'no properties'
    end
    local tag = message.properties.delivery_tag
    if type(tag) ~= 'string' or tag == '' or #tag > 512 then return nil, 'no tag', '' end
    return tag, type(message.headers) == 'table' and message.headers or {}
end

-- A worker has one isolated run at a time. The final one, which may end in a dead letter, is for a
-- message whose child died in an isolated run, or with which two workers more have died, most
-- likely in isolated runs: there is one at a time in the fleet.
local function isolates()
    local id = redis.call('HGET', facts_of(owner), 'isolates')
    return ARGV[9] == '1' or id and redis.call('HEXISTS', held_by(owner), id) == 1
end
local function final_run_is_free()
    local run = redis.call('HMGET', FINAL_RUN, 'owner', 'id')
    return not (run[1] and run[2] and redis.call('ZSCORE', OWNERS, run[1])
        and redis.call('HEXISTS', held_by(run[1]), run[2]) == 1)
end
local function admit(id, final)
    if isolates() or final and not final_run_is_free() then return false end
    if final then redis.call('HSET', FINAL_RUN, 'owner', owner, 'id', id) end
    redis.call('HSET', facts_of(owner), 'isolates', id)
    return true
end
-- In line by age, so that one that is looked at and waits on keeps its place.
local function line_up(id, final, headers)
    local sent = headers.enqueued_at
    if not (type(sent) == 'number' and sent > 0 and sent < now) then
        sent, lined_up = now + lined_up / 1000000, lined_up + 1
    end
    redis.call('ZADD', final and FINALISTS or SUSPECTS, seconds(sent), id)
end

local room, taken = {}, {}
for q = 1, (#ARGV - 9) / 3 do room[q], taken[q] = tonumber(ARGV[8 + 3 * q]), 0 end

-- Notes one message under its owner. Returns its id and how it is to run, or nil where it is parked.
local function take(raw, tag, headers, crashes, noted, list, step_size)
    local id = new_id(tag)
    local suspect = suspect_after > 0 and crashes >= suspect_after
    local final = suspect
        and (crashes >= suspect_after + 2 or redis.call('HEXISTS', crashes_of(tag), 'isolated') == 1)
    redis.call('HSET', MESSAGES, id, raw)
    if suspect and not admit(id, final) then
        local task_id = type(headers.id) == 'string' and headers.id or ''
        park(id, seconds(now + wait), list, step_size, task_id)
        line_up(id, final, headers)
        return nil
    end
    local mark = final and 'f' or noted and 'c' or 'n'
    redis.call('HSET', held_by(owner), id, held_place(list, step_size, mark))
    return id, final and 'final' or suspect and 'isolated' or ''
end

-- Hands out up to `most` of one list. Returns whether it has more.
local function serve(q, step, most)
    local name, mode, list = ARGV[7 + 3 * q], ARGV[9 + 3 * q], KEYS[2 + (q - 1) * steps + step]
    local step_size = #list - #name
    local raw = redis.call('LINDEX', list, -1)
    while raw and math.min(most, room[q], capacity) > 0 and looked < MOST_LOOKED
        and (bytes == 0 or bytes + #raw <= claim_bytes) do
        looked, bytes = looked + 1, bytes + #raw
        local tag, headers, detail = look(raw)
        if not tag then
            bury(raw, headers, detail, list, step_size, '', owner)
        else
            local noted = redis.call('EXISTS', notes_of(tag), crashes_of(tag)) > 0
            local crashes, notes = 0, {}
            if noted then
                crashes = redis.call('HLEN', crashes_of(tag))
                notes = redis.call('HMGET', notes_of(tag), 'redelivered', 'eligible_at')
            end
            local id, as = tag, ''
            if mode == 'noack' then
                if noted then redis.call('DEL', notes_of(tag), crashes_of(tag)) end
            else
                id, as = take(raw, tag, headers, crashes, noted, list, step_size)
            end
            if id then
                local i = #out
                out[i + 1], out[i + 2], out[i + 3], out[i + 4] = q, id, crashes, as
                out[i + 5], out[i + 6], out[i + FIELDS] = notes[1] or '', notes[2] or '', raw
                most, room[q], capacity = most - 1, room[q] - 1, capacity - 1
                if mode ~= 'noack' then taken[q] = taken[q] + 1 end
            end
        end
        redis.call('RPOP', list)
        raw = redis.call('LINDEX', list, -1)
    end
    return raw ~= false
end

-- The first in line that this claim has capacity for is handed out first. Some are looked at: where
-- those of other queues are before them, they are handed out when they are due.
local function serve_line(line)
    local places = {}
    for q = 1, #room do
        for step = 1, steps do
            places[KEYS[2 + (q - 1) * steps + step]] = room[q] > 0 and ARGV[9 + 3 * q] == 'ack' and { q, step }
        end
    end
    for _, id in ipairs(redis.call('ZRANGE', line, 0, 19)) do
        local parked = parked_place(id)
        local place = parked and places[parked.list]
        if not parked then
            no_longer_parked(id)
        elseif place and unpark(id, true) then
            serve(place[1], place[2], 1)
            return true
        end
    end
    return false
end

local function oldest(line)
    return tonumber(redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')[2] or math.huge)
end
if suspect_after > 0 and capacity > 0 and redis.call('EXISTS', SUSPECTS, FINALISTS) > 0 and not isolates() then
    local lines = { SUSPECTS, FINALISTS }
    if oldest(FINALISTS) < oldest(SUSPECTS) then lines = { FINALISTS, SUSPECTS } end
    for _, line in ipairs(lines) do
        if (line == SUSPECTS or final_run_is_free()) and serve_line(line) then break end
    end
end

for q = 1, #room do
    local name, more = ARGV[7 + 3 * q], false
    for step = 1, steps do more = serve(q, step, room[q]) or more end
    if taken[q] > 0 then flow('taken', name, 0, taken[q]) end
    left[q] = more and 'y' or 'n'
    if more then notify(name .. ':notify') else redis.call('DEL', name .. ':notify') end
end
return { 'ok', seconds(now), next_due, table.concat(left), unpack(out) }
