"""`celery worker --profile io`: an option whose help names the project's profiles."""

from typing import Any

from click import Option


class ProfileOption(Option):
    """The profiles are read when help is asked for: the settings may not be loaded before."""

    def __init__(self) -> None:
        super().__init__(("--profile",), help="Worker profile.")

    def get_help_record(self, ctx: Any) -> Any:
        from dutiful.conf import conf

        choices = ", ".join(profile.name for profile in conf().shapes)
        self.help = f"Worker profile: {choices}. Gives pool, slots, memory and queues."
        return super().get_help_record(ctx)
