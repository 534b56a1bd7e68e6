-- Renews a lease by the server's clock, and pushes what is due.
-- ARGV: 1 owner, 2 facts (JSON), 3 lease seconds. Returns 'ok', or 'reaped' where it was given up.
local owner, now, lease = ARGV[1], clock(), tonumber(ARGV[3])
local facts = facts_of(owner)
if redis.call('EXISTS', facts) == 0 or redis.call('HEXISTS', facts, 'reaping') == 1 then
    return 'reaped'
end
check_standstill(now, lease)
redis.call('ZADD', OWNERS, seconds(now), owner)
redis.call('HSET', facts, 'facts', ARGV[2])
unpark_due(now)
return 'ok'
