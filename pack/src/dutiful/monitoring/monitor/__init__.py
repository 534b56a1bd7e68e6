"""`manage.py monitor`: a process that evaluates every rule every few seconds.

`monitor` is its loop: renew the lease, collect, evaluate, send, save. `collect` takes the snapshot
and remembers what rules need of earlier passes. `lease` decides which of several monitors sends
alerts. `switch` pings an outside service that alarms when this process goes silent.
"""
