"""What runs and when: from delivered files to tables, lists and pages. What is computed stands in `models`."""
