"""Three jobs to look at: sign-up mail, export file, photo check. Remove them with one line.

Without its line in `project/settings/apps.py` the pages, tasks and tables are gone, and `/` leads
to the admin.
"""
