"""Alerts: from what was collected to a message that somebody reads.

`collected` is the input of one pass. The functions of `rules` evaluate it into `Finding`s, good and
bad. `state` turns findings into alerts: it waits before an alert fires and before it ends, hides
the effects of another alert, and says which are new, repeated or resolved as one `Notice`. Each
`Channel` sends notices in a thread of its own; `channels` has the log, Sentry, mail and a webhook.
`copies` keeps what fires on the broker and in the database, for the next monitor and for the
status page. `catalogue` lists every alert, `alert` has the types, `text` the wording.
"""
