"""What this deployment is: its processes, what each of them takes, and the times it is set to.

`procfile` reads the Procfile into entries, `resources` knows how many connections and open files a
process of each entry takes, and `configured.gather` puts these together with the settings and the
platform's times as a `model.Deployment`. The doctor compares it with a running server, and the
monitoring's budget adds it up.
"""
