"""The data of a deployment as classes: queues, profiles, entries of the schedule.

`classes` has the queue and its promises, `profiles` the shapes of worker, `entries` the lines of
the schedule, and `defaults` the catalogue and profiles of a project that names none of its own.
`process` says which of these a command line starts. All of it is pure (standard library only),
since settings and the project's data files import it.
"""
