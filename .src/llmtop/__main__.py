"""Runs llmtop as a module: python -m llmtop."""

from llmtop.tui.cli import main

raise SystemExit(main())
