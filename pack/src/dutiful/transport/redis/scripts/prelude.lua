#!lua flags=allow-oom
-- Shared by every script that settles or claims; `dutiful/transport/redis/scripts/__init__.py` puts it in front.
-- allow-oom: a full server must still be drained. Nothing that can fail follows a pop, since Lua
-- does not roll back. KEYS of every script: 1 unacked, 2 unacked_index, 3 dead_letters.
local UNACKED, INDEX, DEAD = KEYS[1], KEYS[2], KEYS[3]
local OWNERS, PARKED, PARKED_AT, TASK_IDS = UNACKED .. ':owners', UNACKED .. ':parked',
    UNACKED .. ':parked_at', UNACKED .. ':parked_ids'
local TRIAL, QUIET = UNACKED .. ':trial', UNACKED .. ':quiet'
local SUSPECTS, HEARD = UNACKED .. ':suspects', UNACKED .. ':heard' -- parked: in line, by age
local FLOW = UNACKED .. ':flow' -- by queue: taken, put back, acked, dead, ever; delayed now; owners lost
local CRASHES_KEPT = 604800 -- seconds; only for those that stock Celery acknowledged

local function held_by(owner) return UNACKED .. ':held:' .. owner end
local function facts_of(owner) return UNACKED .. ':owner:' .. owner end
local function crashes_of(tag) return UNACKED .. ':crashes:' .. tag end
local function seconds(t) return string.format('%.6f', t) end
local function clock()
    local t = redis.call('TIME')
    return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

