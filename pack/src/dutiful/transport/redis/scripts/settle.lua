-- Acks, put-backs, crashes and dead letters of one owner, in one go. Safe to send twice.
-- ARGV: 1 owner, 2 number of acks, their ids, then four arguments an operation:
--       back|delay|again|crash|dead, id, and two more.
-- Returns the ids that name nothing of this owner: fenced off, nothing done.
local owner, acks, fenced, acked = ARGV[1], tonumber(ARGV[2]), {}, {}
for i = 3, 2 + acks do
    local held = claim_of(owner, ARGV[i])
    if held then
        forget(owner, ARGV[i], held)
        acked[held.list] = { held.step, (acked[held.list] or { 0, 0 })[2] + 1 }
    else
        fenced[#fenced + 1] = ARGV[i]
    end
end
for list, found in pairs(acked) do flow('acked', list, found[1], found[2]) end
local now = clock()
for i = 3 + acks, #ARGV, 4 do
    local what, id, first, second = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local held = claim_of(owner, id)
    if not held then
        fenced[#fenced + 1] = id
    elseif what == 'back' or what == 'delay' then -- delay: it has an eta of its own
        -- first: seconds until it may be claimed; second: its task id
        if tonumber(first) > 0 then
            release(owner, id, held)
            flow('back', held.list, held.step, 1)
            park_at(id, seconds(now + tonumber(first)), held.list, held.step, second, what == 'back')
        else
            put_back(owner, id, held, true)
        end
    elseif what == 'again' then -- a requeue by the task itself: behind the others, as stock does
        put_back(owner, id, held, false)
    elseif what == 'crash' then -- first: name of the crash; second: evidence
        crash(owner, id, held, first, second)
    elseif what == 'dead' then -- first: reason; second: detail
        bury(redis.call('HGET', MESSAGES, id) or '', first, second, held.list, held.step, tag_of(id), owner)
        forget(owner, id, held)
    end
end
return fenced
