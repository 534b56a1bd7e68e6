"""What must hold on RabbitMQ: a real node, real workers, real signals."""
