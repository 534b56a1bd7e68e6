"""A worker's memory: read each second, kept within the profile, and a leak named by its task.

`connect` has it watched in workers that start in this process. `watch.MemoryWatch` is a thread of
the worker's main process. With a pool of threads it asks `growth.Growth` which tasks grew the
process, and replaces the worker when it is past its limit. In a prefork pool the pool itself
replaces children; `child` runs in each of them and logs which task took the memory. `usage` reads
sizes and limits, all in bytes. Files import each other in one direction: connect → watch, child →
growth → usage.
"""
