-- Puts messages back into the lists, in stock's form, for a deployment that leaves this transport.
-- ARGV: 1 owner whose claims these are, '' for parked messages, 2 lease seconds, then for each
--       message its id and its text in stock's form.
-- Returns how many went back, or -1 where that owner is alive. Without messages the owner ends.
local owner, lease, count = ARGV[1], tonumber(ARGV[2]), 0
if owner ~= '' then
    local refreshed = tonumber(redis.call('ZSCORE', OWNERS, owner) or '0')
    if refreshed > clock() - lease and redis.call('HEXISTS', facts_of(owner), 'reaping') == 0 then
        return -1
    end
    redis.call('HINCRBY', facts_of(owner), 'epoch', 1) -- should it come back in between
    redis.call('HSET', facts_of(owner), 'reaping', '1')
end
for i = 3, #ARGV, 2 do
    local id, text = ARGV[i], ARGV[i + 1]
    local held = owner ~= '' and claim_of(owner, id)
    local parked = owner == '' and parked_place(id)
    local place = held or parked
    if place and redis.call('HEXISTS', MESSAGES, id) == 1 then
        redis.call(held and 'RPUSH' or 'LPUSH', place.list, text)
        redis.call('HDEL', MESSAGES, id)
        count = count + 1
    end
    if held then release(owner, id, held) end
    if parked then no_longer_parked(id, parked) end
    redis.call('DEL', crashes_of(tag_of(id)), notes_of(tag_of(id)))
end
if owner ~= '' and #ARGV == 2 and redis.call('EXISTS', held_by(owner)) == 0 then
    redis.call('DEL', facts_of(owner))
    redis.call('ZREM', OWNERS, owner)
end
tidy()
return count
