-- An owner comes, or comes back: a new connection, a new epoch. Late claims of the old one return
-- nothing; what the server lists and the owner's map lacks goes back, uncounted.
-- ARGV: 1 owner, 2 facts (JSON), 3 the server's run_id, 4 lease seconds, then the tags of its map.
-- Returns the epoch, and 1 where the owner had been given up meanwhile.
local owner, now = ARGV[1], clock()
local lease = tonumber(ARGV[4])
check_run_id(ARGV[3], lease)
check_standstill(now, lease)
local known = redis.call('EXISTS', facts_of(owner))
local map = {}
for i = 5, #ARGV do
    map[ARGV[i]] = true
    if known == 0 then redis.call('HDEL', crashes_of(ARGV[i]), owner) end -- it was only frozen
end
for _, tag in ipairs(redis.call('HKEYS', held_by(owner))) do
    if not map[tag] then
        local held = mine(owner, tag)
        if held then put_back(owner, tag, held, true) end
    end
end
redis.call('ZADD', OWNERS, seconds(now), owner)
redis.call('HSET', facts_of(owner), 'facts', ARGV[2])
return { redis.call('HINCRBY', facts_of(owner), 'epoch', 1), 1 - known }
