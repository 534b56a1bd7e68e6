-- Renews a lease by the server's clock, and pushes what is due.
-- ARGV: 1 owner, 2 facts (JSON), 3 lease seconds, 4 '1' to renew the scores that stock sweeps by.
-- Returns status, then the tags that are another's by now.
local owner, now, lease = ARGV[1], clock(), tonumber(ARGV[3])
if redis.call('EXISTS', facts_of(owner)) == 0 then return { 'reaped' } end
check_standstill(now, lease)
redis.call('ZADD', OWNERS, seconds(now), owner)
redis.call('HSET', facts_of(owner), 'facts', ARGV[2])
unpark_due(now)
local out = { 'ok' }
if ARGV[4] == '1' then
    for _, tag in ipairs(redis.call('HKEYS', held_by(owner))) do
        local held = mine(owner, tag)
        if held then
            redis.call('ZADD', INDEX, seconds(now), tag)
            redis.call('HSET', held_by(owner), tag,
                note(seconds(now), held.suffix, held.mark, held.step, held.list))
        else
            out[#out + 1] = tag
        end
    end
end
return out
