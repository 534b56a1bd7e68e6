"""Quarantine: a message that may have killed its workers runs in a child process of its own.

A message with which two processes died is a suspect; the transport counts these crashes. The
consumer gives a suspect to `runner.start` and not to the pool:

    waiting ── two crashes ──> suspect ── first isolated run ──> its child lives: as the task ends
                                  │                              its child dies: a third crash
                                  └── exclusive isolated run ──> its child lives: as the task ends
                                                                 a fresh child dies: poison

1. **The first isolated run.** Each worker makes one at a time, beside those of other workers. A
   child that dies here proves nothing yet, since another process may have used up the memory of the
   machine. It counts one more crash.
2. **The exclusive isolated run.** The transport hands out one such message at a time in the whole
   fleet. If a child that has run nothing else dies of it, while this worker lives and is not
   stopping, the message is marked as poison and becomes a dead letter. Any other end is the task's.

After an hour of many crashes most suspects are innocent and wait for each other. So the child of a
suspect that lived is kept for the next one, which saves its start of some seconds.

`runner` has the thread that makes the runs, `isolated_run` one run and its end, `child_process`
the parent's side of a child, `child` the child itself, `pipe_format` what passes between the two.
On RabbitMQ there is one run only: crashes are counted by the broker, for all messages of a worker.
"""
