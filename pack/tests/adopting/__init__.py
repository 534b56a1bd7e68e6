"""The pack in a project that exists: its wheel, its core alone, `install`, and docs/adopting.md."""
