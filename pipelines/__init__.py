"""What runs and when: from delivered files to tables, lists and pages. What is computed stands in `models`."""

import sys

# jsonschema, which Altair and Great Expectations import, builds a grammar of RFC 3987 for a format that nothing here
# checks, and does without where the module is not to be had: 2.4 s less in every process that draws or checks.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None is how an import is refused
