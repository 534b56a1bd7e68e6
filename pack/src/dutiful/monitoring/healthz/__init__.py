"""`/healthz/…`: status codes for load balancers and uptime services.

`views` has the four addresses, `probe` asks a server with a time limit and shares each answer for a
second, since load balancers ask every web process often.
"""
