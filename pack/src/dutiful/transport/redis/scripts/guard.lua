-- In front of a publish: the last of ARGV is the deadline (epoch seconds of this server's clock).
-- Its sender has given up by then and keeps the message elsewhere: a server that was frozen must
-- not run it when it thaws. -1: refused.
do
    local deadline, clock = tonumber(table.remove(ARGV)), redis.call('TIME')
    if tonumber(clock[1]) + tonumber(clock[2]) / 1000000 > deadline then return -1 end
end
