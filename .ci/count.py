"""Adds up pytest's reports: count.py EXIT_STATUS REPORT.xml ..."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

status, *reports = sys.argv[1:]
suites = [suite for report in reports if Path(report).exists() for suite in ET.parse(report).iter("testsuite")]
total = {word: sum(int(suite.get(word, 0)) for suite in suites) for word in ("tests", "failures", "errors", "skipped")}
failed = total["failures"] + total["errors"]
passed = total["tests"] - failed - total["skipped"]
if total["skipped"]:
    print(f"{total['skipped']} skipped")
# Lint and the deploy check have no report: a run that they stopped is not a run without failures.
print(f"{passed} passed, {failed or int(status != '0')} failed")
