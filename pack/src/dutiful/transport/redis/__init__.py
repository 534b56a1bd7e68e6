"""The Redis transport: the life of a message, and which script makes each step.

                  claim: unreadable
              +----------------------------------------------> DEAD
              |                                                 ^
              |                                  settle: dead   |
 publish --> WAITING ------------- claim -------> CLAIMED ------+--- settle: ack --> (gone)
   |          ^ ^ |                               |  |
   |          | | |                               |  |
   |          | | +-- claim: two crashes          |  +-- settle: back now, again, crash;
   |          | |     |                           |      reap, bye, hello, export --> WAITING
   | eta      | |     v                           |
   |          | +--- SUSPECT -- claim: its turn   +-- settle: back later --> PARKED
   v          |              |
  PARKED -----+              +--> ISOLATED --- as CLAIMED; a crash makes it a SUSPECT again,
   |    due: claim, refresh                    and its next isolated run is the final one
   +--- revoke --> (gone)

A message waits in one of kombu's lists, as the text that its producer wrote. Every other state lies
under `dutiful:` (names in `scripts/common.lua`), and no script edits the text:

- WAITING: in `<queue>`, one list for each priority. `notes:<tag>` and `crashes:<tag>` say whether
  it was delivered before, since when it may be claimed, and which processes died with it.
- CLAIMED: its text in `messages`, its place in `held:<owner>`. `claim.lua` looks at it, decodes it,
  notes it, and pops it last. The owner has a lease in `owners`; when that has run out, `reap.lua`
  gives back what the owner held. Each claim has an id of its own, so the ids of an earlier one name
  nothing: that is the fence.
- PARKED: its text in `messages`, when it is due in `parked`, its place in `parked_at`.
- SUSPECT: parked, and in line in `suspects` or `suspects:final`. Processes died that held it.
- ISOLATED: claimed, and run in a child process of its own: one of each worker at a time. The final
  run is the only one of the fleet (`final_run`); the worker may bury a message whose child dies.
- DEAD: in the stream `dead_letters`, until `dutiful.deadletters` moves it to the database.

The client's half: `channel` is what kombu sees; `claiming` sends settlements and claims in one
packet and hands messages out; `owner` is what this process holds; `lease_heartbeat` is the thread
that keeps the lease; `publishing` and `publisher` write messages; `stock` gives back what dead
stock workers left; `export` is the way back to stock Celery.
"""
