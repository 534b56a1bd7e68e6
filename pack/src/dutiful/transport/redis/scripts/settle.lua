-- Acks, put-backs, crashes and dead letters of one owner, in one go. Safe to send twice.
-- ARGV: 1 owner, 2 number of acks, their tags, then four words an operation:
--       back|again|crash|dead, tag, and two arguments.
-- Returns the tags that were another's by now: fenced off, nothing done.
local owner, acks, fenced, acked = ARGV[1], tonumber(ARGV[2]), {}, {}
for i = 3, 2 + acks do
    local held = mine(owner, ARGV[i])
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
    local what, tag, first, second = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    local held = mine(owner, tag)
    if not held then
        fenced[#fenced + 1] = tag
    elseif what == 'back' then -- first: seconds until it may be claimed; second: its task id
        if tonumber(first) > 0 then
            release(owner, tag, held)
            flow('back', held.list, held.step, 1)
            park(tag, seconds(now + tonumber(first)), held.suffix, held.step, held.list, second)
        else
            put_back(owner, tag, held, true)
        end
    elseif what == 'again' then -- a requeue by the task itself: behind the others, as stock does
        put_back(owner, tag, held, false)
    elseif what == 'crash' then -- first: name of the crash; second: evidence
        crash(owner, tag, held, first, second)
    elseif what == 'dead' then -- first: reason; second: detail
        bury(message_of(tag, held.suffix) or '', first, second, held.list, held.step, tag, owner)
        forget(owner, tag, held)
    end
end
return fenced
