"""How a message travels: Redis, RabbitMQ, stock transports, and publishing by a deadline.

`broker` is the interface of what a broker can do beyond kombu's; `brokers` finds the one of a
connection. `publisher_pool` holds connections that publish within a deadline; `message` is one
in the hands of a worker.
"""
