-- An owner leaves: what it still holds goes back, uncounted, and the lease ends.
-- ARGV: 1 owner. Returns how many went back, and 1 where there are more: it is to be sent again.
local owner = ARGV[1]
local count, more = give_back_held(owner, function(id, held) return put_back(owner, id, held, true) end)
if not more then
    redis.call('DEL', facts_of(owner), held_by(owner))
    redis.call('ZREM', OWNERS, owner)
    tidy()
end
return { count, more and 1 or 0 }
