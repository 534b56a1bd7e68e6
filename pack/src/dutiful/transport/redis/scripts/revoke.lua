-- Deletes parked messages by task id. ARGV: task ids, some hundreds at the most. Returns the messages
-- that there were.
local out = {}
for _, task_id in ipairs(ARGV) do
    local id = redis.call('HGET', TASK_IDS, task_id)
    local place = id and parked_place(id)
    if place then
        out[#out + 1] = redis.call('HGET', MESSAGES, id)
        redis.call('HDEL', MESSAGES, id)
        redis.call('DEL', crashes_of(tag_of(id)), notes_of(tag_of(id)))
        no_longer_parked(id, place)
    end
    redis.call('HDEL', TASK_IDS, task_id)
end
return out
