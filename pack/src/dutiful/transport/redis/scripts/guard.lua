#!lua
-- In front of a publish: the last word of ARGV is when it is too late (epoch seconds, this server's
-- clock). Whoever sent it has given up by then, and keeps the message elsewhere: a server that was
-- frozen must not run it when it thaws. -1: refused.
local by, clock = tonumber(table.remove(ARGV)), redis.call('TIME')
if tonumber(clock[1]) + tonumber(clock[2]) / 1000000 > by then return -1 end
