-- Moves a batch of what waits in one queue to another: in one step, so it is there once, always.
-- KEYS: 4.. pairs of lists, of the queue that it is in and of the one that it goes to; of a list,
--       one pair, then all lists of the queue that it is in.
-- ARGV: 1 list|parked, 2 task's name as JSON writes it ('' for every one), 3 the new queue in JSON,
--   list: 4 messages at most, 5 bytes at most, 6 how many at the list's end stay, 7 the
--       last of these, 8 length of the priority's suffix. Returns how many moved, how many at the
--       end stay by now, the last of these, 1 where all has been looked at, bytes looked at.
--   parked: 4.. tags. Returns how many moved.
local what, task, place = ARGV[1], ARGV[2], ARGV[3]
local MARK, CHUNK = 'moved by reroute', 20
local WANTED = { -- and how deep they lie
    ['headers.task'] = 2,
    ['properties.delivery_info.exchange'] = 3,
    ['properties.delivery_info.routing_key'] = 3,
}

-- Where these strings lie, quotes included. The message is not decoded and written anew: numbers
-- and empty lists would change. What is within the body, or deeper in a header, is not meant.
local function strings(raw)
    local found, path, depth, at = {}, {}, 0, 0
    while true do
        at = string.find(raw, '["{}%[%]]', at + 1)
        if not at then return found end
        local sign = string.sub(raw, at, at)
        if sign == '{' or sign == '[' then
            depth = depth + 1
            path[depth] = ''
        elseif sign ~= '"' then
            depth = depth - 1
        else
            local from = at
            repeat
                at = string.find(raw, '["\\]', at + 1)
                local escape = at and string.byte(raw, at) == 92
                if escape then at = at + 1 end
            until not escape
            if not at then return found end
            if string.find(raw, '^%s*:', at + 1) then
                path[depth] = string.sub(raw, from + 1, at - 1)
            elseif depth == 2 or depth == 3 then
                local name = table.concat(path, '.', 1, depth)
                if WANTED[name] == depth then found[name] = { from, at } end
            end
        end
    end
end

-- The same at a twentieth of the cost, of a message as Celery and kombu write it: each of the names
-- comes once, and nothing is nested before it. Within texts their quotes are escaped.
local function once(raw, name)
    local from, to = string.find(raw, name, 1, true)
    return from and not string.find(raw, name, to, true) and from
end
local function quick(raw)
    local found, from = {}, once(raw, '"properties"')
    local info = from and once(raw, '"delivery_info"')
    if not info or not string.find(string.sub(raw, from, info - 1), '^"properties": ?{[^{}]*$') then
        return nil
    end
    local first, last = string.find(raw, '^"delivery_info": ?{[^{}\\]*}', info)
    if not first then return nil end
    for _, name in ipairs({ 'exchange', 'routing_key' }) do
        local _, key = string.find(raw, '"' .. name .. '": ?"', first)
        if key and key < last then
            found['properties.delivery_info.' .. name] = { key, string.find(raw, '"', key + 1, true) }
        end
    end
    if task ~= '' then
        local headers = once(raw, '"headers"')
        local _, key = string.find(raw, '^"headers": ?{[^{}\\]-"task": ?"', headers or 1)
        if not headers or not key then return nil end
        found['headers.task'] = { key, string.find(raw, '"', key + 1, true) }
    end
    return found
end

-- The message for its new queue, which retries and stock workers read its place from; nil where
-- another task was asked for.
local function moved(raw)
    local found = quick(raw) or strings(raw)
    if task ~= '' then
        local its = found['headers.task']
        if not its or string.sub(raw, its[1] + 1, its[2] - 1) ~= task then return nil end
    end
    local exchange = found['properties.delivery_info.exchange']
    local key = found['properties.delivery_info.routing_key']
    if key and exchange and exchange[1] > key[1] then -- from the end, so that places stay
        raw = string.sub(raw, 1, exchange[1] - 1) .. '""' .. string.sub(raw, exchange[2] + 1)
        exchange = nil
    end
    if key then raw = string.sub(raw, 1, key[1] - 1) .. place .. string.sub(raw, key[2] + 1) end
    if exchange then
        raw = string.sub(raw, 1, exchange[1] - 1) .. '""' .. string.sub(raw, exchange[2] + 1)
    end
    return raw
end

if what == 'parked' then
    local to, suffix, count = {}, ', "", ' .. place .. ']', 0
    for i = 4, #KEYS, 2 do to[KEYS[i]] = KEYS[i + 1] end
    for i = 4, #ARGV do
        local tag = ARGV[i]
        local at = redis.call('HGET', PARKED_AT, tag) or ''
        local old, step, task_id, list = string.match(at, '^(%d+)|(%d+)|([^|]*)|(.*)$')
        local due, score = redis.call('ZSCORE', PARKED, tag), redis.call('ZSCORE', INDEX, tag)
        -- Another score: a stock worker has it.
        if list and to[list] and due and score and tonumber(due) == tonumber(score) then
            local raw = message_of(tag, tonumber(old))
            raw = raw and moved(raw)
            if raw then
                redis.call('HSET', UNACKED, tag, '[' .. raw .. suffix)
                redis.call('HSET', PARKED_AT, tag, #suffix .. '|' .. step .. '|' .. task_id .. '|' .. to[list])
                flow('delayed', list, tonumber(step), -1)
                flow('delayed', to[list], tonumber(step), 1)
                count = count + 1
            end
        end
    end
    return count
end

local from, to = KEYS[4], KEYS[5]
local most, most_bytes, stay, last = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
if stay > 0 and redis.call('LINDEX', from, -stay) ~= last then
    -- Workers have taken some of those that stay, or put some back.
    local index = redis.call('LPOS', from, last, 'RANK', -1, 'MAXLEN', stay + 1000)
    stay = index and redis.call('LLEN', from) - index or 0
end
local going, places, looked, bytes, done = {}, {}, 0, 0, 0
local kept, kept_last = 0, last
while looked < most and bytes < most_bytes do
    local first = stay + looked
    local chunk = redis.call('LRANGE', from, -(first + CHUNK), -(first + 1))
    for i = #chunk, 1, -1 do
        looked, bytes = looked + 1, bytes + #chunk[i]
        local raw = moved(chunk[i])
        if raw then
            going[#going + 1], places[#places + 1] = raw, -(stay + looked)
        else
            kept, kept_last = kept + 1, chunk[i]
        end
    end
    if #chunk < CHUNK then
        done = 1
        break
    end
end
if #going > 0 then
    redis.call('LPUSH', to, unpack(going)) -- the one thing that can fail is the first
    for _, index in ipairs(places) do redis.call('LSET', from, index, MARK) end
    redis.call('LREM', from, -#going, MARK)
    if redis.call('ZCARD', OWNERS) > 0 then notify_list(to, tonumber(ARGV[8])) end
end
if done == 1 and redis.call('EXISTS', unpack(KEYS, 6)) == 0 then
    redis.call('DEL', string.sub(from, 1, #from - tonumber(ARGV[8])) .. ':notify')
end
return { #going, stay + kept, kept_last, done, bytes }
