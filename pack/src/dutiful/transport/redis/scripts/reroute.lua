-- Moves messages of one queue to another: in one step, so each is there once, always. The client
-- rewrites the messages; here they are compared with what lies there, and not read.
-- KEYS: 3.. by what is asked for. ARGV: 1 read|waiting|parked, then
--   read: KEYS 3 a list. ARGV 2 messages at most, 3 bytes at most, 4 how many at the list's end stay,
--       5 the last of these. Returns how many at the end stay by now, then messages, oldest first.
--   waiting: KEYS 3 a list, 4 the one to move to, 5.. all lists of the first one's queue. ARGV 2
--       length of the priority's suffix, 3 how many at the list's end stay, then for each message
--       its old text and its new one. Returns how many moved.
--   parked: KEYS pairs of lists, of the old queue and of the new. ARGV for each message its id and
--       its new text. Returns how many moved.
local what = ARGV[1]
local function position(list, text, reach)
    local index = redis.call('LPOS', list, text, 'RANK', -1, 'MAXLEN', reach)
    return index and redis.call('LLEN', list) - index -- 1 is the end
end

if what == 'parked' then
    local to, count = {}, 0
    for i = 3, #KEYS, 2 do to[KEYS[i]] = KEYS[i + 1] end
    for i = 2, #ARGV, 2 do
        local id = ARGV[i]
        local place = parked_place(id)
        local list = place and to[place.list]
        if list and redis.call('HEXISTS', MESSAGES, id) == 1 then
            redis.call('HSET', MESSAGES, id, ARGV[i + 1])
            redis.call('HSET', PARKED_AT, id, cjson.encode({ list, place.step, place.task_id, place.noted }))
            flow('delayed', place.list, place.step, -1)
            flow('delayed', list, place.step, 1)
            count = count + 1
        end
    end
    return count
end

local from = KEYS[3]
if what == 'read' then
    local most, most_bytes, stay, last = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
    if stay > 0 and redis.call('LINDEX', from, -stay) ~= last then
        -- Workers have taken some of those that stay, or put some back.
        stay = position(from, last, stay + 1000) or 0
    end
    local out, bytes = { stay }, 0
    while #out <= most and bytes < most_bytes do
        local raw = redis.call('LINDEX', from, -(stay + #out))
        if not raw then break end
        bytes, out[#out + 1] = bytes + #raw, raw
    end
    return out
end

local to, step, moved = KEYS[4], tonumber(ARGV[2]), 0
local reach, mark = tonumber(ARGV[3]) + #ARGV + 1000, 'moved by reroute ' .. new_id('')
for i = 4, #ARGV, 2 do
    local at = position(from, ARGV[i], reach)
    if at then
        redis.call('LPUSH', to, ARGV[i + 1]) -- the one thing that can fail is the first
        redis.call('LSET', from, -at, mark)
        moved = moved + 1
    end
end
if moved > 0 then
    redis.call('LREM', from, -moved, mark)
    if redis.call('ZCARD', OWNERS) > 0 then notify_queue(to, step) end
end
if redis.call('EXISTS', unpack(KEYS, 5)) == 0 then
    redis.call('DEL', string.sub(from, 1, #from - step) .. ':notify')
end
tidy()
return moved
