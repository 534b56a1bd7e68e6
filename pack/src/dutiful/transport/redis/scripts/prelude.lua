-- Shared by the scripts that claim and settle. They are allow-oom: a full server must still be
-- drained. Nothing that can fail follows a pop, since Lua does not roll back.
-- KEYS: 1 dutiful:layout, 2 dutiful:dead_letters.
local DEAD = KEYS[2]
local QUIET, RUN_ID = ROOT .. 'quiet', ROOT .. 'run_id'
local FINAL_RUN = ROOT .. 'final_run' -- owner and id of the one final isolated run in the fleet
local NOTES_KEPT = 604800 -- seconds; only for those that stock Celery acknowledged
local BATCH, BATCH_BYTES = 500, 16777216 -- messages that one script gives back

local function notify_queue(list, step)
    notify(string.sub(list, 1, #list - step) .. ':notify')
end

-- What an owner holds under that id: nil where the message is another's by now.
local function held_place(list, step, mark) return cjson.encode({ list, step, mark }) end
local function claim_of(owner, id)
    local found = redis.call('HGET', held_by(owner), id)
    if not found then return nil end
    local place = cjson.decode(found)
    return { list = place[1], step = place[2], mark = place[3] }
end

local function remember(tag, name, value)
    redis.call('HSET', notes_of(tag), name, value)
    redis.call('EXPIRE', notes_of(tag), NOTES_KEPT)
end

local function parked_place(id)
    local found = redis.call('HGET', PARKED_AT, id)
    if not found then return nil end
    local place = cjson.decode(found)
    return { list = place[1], step = place[2], task_id = place[3], noted = place[4] }
end
local function park(id, due, list, step, task_id) park_at(id, due, list, step, task_id, true) end
local function no_longer_parked(id, place)
    for _, set in ipairs({ PARKED, SUSPECTS, FINALISTS }) do redis.call('ZREM', set, id) end
    redis.call('HDEL', PARKED_AT, id)
    if not place then return end
    flow('delayed', place.list, place.step, -1)
    if place.task_id ~= '' and redis.call('HGET', TASK_IDS, place.task_id) == id then
        redis.call('HDEL', TASK_IDS, place.task_id)
    end
end
-- To its list again, the head of it where `front`. Returns the bytes that were pushed, or nil.
local function unpark(id, front)
    local place = parked_place(id)
    local raw = place and redis.call('HGET', MESSAGES, id)
    if raw then
        if place.noted and not front then
            remember(tag_of(id), 'eligible_at', redis.call('ZSCORE', PARKED, id) or '0')
        end
        redis.call(front and 'RPUSH' or 'LPUSH', place.list, raw)
        notify_queue(place.list, place.step)
        redis.call('HDEL', MESSAGES, id)
    end
    no_longer_parked(id, place)
    return raw and #raw
end
-- Returns when the next one is due, '' where none is parked.
local function unpark_due(now)
    local due = redis.call('ZRANGEBYSCORE', PARKED, '-inf', seconds(now), 'LIMIT', 0, 100)
    local lines, bytes = due[1] and redis.call('EXISTS', SUSPECTS, FINALISTS) > 0, 0
    for _, id in ipairs(due) do
        if bytes > BATCH_BYTES then break end
        -- A suspect that no worker had capacity for has waited its turn already.
        local front = lines and (redis.call('ZSCORE', SUSPECTS, id) or redis.call('ZSCORE', FINALISTS, id))
        bytes = bytes + (unpark(id, front) or 0)
    end
    local first = redis.call('ZRANGE', PARKED, 0, 0, 'WITHSCORES')
    return first[2] or ''
end

local function release(owner, id, held)
    redis.call('HDEL', held_by(owner), id)
    if held.mark == 'f' and redis.call('HGET', FINAL_RUN, 'id') == id then
        redis.call('DEL', FINAL_RUN)
    end
end
local function forget(owner, id, held)
    redis.call('HDEL', MESSAGES, id)
    release(owner, id, held)
    if held.mark ~= 'n' then redis.call('DEL', crashes_of(tag_of(id)), notes_of(tag_of(id))) end
end
-- Returns the bytes that were pushed.
local function put_back(owner, id, held, front)
    flow('back', held.list, held.step, 1)
    local raw = redis.call('HGET', MESSAGES, id)
    if raw then
        remember(tag_of(id), 'redelivered', '1')
        redis.call(front and 'RPUSH' or 'LPUSH', held.list, raw)
        notify_queue(held.list, held.step)
        redis.call('HDEL', MESSAGES, id)
    end
    release(owner, id, held)
    return raw and #raw or 0
end
local function crash(owner, id, held, name, evidence)
    redis.call('HSET', crashes_of(tag_of(id)), name, evidence)
    redis.call('EXPIRE', crashes_of(tag_of(id)), NOTES_KEPT)
    return put_back(owner, id, held, true)
end
-- Gives back what an owner holds, a batch at most. `give` is called with each id and its place, and
-- returns bytes. Returns how many went back, and whether there are more.
local function give_back_held(owner, give)
    local count, bytes = 0, 0
    for _, id in ipairs(redis.call('HKEYS', held_by(owner))) do
        if count >= BATCH or bytes > BATCH_BYTES then return count, true end
        bytes, count = bytes + give(id, claim_of(owner, id)), count + 1
    end
    return count, false
end
local function bury(raw, reason, detail, list, step, tag, owner)
    local evidence = tag ~= '' and redis.call('HVALS', crashes_of(tag)) or {}
    redis.call('XADD', DEAD, '*', 'reason', reason, 'detail', detail, 'list', list, 'tag', tag,
        'owner', owner, 'crashes', cjson.encode(evidence), 'raw', raw)
    flow('dead', list, step, 1)
end

-- Nobody refreshed: the server stood still, and any client may be the first to reach it again.
local function check_standstill(now, lease)
    local last = redis.call('ZREVRANGE', OWNERS, 0, 0, 'WITHSCORES')
    if last[2] and now - tonumber(last[2]) > 0.6 * lease then
        redis.call('SET', QUIET, '1', 'PX', math.floor(lease * 1000))
    end
end
-- Another run_id: the server was away, not the workers. Nobody reaps for one lease.
local function check_run_id(run_id, lease)
    if redis.call('GET', RUN_ID) == run_id then return end
    redis.call('SET', RUN_ID, run_id)
    if redis.call('ZCARD', OWNERS) > 0 then
        redis.call('SET', QUIET, '1', 'PX', math.floor(lease * 1000))
    end
end
-- Deletes what only counts and describes, once nothing of ours is left.
local function tidy()
    if redis.call('EXISTS', OWNERS, MESSAGES) > 0 then return end
    redis.call('DEL', RUN_ID, LAST_ID, QUIET, FLOW)
    if redis.call('EXISTS', DEAD) == 0 then redis.call('DEL', LAYOUT) end
end
