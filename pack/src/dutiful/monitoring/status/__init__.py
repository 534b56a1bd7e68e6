"""`/status/`: whether every promise is kept, and what to do where one is not.

`page_data` loads everything that is shown, from broker, database and the monitor's copy; each may
fail alone. One module a section turns it into rows of text (`queues`, `workers`, `todo` …), `page`
renders the sections, `views` answers, and `access` decides who may read what.
"""
