-- The first lines of every script: the version of the layout, and how workers are notified.
-- KEYS[1] is always `dutiful:layout`, with the deployment's prefix in front. LAYOUT_VERSION is set by
-- `dutiful/transport/redis/scripts/__init__.py`.
local LAYOUT = KEYS[1]
local found_layout = redis.call('GET', LAYOUT)
if found_layout and found_layout ~= LAYOUT_VERSION then
    return redis.error_reply('OTHERLAYOUT ' .. LAYOUT .. ' says that this Redis holds messages in layout '
        .. found_layout .. '; this process reads and writes layout ' .. LAYOUT_VERSION)
end

local function write_layout()
    if not found_layout then redis.call('SET', LAYOUT, LAYOUT_VERSION) end
end

-- Wakes one worker that sleeps on the queue's notify list, which is one a queue, not one a priority.
local function notify(key)
    if redis.call('EXISTS', key) == 0 then redis.call('LPUSH', key, '1') end
end
