-- The names of the keys of our own, after that of the layout's version; ids, the clock, parking.
local ROOT = string.sub(LAYOUT, 1, -#'layout' - 1)
local MESSAGES = ROOT .. 'messages' -- id -> text of each claimed or parked message, as published
local LAST_ID = ROOT .. 'last_id'
local OWNERS = ROOT .. 'owners' -- owner -> its last refresh
local PARKED = ROOT .. 'parked' -- id -> when it is due
local PARKED_AT = ROOT .. 'parked_at' -- id -> [list, step size, task id, whether a note is due]
local TASK_IDS = ROOT .. 'parked_ids' -- task id -> id
local SUSPECTS = ROOT .. 'suspects' -- parked, and waiting for an isolated run: id -> when published
local FINALISTS = ROOT .. 'suspects:final' -- the same, waiting for the final isolated run
local FLOW = ROOT .. 'flow' -- counters of monitoring: ["taken" …, queue] -> number

local function held_by(owner) return ROOT .. 'held:' .. owner end -- id -> [list, step size, mark]
local function facts_of(owner) return ROOT .. 'owner:' .. owner end
local function crashes_of(tag) return ROOT .. 'crashes:' .. tag end
local function notes_of(tag) return ROOT .. 'notes:' .. tag end -- redelivered, eligible_at
local function seconds(t) return string.format('%.6f', t) end
local function clock()
    local t = redis.call('TIME')
    return tonumber(t[1]) + tonumber(t[2]) / 1000000
end

-- Each claim and each parking of a message has an id of its own, "<number>:<delivery tag>": an id of
-- an earlier claim names nothing, so it is also the fence. The numbers begin with the clock, so
-- that none comes again after the counter was deleted.
local function new_id(tag)
    local number = redis.call('INCR', LAST_ID)
    if number == 1 then
        number = math.floor(clock() * 1000000)
        redis.call('SET', LAST_ID, string.format('%.0f', number))
    end
    return string.format('%.0f', number) .. ':' .. tag
end
local function tag_of(id) return string.sub(id, (string.find(id, ':', 1, true) or 0) + 1) end

-- One more, or less, of what monitoring counts. `step` is the length of the priority's suffix.
-- pcall: whatever lies at that key, a message's way goes on.
local function flow(what, list, step, by)
    local queue = string.sub(list, 1, #list - step)
    redis.pcall('HINCRBY', FLOW, cjson.encode({ what, queue }), by)
end

local function park_at(id, due, list, step, task_id, noted)
    redis.call('ZADD', PARKED, due, id)
    local place = cjson.encode({ list, step, task_id, noted })
    if redis.call('HSET', PARKED_AT, id, place) == 1 then flow('delayed', list, step, 1) end
    if task_id ~= '' then redis.call('HSET', TASK_IDS, task_id, id) end
end
