-- An owner arrives, or comes back: a new connection, a new epoch. Late claims of the old epoch return
-- nothing; what the server lists and the owner does not know goes back, uncounted.
-- ARGV: 1 owner, 2 facts (JSON), 3 the server's run_id, 4 lease seconds, then the ids that it knows.
-- Returns the epoch, and 1 where the owner had been given up meanwhile.
local owner, now = ARGV[1], clock()
local lease = tonumber(ARGV[4])
write_layout()
check_run_id(ARGV[3], lease)
check_standstill(now, lease)
local facts, known = facts_of(owner), {}
local given_up = redis.call('EXISTS', facts) == 0 or redis.call('HEXISTS', facts, 'reaping') == 1
for i = 5, #ARGV do
    known[ARGV[i]] = true
    if given_up then redis.call('HDEL', crashes_of(tag_of(ARGV[i])), owner) end -- it was only frozen
end
for _, id in ipairs(redis.call('HKEYS', held_by(owner))) do
    if not known[id] then put_back(owner, id, claim_of(owner, id), true) end
end
redis.call('ZADD', OWNERS, seconds(now), owner)
redis.call('HSET', facts, 'facts', ARGV[2])
redis.call('HDEL', facts, 'reaping')
return { redis.call('HINCRBY', facts, 'epoch', 1), given_up and 1 or 0 }