-- One more, or less, of what monitoring counts. `step` is the length of the priority's suffix.
-- pcall: whatever lies at that key, a message's way goes on.
local function flow(what, list, step, by)
    redis.pcall('HINCRBY', FLOW, what .. '|' .. string.sub(list, 1, #list - step), by)
end

local function fresh_tag(tag)
    local fresh
    repeat
        fresh = tag .. '#' .. redis.call('INCR', UNACKED .. ':copies')
    until not redis.call('ZSCORE', INDEX, fresh)
    return fresh
end

local function notify_list(list, step)
    -- `step` is the length of the priority's suffix: a queue has one notify, not one a priority.
    local notify = string.sub(list, 1, #list - step) .. ':notify'
    if redis.call('EXISTS', notify) == 0 then redis.call('LPUSH', notify, '1') end
end

-- An owner's note of one tag. The score is the fence: whoever else takes the tag changes it.
-- mark: n(ew), c(rashed before), t(he one on trial).
local function note(score, suffix, mark, step, list)
    return score .. '|' .. suffix .. '|' .. mark .. '|' .. step .. '|' .. list
end
local function mine(owner, tag)
    local value = redis.call('HGET', held_by(owner), tag)
    if not value then return nil end
    local score, suffix, mark, step, list =
        string.match(value, '^([^|]*)|(%d+)|(%a)|(%d+)|(.*)$')
    local held = redis.call('ZSCORE', INDEX, tag)
    if not held or tonumber(held) ~= tonumber(score) then
        redis.call('HDEL', held_by(owner), tag)
        return nil -- another has it by now
    end
    return { score = score, suffix = tonumber(suffix), mark = mark, step = tonumber(step), list = list }
end

-- `unacked` holds stock's layout, [message, exchange, routing_key]; here is the message again.
local function message_of(tag, suffix)
    local stored = redis.call('HGET', UNACKED, tag)
    return stored and string.sub(stored, 2, -(suffix + 1))
end
local function redelivered(raw)
    if string.find(raw, '"redelivered": ?true') then return raw end
    local told, found = string.gsub(raw, '("delivery_info": ?{)}', '%1"redelivered": true}', 1)
    if found == 0 then
        told = string.gsub(raw, '("delivery_info": ?{)', '%1"redelivered": true, ', 1)
    end
    return told
end

-- When it may be claimed again, for those that wait without an eta: their age counts from there.
local function eligible(raw, due)
    if string.find(raw, '"eta": ?"') then return raw end
    local at = '"eligible_at": ' .. due
    local told, found = string.gsub(raw, '"eligible_at": ?[%d%.]+', at, 1)
    if found == 1 then return told end
    return (string.gsub(raw, '("properties": ?{)', '%1' .. at .. ', ', 1))
end

local function park(tag, due, suffix, step, list, task_id)
    redis.call('ZADD', INDEX, due, tag)
    redis.call('ZADD', PARKED, due, tag)
    local at = suffix .. '|' .. step .. '|' .. task_id .. '|' .. list
    if redis.call('HSET', PARKED_AT, tag, at) == 1 then flow('delayed', list, step, 1) end
    if task_id ~= '' then redis.call('HSET', TASK_IDS, task_id, tag) end
end
local function place_of(tag)
    return string.match(redis.call('HGET', PARKED_AT, tag) or '', '^(%d+)|(%d+)|([^|]*)|(.*)$')
end
local function no_longer_parked(tag)
    local _, step, task_id, list = place_of(tag)
    for _, line in ipairs({ PARKED, SUSPECTS, HEARD }) do redis.call('ZREM', line, tag) end
    redis.call('HDEL', PARKED_AT, tag)
    if list then flow('delayed', list, tonumber(step), -1) end
    if task_id and task_id ~= '' then redis.call('HDEL', TASK_IDS, task_id) end
end
-- To its list again, the head of it where `front`. What a stock worker took meanwhile has another
-- score: left alone. Returns whether it was pushed.
local function unpark(tag, front)
    local suffix, step, _, list = place_of(tag)
    local due, score, pushed = redis.call('ZSCORE', PARKED, tag), redis.call('ZSCORE', INDEX, tag), false
    if list and due and score and tonumber(score) == tonumber(due) then
        local raw = message_of(tag, tonumber(suffix))
        if raw then
            redis.call(front and 'RPUSH' or 'LPUSH', list, front and raw or eligible(raw, due))
            notify_list(list, tonumber(step))
            pushed = true
        end
        redis.call('HDEL', UNACKED, tag)
        redis.call('ZREM', INDEX, tag)
    end
    no_longer_parked(tag)
    return pushed
end
local function unpark_due(now)
    local due = redis.call('ZRANGEBYSCORE', PARKED, '-inf', seconds(now), 'LIMIT', 0, 100)
    local lines = due[1] and redis.call('EXISTS', SUSPECTS, HEARD) > 0
    for _, tag in ipairs(due) do -- a suspect that nobody called has waited its turn already
        unpark(tag, lines and (redis.call('ZSCORE', SUSPECTS, tag) or redis.call('ZSCORE', HEARD, tag)))
    end
    local first = redis.call('ZRANGE', PARKED, 0, 0, 'WITHSCORES')
    return first[2] or ''
end

local function release(owner, tag, held)
    redis.call('HDEL', held_by(owner), tag)
    if held.mark == 't' and redis.call('GET', TRIAL) == owner .. '|' .. tag then
        redis.call('DEL', TRIAL)
    end
end
local function forget(owner, tag, held)
    redis.call('HDEL', UNACKED, tag)
    redis.call('ZREM', INDEX, tag)
    release(owner, tag, held)
    if held.mark ~= 'n' then redis.call('DEL', crashes_of(tag)) end
end
local function put_back(owner, tag, held, front)
    flow('back', held.list, held.step, 1)
    local raw = message_of(tag, held.suffix)
    if raw then
        redis.call(front and 'RPUSH' or 'LPUSH', held.list, redelivered(raw))
        notify_list(held.list, held.step)
    end
    redis.call('HDEL', UNACKED, tag)
    redis.call('ZREM', INDEX, tag)
    release(owner, tag, held)
end
local function crash(owner, tag, held, name, evidence)
    redis.call('HSET', crashes_of(tag), name, evidence)
    redis.call('EXPIRE', crashes_of(tag), CRASHES_KEPT)
    put_back(owner, tag, held, true)
end
local function bury(raw, reason, detail, list, step, tag, owner)
    local evidence = tag ~= '' and redis.call('HVALS', crashes_of(tag)) or {}
    redis.call('XADD', DEAD, '*', 'reason', reason, 'detail', detail, 'list', list, 'tag', tag,
        'owner', owner, 'crashes', cjson.encode(evidence), 'raw', raw)
    flow('dead', list, step, 1)
end

-- Nobody refreshed: the server stood still, and any client may be the first to be heard again.
local function check_standstill(now, lease)
    local last = redis.call('ZREVRANGE', OWNERS, 0, 0, 'WITHSCORES')
    if last[2] and now - tonumber(last[2]) > 0.6 * lease then
        redis.call('SET', QUIET, '1', 'PX', math.floor(lease * 1000))
    end
end
-- Another run_id: the server was away, not the workers. Nobody reaps for one lease.
local function check_run_id(run_id, lease)
    if redis.call('GET', UNACKED .. ':run_id') == run_id then return end
    redis.call('SET', UNACKED .. ':run_id', run_id)
    if redis.call('ZCARD', OWNERS) > 0 then
        redis.call('SET', QUIET, '1', 'PX', math.floor(lease * 1000))
    end
end
