"""The run record: when each task of a drill started and ended, on a Redis server of its own.

`write` is called by the tasks of all three systems and imports nothing else of the pack. `read`
starts the server and reads the record in the drill's process.
"""
