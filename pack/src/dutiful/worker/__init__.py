"""What runs tasks: worker profiles, and the worker that takes its shape from them."""
