-- An owner goes: what it still holds goes back, uncounted, and the lease ends.
-- ARGV: 1 owner. Returns how many went back.
local owner, count = ARGV[1], 0
for _, tag in ipairs(redis.call('HKEYS', held_by(owner))) do
    local held = mine(owner, tag)
    if held then
        put_back(owner, tag, held, true)
        count = count + 1
    end
end
redis.call('DEL', facts_of(owner), held_by(owner))
redis.call('ZREM', OWNERS, owner)
if redis.call('ZCARD', OWNERS) == 0 then
    redis.call('DEL', UNACKED .. ':run_id', UNACKED .. ':copies', QUIET)
    if redis.call('EXISTS', PARKED) == 0 then redis.call('DEL', FLOW) end
end
return count
