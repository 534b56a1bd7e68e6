-- Gives back what dead owners held: those whose lease ran out, and those known to be gone. One owner
-- at a time and a batch of its messages at most: where there are more it is to be sent again.
-- ARGV: 1 owner that reaps, 2 lease seconds, 3 evidence, 4 run_id, then owners of this host that
--       are gone.
-- Returns 1 where there is more to do, and of the owner that was reaped: its id, its facts, how many
-- messages went back now.
local me, now, lease = ARGV[1], clock(), tonumber(ARGV[2])
check_run_id(ARGV[4], lease)
check_standstill(now, lease)
local gone = {}
if redis.call('EXISTS', QUIET) == 0 then
    gone = redis.call('ZRANGEBYSCORE', OWNERS, '-inf', seconds(now - lease), 'LIMIT', 0, 3)
end
for i = 5, #ARGV do
    if redis.call('ZSCORE', OWNERS, ARGV[i]) then gone[#gone + 1] = ARGV[i] end
end
for i, owner in ipairs(gone) do
    if owner ~= me then
        local facts = facts_of(owner)
        local known = redis.call('HGET', facts, 'facts') or '{}'
        if redis.call('HSETNX', facts, 'reaping', '1') == 1 then -- should it come back in between
            redis.call('HINCRBY', facts, 'epoch', 1)
        end
        local count, more = give_back_held(owner, function(id, held)
            return crash(owner, id, held, owner, ARGV[3])
        end)
        if not more then
            redis.call('DEL', facts, held_by(owner))
            redis.call('ZREM', OWNERS, owner)
            redis.pcall('HINCRBY', FLOW, cjson.encode({ 'lost', '' }), 1)
        end
        return { (more or gone[i + 1]) and 1 or 0, owner, known, count }
    end
end
return { 0 }
