"""What planning and reports load, and who reads settings; imports are checked by `lint-imports`."""

import subprocess
import sys
from pathlib import Path

from tests.stacks.stack_files import ROOT


def test_settings_and_secrets_are_read_by_one_module_each():
    readers = {
        path.relative_to(ROOT)
        for folder in ("stacks", "components", "catalogue", "controls", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if "pulumi.Config(" in path.read_text()
    }
    assert readers == {Path("stacks/deploy/load.py"), Path("stacks/deploy/secrets.py")}


def test_planning_printing_and_drawing_load_no_pulumi():
    program = (
        "import sys, io; from pathlib import Path; from rich.console import Console;"
        "from corral.stacks.config.loader import read; from corral.stacks.planning.planner import plan;"
        "from corral.stacks.reports.terminal.plan import render; from corral.stacks.reports.html import page;"
        "made = plan(read(Path('Pulumi.dev.yaml')), 'dev');"
        "render(made, Console(file=io.StringIO())); page(made);"
        "print([name for name in sys.modules if name.startswith(('pulumi', 'grpc'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
