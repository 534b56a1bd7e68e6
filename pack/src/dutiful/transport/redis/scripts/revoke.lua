-- Deletes parked messages by task id. ARGV: task ids. Returns those that there were, as `unacked`
-- keeps them.
local out = {}
for _, task_id in ipairs(ARGV) do
    local tag = redis.call('HGET', TASK_IDS, task_id)
    if tag then
        local score, due = redis.call('ZSCORE', INDEX, tag), redis.call('ZSCORE', PARKED, tag)
        if score and due and tonumber(score) == tonumber(due) then
            out[#out + 1] = redis.call('HGET', UNACKED, tag)
            redis.call('HDEL', UNACKED, tag)
            redis.call('ZREM', INDEX, tag)
            redis.call('DEL', crashes_of(tag))
        end
        no_longer_parked(tag)
        redis.call('HDEL', TASK_IDS, task_id)
    end
end
return out
