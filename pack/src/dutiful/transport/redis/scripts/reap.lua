-- Gives back what dead owners held: those whose lease ran out, and those known to be gone.
-- ARGV: 1 owner that reaps, 2 lease seconds, 3 evidence, 4 run_id, then owners of this host that
--       are gone.
-- Returns for each owner that was reaped: its id, its facts, how many messages went back.
local me, now, lease = ARGV[1], clock(), tonumber(ARGV[2])
local out, gone = {}, {}
check_run_id(ARGV[4], lease)
check_standstill(now, lease)
for i = 5, #ARGV do gone[ARGV[i]] = true end
if redis.call('EXISTS', QUIET) == 0 then
    local overdue = redis.call('ZRANGEBYSCORE', OWNERS, '-inf', seconds(now - lease), 'LIMIT', 0, 16)
    for _, owner in ipairs(overdue) do gone[owner] = true end
end
gone[me] = nil
for owner in pairs(gone) do
    if redis.call('EXISTS', facts_of(owner)) == 1 then
        local tags = redis.call('HKEYS', held_by(owner))
        local count = 0
        for _, tag in ipairs(tags) do
            local held = mine(owner, tag)
            if held then
                crash(owner, tag, held, owner, ARGV[3])
                count = count + 1
            end
        end
        out[#out + 1] = owner
        out[#out + 1] = redis.call('HGET', facts_of(owner), 'facts') or '{}'
        out[#out + 1] = count
        redis.pcall('HINCRBY', FLOW, 'lost|', 1)
    end
    redis.call('DEL', facts_of(owner), held_by(owner))
    redis.call('ZREM', OWNERS, owner)
end
return out
